/** What can be wrong with a model's own functions. */
import { HutError, list, plain, quote } from "./hut-error.ts";

/** More functions than ONNX Runtime reads. */
export function tooManyFunctions(file: string, count: number, limit: number): HutError {
  return new HutError("TOO_MANY_FUNCTIONS", { file, count, limit },
    `${quote(file)} defines ${String(count)} functions; at most ${String(limit)} are read. No exporter writes so many: `
    + "take the model from a source you trust.");
}

/** Calls inside of calls, deeper than ONNX Runtime goes. */
export function functionsTooDeep(file: string, name: string, limit: number): HutError {
  return new HutError("FUNCTIONS_TOO_DEEP", { file, function: name, limit },
    `${quote(file)}: the calls below the function ${quote(name)} are nested more than ${String(limit)} deep, which ONNX Runtime refuses too. `
    + "Export the model again.");
}

/** A function that leads back to itself; `path` is the circle. */
export function recursiveFunction(file: string, path: readonly string[]): HutError {
  return new HutError("RECURSIVE_FUNCTION", { file, path },
    `${quote(file)}: the function ${quote(path[0] ?? "")} calls itself (${list(path.map(quote), 12)}), which ONNX forbids. The file is damaged; `
    + "export the model again.");
}

/** A small file that asks for more nodes than memory holds. */
export function functionsTooLarge(file: string, limit: number): HutError {
  return new HutError("FUNCTIONS_TOO_LARGE", { file, limit },
    `${quote(file)}: with its functions written out the graph would have more than ${String(limit)} nodes. No exporter writes that: `
    + "take the model from a source you trust.");
}

/** A call whose body the model's graph can't say; `why` completes "it can't be written out". */
export function functionNotInlinable(file: string, name: string, call: string, why: string): HutError {
  return new HutError("FUNCTION_NOT_INLINABLE", { file, function: name, call, why },
    `${quote(file)}: the function ${quote(name)}, called by node ${quote(call)}, can't be written out: ${plain(why)}. `
    + `Export the model without functions, or with one version of each operator set.`);
}
