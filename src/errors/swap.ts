/** What can be wrong with an adapter that is to be swapped in: its .onnx_adapter file, and whether the graph has inputs for it. */
import { HutError, list, quote } from "./hut-error.ts";

const shapeText = (shape: readonly (number | string)[]): string => `[${shape.join(", ")}]`;

/** A file that is none, or one that is cut short or damaged; `problem` completes "…: ". */
export const onnxAdapterBroken = (file: string, problem: string): HutError => new HutError("ONNX_ADAPTER_BROKEN", { file, problem },
  `${quote(file)} is not a sound .onnx_adapter file: ${problem}. Fetch it again, or write it anew with the tool it came from.`);

/** A sound file that says what isn't understood; `why` completes "because …". */
export const onnxAdapterUnreadable = (file: string, why: string): HutError => new HutError("ONNX_ADAPTER_UNREADABLE", { file, why },
  `The adapter ${quote(file)} can't be read, because ${why}.`);

/** More bytes than the format can address. */
export const onnxAdapterTooLarge = (bytes: number, limit: number): HutError => new HutError("ONNX_ADAPTER_TOO_LARGE", { bytes, limit },
  `The adapter would hold ${String(bytes)} bytes of numbers, and .onnx_adapter takes up to ${String(limit)}. Save it as a folder: leave the ending away.`);

/** A graph without a single input that an adapter could be put in. */
export const notSwappable = (model: string): HutError => new HutError("NOT_SWAPPABLE", { model },
  `${quote(model)} has no inputs for adapters. Make such a graph with \`onnx-hut adapt MODEL --swappable\`.`);

/** What the graph says of its inputs doesn't hold; `problem` completes "…: ". */
export const swappableBroken = (model: string, problem: string): HutError => new HutError("SWAPPABLE_BROKEN", { model, problem },
  `What ${quote(model)} says of its inputs for adapters doesn't hold: ${problem}. Make it anew with \`onnx-hut adapt --swappable\`.`);

/** A tensor that the graph has no input for; `nearest` are the inputs most like it. */
export const swapInputMissing = (adapter: string, tensor: string, nearest: readonly string[]): HutError =>
  new HutError("SWAP_INPUT_MISSING", { adapter, tensor, nearest },
    `The adapter ${quote(adapter)} has ${quote(tensor)}, and the graph has no input for it`
    + `${nearest.length === 0 ? "" : `; the nearest are ${list(nearest.map(quote))}`}. `
    + "Either it is of another model, or the graph was made for adapters of other weights: make it with `onnx-hut adapt --swappable` and this adapter as --adapter.");

/** A tensor that doesn't fit its input. */
export const swapShapeMismatch = (adapter: string, tensor: string, have: readonly number[], want: readonly (number | string)[]): HutError =>
  new HutError("SWAP_SHAPE_MISMATCH", { adapter, tensor, have, want },
    `In the adapter ${quote(adapter)}, ${quote(tensor)} is ${shapeText(have)}, and the graph takes ${shapeText(want)}. It was trained on another base model.`);

/** Two parameters of one weight whose ranks differ, or one of them alone. */
export const swapRankMismatch = (adapter: string, tensors: readonly string[], ranks: readonly number[]): HutError =>
  new HutError("SWAP_RANK_MISMATCH", { adapter, tensors, ranks },
    `In the adapter ${quote(adapter)}, ${list(tensors.map(quote))} have the ranks ${list(ranks.map(String))}, and must have one (a tensor that is left out has 0). Save it again.`);

/** An adapter of another method than the graph computes. */
export const swapMethodDiffers = (adapter: string, method: string, own: string): HutError => new HutError("SWAP_METHOD_DIFFERS", { adapter, method, graph: own },
  `The adapter ${quote(adapter)} is a ${method} adapter, and the graph computes ${own}. Train one of that method.`);

/** A method asked of a session that was given back. */
export const swapDisposed = (): HutError => new HutError("SWAP_DISPOSED", {}, "This session was disposed of. Open the graph again.");

/** An adapter that another session loaded, or one that was given back. */
export const swapForeign = (adapter: string): HutError => new HutError("SWAP_FOREIGN", { adapter },
  `The adapter ${quote(adapter)} isn't one that this session holds: it was loaded by another, or disposed of. Load it here.`);

/** A method that has one W' for all rows of a batch. */
export const rowsMethodUnsupported = (method: string): HutError => new HutError("ROWS_METHOD_UNSUPPORTED", { method },
  `The method ${quote(method)} can't give each row of a batch an adapter of its own. Leave --per-row away.`, { exitCode: 2 });

/** A method whose parameters change something whatever their rank, or have none. */
export const swappableMethodUnsupported = (method: string): HutError => new HutError("SWAPPABLE_METHOD_UNSUPPORTED", { method },
  `Adapters of the method ${quote(method)} can't be swapped: only those of hut and lora come in as inputs of any rank. Write a graph for each adapter, and adapters as folders.`, { exitCode: 2 });

/** No input of a graph whose first size is free, and so no batch of rows. */
export const rowsBatchUnknown = (): HutError => new HutError("ROWS_BATCH_UNKNOWN", {},
  "--per-row needs a model whose batch is free, and no input of this one begins with a named size. Export it with a dynamic batch.");

/** A module that can't have tensors of its own for each row; `why` completes "…: ". */
export const rowsImpossible = (modulePath: string, why: string): HutError => new HutError("ROWS_IMPOSSIBLE", { modulePath, why },
  `--per-row can't give each row of a batch its own ${quote(modulePath)}: ${why}. Leave it out with --target-modules or --modules-to-save, or leave --per-row away.`);

/** Rows asked of a graph that has one adapter for all. */
export const rowsNotTaken = (model: string): HutError => new HutError("ROWS_NOT_TAKEN", { model },
  `${quote(model)} takes one adapter for all rows of a batch. Make a graph that takes one for each with \`onnx-hut adapt MODEL --swappable --per-row\`.`);

/** A batch of another size than the list of adapters in use. */
export const rowsDiffer = (input: string, batch: number, rows: number): HutError => new HutError("ROWS_DIFFER", { input, batch, rows },
  `The input ${quote(input)} has ${String(batch)} rows, and adapters are in use for ${String(rows)}. Call useRows with one for each row, or use with one for all.`);
