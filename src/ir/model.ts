/** A model: a graph, the operator sets it speaks, and what travels with it. */
import type { FunctionProto, ModelProto } from "./proto/generated/schema.ts";
import type { TensorContext } from "./proto/tensor.ts";
import { Graph } from "./graph.ts";

export class Model {
  irVersion: number;
  /** Domain → version; "" is ONNX's own. */
  readonly opsets: Map<string, number>;
  graph: Graph;
  /** Model-local functions, carried through; `readFunction` links one where its nodes are wanted. */
  functions: FunctionProto[] = [];
  /** Where the tensors of its messages come from: what is read from a carried message, such as a function, needs it. */
  tensors: TensorContext = { file: "the model", openExternal: undefined };
  readonly metadata = new Map<string, string>();
  /** What the IR has no word for (producer, training info, unknown fields), carried through. */
  carried: ModelProto | undefined;

  constructor(irVersion: number, opsets: ReadonlyMap<string, number>, graph: Graph = new Graph()) {
    this.irVersion = irVersion;
    this.opsets = new Map(opsets);
    this.graph = graph;
  }

  /** The version of ONNX's own operator set. */
  get opset(): number {
    return this.opsets.get("") ?? 1;
  }
}
