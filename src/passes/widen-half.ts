/**
 * Brings a graph that computes in 16 bits to float32: a step of AdamW at 5e-3 drowns in half precision's rounding. For the training view alone.
 *
 * Requires: constants are initializers. Guarantees: no value of a node is float16 or bfloat16; weights keep their bytes and are cast once, when
 * the session starts; inputs keep their types. Rules: (1) a 16-bit constant or input that is read gets a Cast; (2) a Cast to 16 bits becomes
 * one to float32; (3) attributes that make 16-bit values make float32.
 */
import { int, tensor as tensorAttribute, type Attribute } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { Tensor } from "../ir/tensor.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyNode } from "../ir/nested.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { inferGraph } from "../ops/infer.ts";

const isHalf = (dataType: number): boolean => dataType === DataType.FLOAT16 || dataType === DataType.BFLOAT16;

/** Attributes that name the type of what a node makes: Cast's and its kin's. */
const TYPE_ATTRIBUTES = ["to", "dtype", "output_dtype"];

/** The opset since which Cast is told its type as everything else is; no transformer is older. */
const NAMED_TYPES = 6;

/** Returns how many constants, inputs and nodes it widened. */
export function widenHalf(model: Model): number {
  if (model.opset < NAMED_TYPES || !holdsHalf(model.graph)) return 0;
  const fired = widenGraph(model.graph, model);
  inferGraph(model.graph, model.opsets);
  return fired;
}

/** Whether a node computes in 16 bits: reading a stored half through a Cast is no computing. */
function holdsHalf(graph: Graph): boolean {
  return everyNode(graph).some((node) => node.outputs.some((o) => o !== undefined && isHalf(o.dataType)));
}

function widenGraph(graph: Graph, model: Model): number {
  let fired = 0;
  for (const node of graph.nodes) {
    for (const name of TYPE_ATTRIBUTES) {
      const a = node.attributes.get(name);
      if (a?.kind === "int" && isHalf(Number(a.value))) {
        node.attributes.set(name, int(DataType.FLOAT));
        fired += 1;
      }
    }
    const value = node.attributes.get("value");
    const wide = value === undefined ? undefined : widened(value);
    if (wide !== undefined) node.attributes.set("value", wide);
    for (const sub of node.subgraphs) fired += widenGraph(sub, model);
    for (const output of node.outputs) forget(output);
  }
  const nested = graph.parent !== undefined;
  // What a loop hands its body is wide by now.
  if (nested) graph.inputs.forEach(forget);
  for (const value of [...graph.initializers, ...graph.inputs]) {
    if (!isHalf(value.dataType)) continue;
    if (nested) fired += widenOutputs(graph, value, model);
    const uses = value.uses.filter(({ node }) => node.opType !== "Cast" && node.opType !== "CastLike");
    const [first] = uses;
    if (first === undefined) continue;
    const cast = new OpBuilder(graph, { opsets: model.opsets, origin: "widen-half", before: graph.nodes[0] }).Cast(value, { to: DataType.FLOAT });
    for (const { node, index } of uses) node.setInput(index, cast);
    fired += 1;
  }
  return fired;
}

/** A branch that gives away a constant gives it away wide. */
function widenOutputs(graph: Graph, value: Value, model: Model): number {
  if (!graph.outputs.includes(value)) return 0;
  const cast = new OpBuilder(graph, { opsets: model.opsets, origin: "widen-half" }).Cast(value, { to: DataType.FLOAT });
  graph.outputs.forEach((output, i) => { if (output === value) graph.outputs[i] = cast; });
  return 1;
}

/** What was known of a value's type holds no more. */
function forget(value: Value | undefined): void {
  if (value === undefined || !isHalf(value.dataType)) return;
  value.facts = { dataType: DataType.FLOAT, shape: value.shape };
  value.declared = undefined;
}

function widened(value: Attribute): Attribute | undefined {
  if (value.kind !== "tensor" || !isHalf(value.value.dataType)) return undefined;
  const numbers = value.value.toNumbers();
  return numbers === undefined ? undefined : tensorAttribute(Tensor.fromFloat32(DataType.FLOAT, value.value.dims, Float32Array.from(numbers)));
}
