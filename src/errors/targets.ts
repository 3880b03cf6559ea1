/** What can be wrong with what is asked to be trained: the method, the weights, their rank, the head. */
import { HutError, list, quote } from "./hut-error.ts";

/** A name that no method has. */
export const methodUnknown = (method: string, known: readonly string[]): HutError => new HutError("UNKNOWN_METHOD", { method, known },
  `There is no method ${JSON.stringify(method)}; there ${known.length === 1 ? "is" : "are"} ${list(known)}.`, { exitCode: 2 });

/** An entry of --target-modules between slashes that JavaScript can't read. */
export const badTargetPattern = (target: string, cause: unknown): HutError => new HutError("BAD_TARGET_PATTERN", { target },
  `${quote(target)} in --target-modules is not a regular expression: ${cause instanceof Error ? cause.message : String(cause)}.`, { exitCode: 2, cause });

/** An entry of --target-modules that chooses nothing; `nearest` are the names most like it, `roles` those that the model's weights have. */
export const noWeightMatches = (target: string, nearest: readonly string[], roles: readonly string[]): HutError => {
  const what = nearest.length === 0 ? "the graph has no weights that could be adapted" : `the nearest names are ${list(nearest.map(quote))}`;
  return new HutError("NO_WEIGHT_MATCHES", { target, nearest, roles },
    `No weight matches ${quote(target)} of --target-modules; ${what}. \`onnx-hut inspect MODEL\` lists all weights.`);
};

/** A rank that a weight [k, n] can't have. */
export const rankOutOfRange = (rank: number, modulePath: string, [k, n]: readonly [k: number, n: number]): HutError =>
  new HutError("RANK_OUT_OF_RANGE", { rank, modulePath, shape: [k, n] },
    `The rank ${String(rank)} doesn't fit ${quote(modulePath)}, a weight of [${String(k)}, ${String(n)}]: `
    + `it must be a whole number from 1 to ${String(Math.min(k, n))}.`);

/** A kernel of a convolution, and a method that has no form for one. */
export const kernelUnsupported = (method: string, modulePath: string): HutError => new HutError("KERNEL_UNSUPPORTED", { method, modulePath },
  `The method ${quote(method)} adapts no kernels of convolutions, and ${quote(modulePath)} is one. Leave it out of --target-modules, or choose hut or lora.`);

/** A bias that has to be updated with its weight, and stands as something else than floats. */
export const biasUnreadable = (method: string, modulePath: string): HutError => new HutError("BIAS_UNREADABLE", { method, modulePath },
  `The method ${quote(method)} updates the bias of ${quote(modulePath)} too, and that is no constant of floats here. Choose another method, or a base that isn't quantized.`);

/** A method that trains modules whole, and a model without one that is chosen. */
export const nothingToTrain = (method: string, wanted: string): HutError => new HutError("NOTHING_TO_TRAIN", { method },
  `The method ${quote(method)} finds nothing to train here: the model has ${wanted}. Choose another method, or name modules with --modules-to-save.`);

/** Two weights of one module that are to be trained whole: an exporter wrote one twice, and no folder could keep both. */
export const wholeTwice = (name: string): HutError => new HutError("WHOLE_TWICE", { name },
  `The graph holds ${quote(name)} twice, so it can't be trained whole: the two would part. Choose a method that adapts other weights, or export the model with the weight once.`);

/** A flag of low-rank products, and a method that has none such. */
export const flagNotOfMethod = (flag: string, method: string): HutError => new HutError("FLAG_NOT_OF_METHOD", { flag, method },
  `${flag} says nothing to the method ${quote(method)}. Leave it out.`, { exitCode: 2 });

/** An output for a head to stand on whose last size is no number; `shape` as text. */
export const widthUnknown = (output: string, shape: string): HutError => new HutError("UNKNOWN_WIDTH", { output },
  `The width of the output ${quote(output)} ${shape} is not known, so no head can be attached. Export the model with a fixed hidden size.`);

/** No output [batch, sequence, width], or `fitting` of several; `outputs` have their shapes as text. */
export const noHiddenStates = (name: string | undefined, fitting: readonly string[], outputs: ReadonlyMap<string, string>): HutError => {
  const shown = [...outputs].map(([output, shape]) => `${quote(output)} ${shape}`);
  return new HutError("NO_HIDDEN_STATES", { outputs: [...outputs.keys()] }, fitting.length === 0
    ? `--head needs ${name === undefined ? "an output" : `the output ${quote(name)} to be`} [batch, sequence, width]; the model has ${list(shown)}.`
    : `--head needs one output [batch, sequence, width] to stand on and finds ${list(fitting.map(quote))}. Name one with --output.`);
};

/** A way of pooling that leaves padding out, and a model whose inputs don't tell it. */
export const noAttentionMask = (pooling: string, mask: string, inputs: readonly string[]): HutError => new HutError("NO_ATTENTION_MASK", { pooling },
  `--head ${pooling} needs the input "${mask}" to know which tokens count; the model has ${list(inputs.map(quote))}. `
  + "Use --head cls, or export the model with a mask.");

/** A module to be trained whole that has no one layout. */
export const readBothWays = (modulePath: string): HutError => new HutError("READ_BOTH_WAYS", { modulePath },
  `${quote(modulePath)} can't be trained whole: some products read its weight as it is and some transposed. `
  + "Leave it out of --modules-to-save, or adapt it instead.");
