/** What can be wrong with a loss that the user brings as a graph. */
import { HutError, list, quote } from "./hut-error.ts";

/** A loss that reads something else than the model gives. */
export const lossInputUnknown = (file: string, input: string, known: readonly string[]): HutError => new HutError("LOSS_INPUT_UNKNOWN", { file, input, known },
  `The loss ${quote(file)} reads ${quote(input)}, which the model doesn't give. It may read ${list(known.map(quote), 20)}.`);

/** A loss that doesn't depend on what is trained. */
export const lossWithoutLogits = (file: string, inputs: readonly string[]): HutError => new HutError("LOSS_WITHOUT_LOGITS", { file, inputs },
  `The loss ${quote(file)} has no input "logits" and so nothing to learn; its inputs are ${list(inputs.map(quote))}. Name the one that takes the logits so.`);

/** An input of the loss that what it is given doesn't fit. */
export const lossInputWrong = (file: string, input: string, wanted: string, given: string): HutError => new HutError("LOSS_INPUT_WRONG", { file, input, wanted, given },
  `The loss ${quote(file)} takes ${quote(input)} as ${wanted}, and here it is ${given}. Export it for such values, with sizes of batch and sequence left free.`);

/** A loss that makes no loss. */
export const lossOutputsWrong = (file: string, outputs: readonly string[]): HutError => new HutError("LOSS_OUTPUTS_WRONG", { file, outputs },
  `The loss ${quote(file)} has the outputs ${list(outputs.map(quote))}. It needs one float32 number "loss", the mean over the batch, or two of them, "loss_sum" and "count".`);

/** Operators of the loss that the model's opset has otherwise, or not yet. */
export const lossOpset = (file: string, opType: string, own: number, model: number): HutError => new HutError("LOSS_OPSET", { file, opType, own, model },
  `The loss ${quote(file)} is of opset ${String(own)}, the model of ${String(model)}, and ${quote(opType)} means something else there. Export the loss in opset ${String(model)}.`);

/** Operators of one more domain in two versions. */
export const lossDomain = (file: string, domain: string, own: number, model: number): HutError => new HutError("LOSS_OPSET", { file, domain, own, model },
  `The loss ${quote(file)} takes version ${String(own)} of ${quote(domain)}, the model version ${String(model)}. Export both with the same.`);

/** A task whose loss isn't one of logits and labels. */
export const lossOfOtherTask = (task: string): HutError => new HutError("LOSS_OF_OTHER_TASK", { task },
  `--loss brings a loss of logits and labels, and --task ${task} has none. Leave one of them out.`, { exitCode: 2 });
