/** The settings in a run.json, checked: they become options of `train`, whose own come checked from the command line. */
import { checkpointBroken } from "../../errors/runtime.ts";
import { PROBLEMS, SCHEDULERS, TASKS } from "../options.ts";

/** What a setting must be, in words, and whether a value is. */
interface Kind {
  readonly words: string;
  readonly accepts: (value: unknown) => boolean;
}

const TEXT: Kind = { words: "a text", accepts: (value) => typeof value === "string" };
const TEXTS: Kind = { words: "a list of texts", accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string") };
const FLAG: Kind = { words: "true or false", accepts: (value) => typeof value === "boolean" };
const AMOUNT: Kind = { words: "a number of at least 0", accepts: (value) => typeof value === "number" && value >= 0 };
const ABOVE_0: Kind = { words: "a number above 0", accepts: (value) => typeof value === "number" && value > 0 };
const COUNT: Kind = { words: "a whole number of at least 1", accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1 };
const SEED: Kind = { words: "a whole number of at least 0", accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0 };
const oneOf = (words: readonly string[]): Kind => ({ words: `one of ${words.join(", ")}`, accepts: (value) => words.some((word) => word === value) });

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ["task", oneOf(TASKS)], ["problem", oneOf(PROBLEMS)], ["head", oneOf(["mean", "cls", "last"])], ["lrScheduler", oneOf(SCHEDULERS)],
  ...["train", "dev", "method", "adapter", "outputName", "tokenizer"].map((name) => [name, TEXT] as const),
  ...["targetModules", "modulesToSave"].map((name) => [name, TEXTS] as const),
  ...["rank", "numLabels", "batchSize", "maxSeqLength", "epochs", "maxSteps"].map((name) => [name, COUNT] as const),
  ["alpha", ABOVE_0], ...["lr", "weightDecay", "maxGradNorm", "warmupRatio"].map((name) => [name, AMOUNT] as const), ["shuffle", FLAG], ["seed", SEED],
]);

/** Throws CHECKPOINT_BROKEN where a setting of the run.json `file` is of another type or out of range; one that is unknown here says nothing. */
export function checkSettings(settings: Readonly<Record<string, unknown>>, file: string): void {
  for (const [name, kind] of KINDS) {
    if (Object.hasOwn(settings, name) && !kind.accepts(settings[name])) throw checkpointBroken(file, `its setting ${name} is not ${kind.words}`);
  }
}
