/** Groups of trained numbers, as torch's parameter groups: A, B and what is trained whole learn at rates of their own, and some may not be decayed. */
import { lrGroupEmpty, lrGroupOfNothing, lrGroupWrong } from "../errors/training.ts";
import { elementCount } from "../ir/sizes.ts";
import type { Trainable } from "../passes/adapt.ts";
import type { ThetaSegment } from "../passes/attach-optimizer.ts";
import type { TrainOptions } from "./options.ts";
import type { Prepared } from "./prepare.ts";

/** a and b are the factors of A·B, on the side of a weight's inputs and of its outputs; head is what is trained whole. */
export type GroupName = "a" | "b" | "head";
const GROUPS: readonly GroupName[] = ["a", "b", "head"];

/** A rate, or behind it `x` a multiple of --lr. */
const ENTRY = /^(\w+)=(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)(x?)$/i;

/**
 * What Hugging Face's Trainer leaves out of the decay, by name: transformers' get_decay_parameter_names. It knows LayerNorms by their class too; a graph has
 * none, and a norm's weight is a vector, as is a bias.
 */
const EXEMPT = [/bias/i, /layernorm/i, /rmsnorm/i, /(?:^|\.)norm(?:$|\.)/i, /_norm(?:$|\.)/i];

/** Theta's pieces in order; undefined where all of it is alike. Throws LR_GROUP_WRONG, LR_GROUP_EMPTY, LR_GROUP_OF_NOTHING. */
export function segmentsOf(prepared: Prepared, lr: number, { lrGroups = [], decayExempt = false }: Pick<TrainOptions, "lrGroups" | "decayExempt">): readonly ThetaSegment[] | undefined {
  if (lrGroups.length === 0 && !decayExempt) return undefined;
  const grouped = groupsOf(prepared);
  const factors = factorsOf(lrGroups, lr);
  const empty = [...factors.keys()].find((group) => !grouped.some((member) => member.group === group));
  if (empty !== undefined) throw lrGroupEmpty(empty);
  return grouped.map(({ trainable, group }) => ({
    length: elementCount(trainable.shape), rate: factors.get(group) ?? 1, decays: !(decayExempt && isExempt(trainable)),
  }));
}

/** `["b=16x", "head=1e-4"]`, as multiples of lr. */
export function factorsOf(words: readonly string[], lr: number): Map<GroupName, number> {
  const factors = new Map<GroupName, number>();
  for (const word of words) {
    const [, name, rate, times] = ENTRY.exec(word) ?? [];
    const group = GROUPS.find((known) => known === name?.toLowerCase());
    const value = Number(rate);
    if (group === undefined || factors.has(group) || !Number.isFinite(value)) throw lrGroupWrong(word, GROUPS);
    if (times === "" && lr === 0 && value > 0) throw lrGroupOfNothing(word);
    factors.set(group, times !== "" ? value : lr === 0 ? 0 : value / lr);
  }
  return factors;
}

function groupsOf({ adapted, trainables, method }: Prepared): { readonly trainable: Trainable; readonly group: GroupName }[] {
  const sides = new Map(adapted.flatMap(({ weight, parameters }) => {
    const specs = method.parameters(weight);
    return parameters.map((p, i) => [p, specs[i]?.axes.includes("out") === true ? "b" : "a"] as const);
  }));
  return trainables.map((trainable) => ({ trainable, group: sides.get(trainable) ?? "head" }));
}

function isExempt({ shape, modulePath, parameter }: Trainable): boolean {
  return shape.length <= 1 || EXEMPT.some((pattern) => pattern.test(`${modulePath}.${parameter}`));
}
