/** Which output is the task's: the one named, the one called `logits`, else the only float output that fits. */
import { noLogits, outputUnknown } from "../errors/runtime.ts";
import { isFloating } from "../ir/data-type.ts";
import type { Graph, Value } from "../ir/graph.ts";

const LOGITS = "logits";

/** The logits of a classification graph, [batch, C]; undefined where no output fits. Throws where `name` is no output. */
export function findLogits(graph: Graph, name?: string): Value | undefined {
  if (name !== undefined) {
    const named = graph.outputs.find((v) => v.name === name);
    if (named === undefined) throw outputUnknown(name, graph.outputs.map((v) => v.name));
    return named;
  }
  const called = graph.outputs.find((v) => v.name === LOGITS);
  if (called !== undefined) return called;
  const fitting = graph.outputs.filter((v) => isFloating(v.dataType) && v.shape?.length === 2 && (v.shape[1] !== undefined));
  const [only, ...others] = graph.outputs.filter((v) => isFloating(v.dataType));
  return others.length === 0 && only !== undefined && fitting.includes(only) ? only : undefined;
}

/** The logits, or the error that tells what to do. */
export function requireLogits(graph: Graph, name?: string): Value {
  const found = findLogits(graph, name);
  if (found === undefined) throw noLogits(graph.outputs.map((v) => v.name));
  return found;
}
