/** Which output is the task's: the one named, the one called `logits`, else the only float output that fits. */
import { noLogits, outputUnknown } from "../errors/runtime.ts";
import { isFloating } from "../ir/data-type.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { LOGITS } from "../passes/present-logits.ts";
import { vocabularySize } from "./task-inputs.ts";

/** The logits, [batch, C] or [batch, sequence, V]; undefined where no output fits. Throws where `name` is no output. */
export function findLogits(graph: Graph, name?: string): Value | undefined {
  if (name !== undefined) {
    const named = graph.outputs.find((v) => v.name === name);
    if (named === undefined) throw outputUnknown(name, graph.outputs.map((v) => v.name));
    return named;
  }
  const called = graph.outputs.find((v) => v.name === LOGITS);
  if (called !== undefined) return called;
  const floats = graph.outputs.filter((v) => isFloating(v.dataType));
  const [only, ...others] = floats;
  if (others.length === 0 && only?.shape?.length === 2 && only.shape[1] !== undefined) return only;
  // One number for each token of the vocabulary: hidden states have another width, and a decoder's caches have four axes.
  const vocabulary = vocabularySize(graph);
  const [scores, ...more] = floats.filter((v) => v.shape?.length === 3 && vocabulary !== undefined && v.shape[2] === vocabulary);
  return more.length === 0 ? scores : undefined;
}

/** The logits, or the error that tells what to do. */
export function requireLogits(graph: Graph, name?: string): Value {
  const found = findLogits(graph, name);
  if (found === undefined) throw noLogits(graph.outputs.map((v) => v.name));
  return found;
}
