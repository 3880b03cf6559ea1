/**
 * Folds: evaluates each weight's own transformation once and puts the result where the weight was.
 *
 * Requires: the same sites in the adapted and in the target graph. Guarantees: only the chosen weights change; each is computed by the very
 * subgraph that training used, and rounded once to its stored type. Rules: (1) a constant that only products read keeps its name and
 * place; (2) one that something else reads too (a tied embedding) stays, and the products get a new constant.
 */
import { weightNotFoldable } from "../errors/runtime.ts";
import { DataType, isFloating } from "../ir/data-type.ts";
import type { Graph, Use, Value } from "../ir/graph.ts";
import { Model } from "../ir/model.ts";
import { everyGraph } from "../ir/nested.ts";
import { Tensor } from "../ir/tensor.ts";
import type { UpdatedTransformation } from "../methods/updated-transformation.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { float32Of, inLayout, pathOf, type AdaptedSite, type Trainable } from "./adapt.ts";
import type { WeightSite } from "./weights/find-weights.ts";

/** Runs a graph without inputs and gives its only output. `runtime` supplies the one that runs ONNX Runtime. */
export type Evaluate = (model: Model) => Promise<Tensor>;

/** W' = U(W) of one weight, in its stored layout and type. */
export async function foldWeight(adapted: AdaptedSite, method: UpdatedTransformation, opsets: ReadonlyMap<string, number>, evaluate: Evaluate): Promise<Tensor> {
  const { site, parameters, weight } = adapted;
  if (!isFloating(site.tensor.dataType)) throw weightNotFoldable(adapted.modulePath, "it is not stored as floats");
  const model = new Model(8, new Map([["", opsets.get("") ?? 17]]));
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "fold" });
  const stored = op.constant("W", site.tensor);
  // In float32 and rounded once, also where the graph multiplies in 16 bits.
  const wide = site.tensor.dataType === DataType.FLOAT ? stored : op.Cast(stored, { to: DataType.FLOAT });
  const values = parameters.map((p) => op.constant(p.parameter, Tensor.floats(p.shape, p.start)));
  const updated = method.apply(op, wide, values, weight, site.stored);
  model.graph.outputs.push(op.named(site.tensor.dataType === DataType.FLOAT ? updated : op.Cast(updated, { to: site.tensor.dataType }), "folded"));
  const result = await evaluate(model);
  return new Tensor(site.tensor.dataType, site.tensor.dims, result.data);
}

/** Puts a weight's new value in, given in its stored layout. */
export function replaceWeight(graph: Graph, site: WeightSite, tensor: Tensor): void {
  const uses = site.points.flatMap((p) => p.uses);
  if (isExclusive(graph, site.constant, uses)) {
    setConstant(site.constant, tensor);
    return;
  }
  const made = new Map<string, Value>();
  for (const point of site.points) {
    const dataType = point.value.dataType === 0 ? tensor.dataType : point.value.dataType;
    const key = `${point.layout} ${String(dataType)}`;
    const value = made.get(key) ?? graph.addInitializer(`${pathOf(site)}.weight`, converted(tensor, site, point.layout, dataType));
    made.set(key, value);
    for (const { node, index } of point.uses) node.setInput(index, value);
  }
}

/** A module trained whole: its tensors are replaced, rounded once to their stored type. */
export function replaceWhole(graph: Graph, site: WeightSite, trained: readonly Trainable[]): void {
  const layout = site.points[0]?.layout ?? site.stored;
  for (const { parameter, start } of trained) {
    if (parameter === "weight") {
      replaceWeight(graph, site, Tensor.fromFloat32(site.tensor.dataType, site.tensor.dims, inLayout(start, site, layout, site.stored)));
    } else if (site.bias !== undefined) {
      const { constant, tensor, uses } = site.bias;
      const value = Tensor.fromFloat32(tensor.dataType, tensor.dims, start);
      if (isExclusive(graph, constant, uses)) {
        setConstant(constant, value);
        continue;
      }
      const wanted = uses.map(({ node, index }) => node.inputs[index]?.dataType).find((type) => type !== undefined && type !== 0) ?? tensor.dataType;
      const own = graph.addInitializer(`${pathOf(site)}.bias`, wanted === tensor.dataType ? value : Tensor.fromFloat32(wanted, tensor.dims, float32Of(value)));
      for (const { node, index } of uses) node.setInput(index, own);
    }
  }
}

/** Whether nothing but these reads comes from the constant, through whatever hands it on. */
function isExclusive(graph: Graph, constant: Value, uses: readonly Use[]): boolean {
  if (everyGraph(graph).some((each) => each.outputs.includes(constant))) return false;
  return constant.uses.every((use) => uses.some((u) => u.node === use.node && u.index === use.index)
    || (use.node.outputs.length === 1 && use.node.inputs.length === 1 && use.node.outputs.every((o) => o !== undefined && o.uses.length > 0 && isExclusive(graph, o, uses))));
}

function setConstant(constant: Value, tensor: Tensor): void {
  const { producer } = constant;
  if (producer === undefined) {
    constant.initializer = new Tensor(tensor.dataType, tensor.dims, tensor.data, constant.initializer?.carried, false);
    return;
  }
  producer.attributes.set("value", { kind: "tensor", value: tensor });
}

/** A weight in another layout or type: that of the value which the products read. What was rounded to the stored type stays so. */
function converted(tensor: Tensor, site: WeightSite, layout: "kn" | "nk", dataType: number): Tensor {
  if (layout === site.stored && dataType === tensor.dataType) return tensor;
  return Tensor.fromFloat32(dataType, layout === "kn" ? [site.k, site.n] : [site.n, site.k], inLayout(float32Of(tensor), site, site.stored, layout));
}
