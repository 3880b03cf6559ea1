/** What can be wrong with a graph once its bytes are decoded. */
import { HutError, list, plain, quote } from "./hut-error.ts";

export function duplicateValue(file: string, name: string): HutError {
  return new HutError("DUPLICATE_VALUE", { file, name },
    `${quote(file)} defines the value ${quote(name)} twice; every value of a graph needs a name of its own. Export the model again.`);
}

export function duplicateAttribute(file: string, name: string, node: string): HutError {
  return new HutError("DUPLICATE_ATTRIBUTE", { file, name, node },
    `${quote(file)}: ${node} has the attribute ${quote(name)} twice. The file is damaged; export the model again.`);
}

export function undefinedValue(file: string, name: string, node: string): HutError {
  return new HutError("UNDEFINED_VALUE", { file, name, node },
    `${quote(file)}: ${node} reads ${quote(name)}, which nothing in the graph makes. The file is damaged or was cut by another tool; export the model again.`);
}

export function cyclicGraph(file: string, detail: string): HutError {
  return new HutError("CYCLIC_GRAPH", { file }, `${quote(file)} is not a valid model: ${detail}.`);
}

export function inputExists(name: string): HutError {
  return new HutError("INPUT_EXISTS", { input: name },
    `The model has an input ${quote(name)} of its own, and the training graph needs that name. Export the model without it.`);
}

/** More of something than any exporter writes; `what` is "nodes", "initializers", "inputs" or "outputs". */
export function graphTooLarge(file: string, what: string, limit: number): HutError {
  return new HutError("GRAPH_TOO_LARGE", { file, what, limit },
    `${quote(file)}: its graph has more than ${String(limit)} ${what}. No exporter writes that: take the model from a source you trust.`);
}

/** A node that reads or makes more values than any exporter writes. */
export function nodeTooWide(file: string, node: string, limit: number): HutError {
  return new HutError("NODE_TOO_WIDE", { file, node, limit },
    `${quote(file)}: ${node} has more than ${String(limit)} inputs or outputs. No exporter writes that: take the model from a source you trust.`);
}

export function missingGraph(file: string): HutError {
  return new HutError("NO_GRAPH", { file }, `${quote(file)} holds no graph: it is an empty or cut-off ONNX file. Export the model again.`);
}

export function missingOpset(file: string): HutError {
  return new HutError("NO_OPSET", { file },
    `${quote(file)} doesn't say which operator sets it speaks, which stands behind the graph: the file is cut short. Copy or download it again.`);
}

export function impossibleVersion(file: string, what: string, version: number): HutError {
  return new HutError("IMPOSSIBLE_VERSION", { file, version }, `${quote(file)} says that it has version ${String(version)} of ${what}, and there is none. The file is damaged; export it again.`);
}

/** What a pass has to write can't be said in the graph's opset; `what` completes "in which …". */
export function opsetLacks(opset: number, what: string): HutError {
  return new HutError("OPSET_LACKS", { opset }, `The graph speaks opset ${String(opset)}, in which ${what}. Convert the model to opset 17 or newer (onnx.version_converter), or export it again.`);
}

export function isOpsetLacks(error: unknown): error is HutError {
  return error instanceof HutError && error.code === "OPSET_LACKS";
}

export function tensorMismatch(file: string, name: string, detail: string): HutError {
  return new HutError("TENSOR_MISMATCH", { file, name },
    `${quote(file)}: the tensor ${quote(name)} ${detail}. The file is damaged; export or download it again.`);
}

export function badExternalData(file: string, name: string, detail: string): HutError {
  return new HutError("BAD_EXTERNAL_DATA", { file, name }, `${quote(file)}: the external data of tensor ${quote(name)} ${detail}.`);
}

export function noGradient(node: { opType: string; name: string; domain: string }, path: readonly string[], why: string): HutError {
  const operator = node.domain === "" ? node.opType : `${node.domain}::${node.opType}`;
  return new HutError("NO_GRADIENT", { node: node.name, op: operator, path }, `No gradient rule for ${plain(operator)}, node ${quote(node.name)}${why === "" ? "" : ` (${plain(why)})`}. `
    + `The loss reaches the trained weights through it: ${bothEnds(path.map(plain))}. Choose targets that don't lie before it, or write its rule in src/ops.`);
}

/** Steps shown at each end of a long way. */
const SHOWN_STEPS = 7;

/** A way from a weight to the loss: what lies in the middle of a long one is left out, and stands in the error's details. */
function bothEnds(path: readonly string[]): string {
  if (path.length <= 2 * SHOWN_STEPS + 1) return path.join(" → ");
  return [...path.slice(0, SHOWN_STEPS), `${String(path.length - 2 * SHOWN_STEPS)} more`, ...path.slice(-SHOWN_STEPS)].join(" → ");
}

export function unreachedWeight(names: readonly string[]): HutError {
  return new HutError("UNREACHED_WEIGHT", { weights: names },
    `The loss does not depend on ${list(names.map(quote))}: no gradient reaches ${names.length === 1 ? "it" : "them"}. `
    + "Choose other targets, or another output.");
}

export function noTokenEmbedding(inputs: readonly string[]): HutError {
  return new HutError("NO_TOKEN_EMBEDDING", { inputs },
    `The model looks up no embedding by an input "input_ids", so that no score of a word can be computed. Its inputs are ${list(inputs.map(quote))}. Words have scores in models of text alone.`);
}

export function wrongGradientShape(op: string, node: string, detail: string): HutError {
  return new HutError("WRONG_GRADIENT", { op, node },
    `The gradient rule of ${plain(op)} made something of the wrong shape or type at node ${quote(node)}: ${detail}. This is a bug in onnx-hut.`);
}

export function failedRule(op: string, node: string, cause: unknown): HutError {
  return new HutError("RULE_FAILED", { op, node },
    `${plain(op)}, node ${quote(node)}, can't be differentiated here: ${plain(cause instanceof Error ? cause.message : String(cause))}.`, { cause });
}
