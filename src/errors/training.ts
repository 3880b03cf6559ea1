/** What can be wrong with how a training is to go, and how one ends that can't go on. */
import { HutError, list, quote } from "./hut-error.ts";

const usage = (code: string, details: Readonly<Record<string, unknown>>, message: string): HutError => new HutError(code, details, message, { exitCode: 2 });

/** A setting of a cross entropy, for a task that has another loss. */
export const lossSettingOfOtherTask = (flag: string, task: string, takes: string): HutError => usage("LOSS_SETTING_OF_OTHER_TASK", { flag, task },
  `${flag} is for ${takes}, and what is learned is ${task}. Leave it out.`);

/** Batches in which each record is held against the others: small ones don't add up to a large one. */
export const batchMatters = (task: string): HutError => usage("BATCH_MATTERS", { task },
  `--grad-accumulation-steps adds up batches, and --task ${task} holds each record against the others of its batch: small ones don't add up to a large one. Give a larger --batch-size.`);

export const classWeightsCount = (given: number, classes: number): HutError => usage("CLASS_WEIGHTS_COUNT", { given, classes },
  `--class-weights gives ${String(given)} weights, and the model has ${String(classes)} classes. Give one for each, in the order of the classes' numbers.`);

export const classWeightWrong = (word: string): HutError => usage("CLASS_WEIGHT_WRONG", { word },
  `--class-weights must be numbers of at least 0, one for each class and some of them greater, or the word balanced, and holds ${quote(word)}.`);

export const classWithoutRecords = (file: string, classes: readonly string[]): HutError => new HutError("CLASS_WITHOUT_RECORDS", { file, classes },
  `--class-weights balanced weighs a class by how many records it has, and ${quote(file)} has none of ${list(classes.map(quote))}. Give the weights as numbers.`);

export const lrGroupWrong = (word: string, groups: readonly string[]): HutError => usage("LR_GROUP_WRONG", { word, groups },
  `--lr-groups ${quote(word)} is no group with its rate. Write GROUP=RATE, or GROUP=FACTORx for a multiple of --lr, as in b=16x,head=1e-4; the groups are ${list(groups)}.`);

export const lrGroupEmpty = (group: string): HutError => usage("LR_GROUP_EMPTY", { group },
  `--lr-groups names the group ${group}, and nothing that is trained is in it. Leave it out.`);

export const lrGroupOfNothing = (word: string): HutError => usage("LR_GROUP_OF_NOTHING", { word },
  `--lr-groups ${quote(word)} is a rate of its own, and --lr is 0: the schedule would have nothing to follow. Give the rate to --lr, and 0 to the other groups.`);

export const dropoutHasNoProduct = (flag: string, module: string | undefined): HutError => new HutError("DROPOUT_HAS_NO_PRODUCT", { flag, module: module ?? null },
  `${flag} drops what goes into a product, and ${module === undefined ? "no module is trained whole that has one" : `${quote(module)} has none in the training graph`}. Leave it out.`);

/** What stopped being a number in a step. */
export type NotFinite = "loss" | "gradient" | "parameters";

/** Where NaN or infinity came from. */
export interface BadTensor {
  /** What computed it; undefined for what is fed. */
  readonly op: string | undefined;
  readonly node: string | undefined;
  readonly module: string | undefined;
  readonly tensor: string;
  readonly shape: string;
  /** NaN may also be infinities of both signs. */
  readonly kind: "NaN" | "infinity";
  /** Of what is fed: the lines of the data file that hold it. */
  readonly lines: readonly number[];
  readonly part: "data" | "weights" | "forward" | "loss" | "gradient" | "update";
}

export const lossNotFinite = (step: number, what: NotFinite, value: number, bad?: BadTensor): HutError =>
  new HutError("LOSS_NOT_FINITE", { step, what, [what]: String(value), loss: String(value), tensor: bad ?? null },
    `${HEADS[what](String(value))} at step ${String(step)}${bad === undefined ? "" : `: ${origin(bad)}`}. Training stopped with the last good state saved. ${advice(bad)}`);

const HEADS: Readonly<Record<NotFinite, (value: string) => string>> = {
  loss: (value) => `The loss is ${value}`,
  gradient: (value) => `The gradient's norm is ${value}, the loss still a number,`,
  parameters: (value) => `What is trained would hold ${value}, the loss and the gradient still numbers,`,
};

const PARTS: Readonly<Record<BadTensor["part"], string>> = {
  data: "the data", weights: "the model's own weights", forward: "the forward pass", loss: "the loss", gradient: "the gradient", update: "AdamW's update",
};

const KINDS: Readonly<Record<BadTensor["kind"], string>> = { NaN: "NaN, or infinities of both signs,", infinity: "infinity" };

function origin({ op, node, module, tensor, shape, kind, lines, part }: BadTensor): string {
  if (op === undefined || node === undefined) return `${quote(tensor)} of ${PARTS[part]} holds ${KINDS[kind]}${lines.length === 0 ? "" : `, in line ${list(lines.map(String))} of the data file`}`;
  return `the first tensor that holds ${KINDS[kind]} is ${quote(tensor)} ${shape} of ${PARTS[part]}, which ${op} ${quote(node)} computes${module === undefined ? "" : ` in ${quote(module)}`}`;
}

function advice(bad: BadTensor | undefined): string {
  if (bad?.part === "data") return "Mend these records.";
  if (bad?.part === "weights") return "The model file is broken: export it again.";
  return "Try a smaller --lr, or a smaller --max-grad-norm.";
}
