/** How much memory a graph's run takes, counted from its shapes: known before a session is made, and so before a machine is out of it. */
import { byteLength, DataType } from "../ir/data-type.ts";
import { evaluateDim, numberOfElements } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { capturedValues, everyGraph } from "../ir/nested.ts";
import type { Sizes } from "./batch-sizes.ts";

/** Bytes, and where some of a graph's sizes can't be known, how many values were left out. */
export interface MemoryEstimate {
  /** Of the constants that are floats or integers of the model: what a session holds. */
  readonly weights: number;
  /** Of all that is alive at once while it runs, where that is the most. */
  readonly activations: number;
  readonly unknown: number;
}

/** Operators whose output is their input in another shape; the runtime gives it the same memory. */
const SAME_MEMORY = new Set(["Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"]);

/** Node, onnxruntime-node and this program, before a model is opened. */
const PROGRAM_BYTES = 130e6;

/**
 * Bytes that a process takes which trains so, about: what ONNX Runtime's arena takes too much and what its kernels put in place of their input nearly cancel. MiniLM-L6 had 282 MB for 8 × 32 tokens, 889 for
 * 32 × 128 and 1,110 for 16 × 256; this says 271, 1,052 and 1,203.
 */
export function processMemory({ weights, activations }: MemoryEstimate): number {
  return Math.round(PROGRAM_BYTES + weights + activations);
}

/**
 * The estimate for one batch, whose sizes go by the names of dimensions. A value lives from the node that makes it to the last that reads it, in the graph's order; the runtime's own reuse of an input's
 * memory for an output, and what its kernels need beside, are left out.
 */
export function estimateMemory({ graph }: Model, sizes: Sizes): MemoryEstimate {
  let unknown = 0;
  const bytesOf = (value: Value): number => {
    const { shape, dataType } = value;
    const count = shape === undefined ? undefined : evaluateDim(numberOfElements(shape), sizes);
    const bytes = count === undefined ? undefined : byteLength(dataType === 0 ? DataType.FLOAT : dataType, Math.max(0, count));
    if (bytes === undefined) unknown += 1;
    return bytes ?? 0;
  };
  let weights = 0;
  for (const nested of everyGraph(graph)) for (const { initializer } of nested.initializers) if (initializer !== undefined) weights += byteLength(initializer.dataType, initializer.size) ?? 0;
  const owner = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owner.get(value) ?? value;
  for (const node of graph.nodes) {
    const [input, output] = [node.inputs[0], node.outputs[0]];
    if (node.domain === "" && SAME_MEMORY.has(node.opType) && input !== undefined && output !== undefined) owner.set(output, ownerOf(input));
  }
  const last = new Map<Value, number>();
  graph.nodes.forEach((node, at) => {
    for (const value of [...node.inputs, ...capturedValues(node)]) if (value !== undefined) last.set(ownerOf(value), at);
  });
  for (const value of graph.outputs) last.set(ownerOf(value), Infinity);
  const dying = new Map<number, Value[]>();
  for (const [value, at] of last) if (value.initializer === undefined) dying.set(at, [...(dying.get(at) ?? []), value]);
  const held = new Map<Value, number>(graph.inputs.map((value) => [value, bytesOf(value)]));
  let alive = [...held.values()].reduce((a, b) => a + b, 0);
  let most = alive;
  graph.nodes.forEach((node, at) => {
    for (const value of node.outputs) {
      if (value === undefined || owner.has(value)) continue;
      const bytes = bytesOf(value);
      held.set(value, bytes);
      alive += bytes;
    }
    most = Math.max(most, alive);
    // What is fed stays the caller's.
    for (const value of dying.get(at) ?? []) if (!graph.inputs.includes(value)) alive -= held.get(value) ?? 0;
    // What nobody reads goes at once.
    for (const value of node.outputs) if (value !== undefined && !owner.has(value) && !last.has(value)) alive -= held.get(value) ?? 0;
  });
  return { weights, activations: most, unknown };
}
