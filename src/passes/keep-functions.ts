/**
 * Carries a change of a model whose functions were written out back to the model that has them: new values of constants go where the constants
 * stand, in the graph or in a function's body.
 *
 * Requires: both were read from one message; of the one that `inlineFunctions` wrote out, only the values of constants were changed since. Guarantees:
 * everything
 * else of the model stays, the message too; a function that is called several times changes for all calls; where a change has no such place,
 * nothing is changed.
 */
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { everyGraph } from "../ir/nested.ts";
import { attributeProto, graphProto, nodeProto, tensorProto, type FunctionProto, type NodeProto, type TensorProto } from "../ir/proto/generated/schema.ts";
import { Tensor } from "../ir/tensor.ts";
import type { InlinedFunctions } from "./inline-functions.ts";

/** What was changed of the model that was written out. */
export interface WrittenOut {
  readonly graph: Graph;
  readonly inlined: InlinedFunctions;
  /** What `constantsOf` said before the change. */
  readonly before: ReadonlyMap<Holder, Tensor>;
  /** Constants that both models got since they were read: this one's, and the other's that stands for it. */
  readonly added: ReadonlyMap<Value, Value>;
}

/** Gives `model`, which still has its functions, every value that changed. Returns whether all of them had a place there. */
export function keepFunctions(model: Model, { graph, inlined, before, added }: WrittenOut): boolean {
  const inGraph = new Map<TensorProto, Tensor>();
  const inAdded = new Map<Value, Tensor>();
  const inFunctions = new Map<NodeProto, Tensor>();
  for (const [holder, tensor] of constantsOf(graph)) {
    const old = before.get(holder);
    if (old === tensor) continue;
    const place = "attributes" in holder ? undefined : inlined.constants.get(holder);
    const twin = "attributes" in holder ? undefined : added.get(holder);
    if (place !== undefined) inFunctions.set(place.node, tensor);
    else if (twin !== undefined) inAdded.set(twin, tensor);
    else if (old?.carried !== undefined) inGraph.set(old.carried, tensor);
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

/** What holds a constant: a value, or the node of a Constant. */
type Holder = Value | Node;

/** Every constant of a graph and those nested in it. */
export function constantsOf(graph: Graph): Map<Holder, Tensor> {
  const found = new Map<Holder, Tensor>();
  for (const each of everyGraph(graph)) {
    for (const value of each.initializers) if (value.initializer !== undefined) found.set(value, value.initializer);
    for (const node of each.nodes) {
      const a = node.opType === "Constant" && node.domain === "" ? node.attributes.get("value") : undefined;
      if (a?.kind === "tensor") found.set(node, a.value);
    }
  }
  return found;
}

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
  const t = tensorProto({
    ...(name === undefined ? {} : { name }), ...(docString === undefined ? {} : { docString }), ...(metadataProps === undefined ? {} : { metadataProps }),
    ...(unknownFields === undefined ? {} : { unknownFields }), dims: [...dims], dataType, ...(data === undefined ? {} : { rawData: data }),
  });
  return nodeProto({ ...node, attribute: [attributeProto({ ...old, name: "value", type: 4, t })] });
}
