/**
 * Carries a change of a model whose functions were written out back to the model that has them: new values of constants go where the constants
 * stand, in the graph or in a function's body.
 *
 * Requires: `inlined` was the same model, with its functions written out by `inlineFunctions`; only the values of constants were changed since. Guarantees: everything
 * else of the model stays, and a function that is called several times changes for all of them; where a change has no such place, nothing is changed.
 */
import type { Model } from "../ir/model.ts";
import { everyGraph } from "../ir/nested.ts";
import { attributeProto, graphProto, nodeProto, tensorProto, type FunctionProto, type NodeProto, type TensorProto } from "../ir/proto/generated/schema.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { Tensor } from "../ir/tensor.ts";
import type { InlinedFunctions } from "./inline-functions.ts";

/** The constants of a model with its functions written out, as they were. */
export class ConstantsBefore {
  readonly #tensors: ReadonlyMap<object, Tensor>;
  readonly #inlined: InlinedFunctions;

  constructor(graph: Graph, inlined: InlinedFunctions) {
    this.#tensors = new Map(constantsOf(graph));
    this.#inlined = inlined;
  }

  /**
   * Gives `model`, which still has its functions, every value that `graph` has by now; `added` tells which constants that both got since the file was
   * read are the same. Returns whether all of them had a place there.
   */
  carryBack(graph: Graph, model: Model, added: ReadonlyMap<Value, Value>): boolean {
    const inGraph = new Map<TensorProto, Tensor>();
    const inAdded = new Map<Value, Tensor>();
    const inFunctions = new Map<NodeProto, Tensor>();
    for (const [holder, tensor] of constantsOf(graph)) {
      const before = this.#tensors.get(holder);
      if (before === tensor) continue;
      const place = this.#inlined.constants.get(holder as Value);
      const twin = added.get(holder as Value);
      if (place !== undefined) inFunctions.set(place.node, tensor);
      else if (twin !== undefined) inAdded.set(twin, tensor);
      else if (before?.carried !== undefined) inGraph.set(before.carried, tensor);
      else return false;
    }
    for (const [holder, tensor] of constantsOf(model.graph)) {
      const changed = tensor.carried === undefined ? undefined : inGraph.get(tensor.carried);
      if (changed !== undefined) setTensor(holder, new Tensor(changed.dataType, changed.dims, changed.data, tensor.carried, false));
    }
    for (const [value, tensor] of inAdded) value.initializer = tensor;
    model.functions = model.functions.map((f) => withConstants(f, inFunctions));
    return true;
  }
}

/** Every constant of a graph and those nested in it, by what holds it: a value, or a Constant's node. */
function constantsOf(graph: Graph): (readonly [Holder, Tensor])[] {
  return everyGraph(graph).flatMap((each) => [
    ...[...each.initializers].flatMap((value) => (value.initializer === undefined ? [] : [[value, value.initializer] as const])),
    ...each.nodes.flatMap((node) => {
      const a = node.opType === "Constant" && node.domain === "" ? node.attributes.get("value") : undefined;
      return a?.kind === "tensor" ? [[node, a.value] as const] : [];
    }),
  ]);
}

type Holder = Value | Graph["nodes"][number];

function setTensor(holder: Holder, tensor: Tensor): void {
  if ("attributes" in holder) holder.attributes.set("value", { kind: "tensor", value: tensor });
  else holder.initializer = tensor;
}

/** The function with other values in some of its Constants, wherever in its body they stand; the very same where none is its own. */
function withConstants(f: FunctionProto, changed: ReadonlyMap<NodeProto, Tensor>): FunctionProto {
  const node = withConstantsIn(f.node, changed);
  return node === f.node ? f : { ...f, node };
}

function withConstantsIn(nodes: NodeProto[], changed: ReadonlyMap<NodeProto, Tensor>): NodeProto[] {
  const renewed = nodes.map((node) => {
    const tensor = changed.get(node);
    if (tensor !== undefined) return withValue(node, tensor);
    const attribute = node.attribute.map((a) => {
      const inside = a.g === undefined ? undefined : withConstantsIn(a.g.node, changed);
      return a.g === undefined || inside === undefined || inside === a.g.node ? a : attributeProto({ ...a, g: graphProto({ ...a.g, node: inside }) });
    });
    return attribute.every((a, i) => a === node.attribute[i]) ? node : nodeProto({ ...node, attribute });
  });
  return renewed.every((node, i) => node === nodes[i]) ? nodes : renewed;
}

/** A Constant with another value, whichever attribute held the old one; what is said of its tensor stays. */
function withValue(node: NodeProto, { dims, dataType, data }: Tensor): NodeProto {
  const old = node.attribute.find((a) => a.name === "value");
  const { name, docString, metadataProps, unknownFields } = old?.t ?? {};
  const t = tensorProto({ ...(name === undefined ? {} : { name }), ...(docString === undefined ? {} : { docString }), ...(metadataProps === undefined ? {} : { metadataProps }),
    ...(unknownFields === undefined ? {} : { unknownFields }), dims: [...dims], dataType, ...(data === undefined ? {} : { rawData: data }) });
  return nodeProto({ ...node, attribute: [attributeProto({ ...old, name: "value", type: 4, t })] });
}
