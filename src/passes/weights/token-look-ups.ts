/** Finds where token ids become vectors: the look-ups of an embedding's rows by the input that holds the ids. */
import type { Graph, Node } from "../../ir/graph.ts";
import { definitionOf } from "../../ops/registry.ts";

/** The input that text becomes. */
export const TOKEN_IDS = "input_ids";

/** What looks rows up; of ONNX Runtime's own, those of a matrix of 4-bit numbers. */
const LOOK_UPS = new Set(["Gather", "GatherBlockQuantized"]);

/** The nodes that read rows of a matrix by the ids as they come, through whatever hands them on; of positions that are computed from ids, none. */
export function tokenLookUps(graph: Graph): Node[] {
  const ids = graph.inputs.find((v) => v.name === TOKEN_IDS);
  const open = ids === undefined ? [] : [ids];
  const seen = new Set(open);
  const found: Node[] = [];
  for (const value of open) {
    for (const { node, index } of value.uses) {
      if (LOOK_UPS.has(node.opType) && index === 1 && node.inputs[0]?.shape?.length === 2) found.push(node);
      if (index !== 0 || definitionOf(node)?.carries?.(node) === undefined) continue;
      for (const output of node.outputs) if (output !== undefined && !seen.has(output)) { seen.add(output); open.push(output); }
    }
  }
  return found;
}
