/** Which records go into which batch. */

import { Random } from "../random.ts";

/** How records are put into batches. */
export interface BatchPlan {
  readonly batchSize: number;
  /** Random order, drawn anew for every epoch; else the order of the file. */
  readonly shuffle: boolean;
  readonly seed: number;
  /** From 0. */
  readonly epoch: number;
  /** Records of like length together, so that little is padded. */
  readonly byLength: boolean;
}

/** Records are sorted by length within this many batches, as in Hugging Face's group_by_length: enough to pad little, few enough to stay random. */
const MEGA_BATCH = 50;

/** Stream 0 of a seed draws first values; epoch e has stream 1 + e. */
const FIRST_EPOCH_STREAM = 1;

/**
 * Indices of N records, batch by batch; each record stands in exactly one, and only the last batch may be short.
 * - shuffled: a random order; with `byLength` sorted within 50 batches each, after which the full batches are put in random order
 * - else: consecutive records; with `byLength` longest first (memory runs out at once or never). `restoreOrder` undoes it.
 */
export function planBatches(lengths: readonly number[], plan: BatchPlan): number[][] {
  const longestFirst = (a: number, b: number): number => (lengths[b] ?? 0) - (lengths[a] ?? 0);
  if (!plan.shuffle) {
    const order = lengths.map((_, i) => i);
    return chunks(plan.byLength ? order.sort(longestFirst) : order, plan.batchSize);
  }
  const random = new Random(plan.seed, FIRST_EPOCH_STREAM + plan.epoch);
  const order = random.permutation(lengths.length);
  if (!plan.byLength) return chunks(order, plan.batchSize);
  // Sorting is stable: equal lengths keep their random order. Sorted parts are multiples of a batch, so none straddles two of them.
  const sorted = chunks(order, plan.batchSize * MEGA_BATCH).flatMap((part) => part.sort(longestFirst));
  const batches = chunks(sorted, plan.batchSize);
  const full = batches.filter((batch) => batch.length === plan.batchSize);
  return [...random.shuffle(full), ...batches.slice(full.length)];
}

/** Results that came batch by batch, one a record, put in the order of the file. */
export function restoreOrder<T>(batches: readonly (readonly number[])[], results: readonly (readonly T[])[]): T[] {
  const ordered: T[] = [];
  for (const [b, batch] of batches.entries()) {
    for (const [row, index] of batch.entries()) ordered[index] = results[b]?.[row] as T;
  }
  return ordered;
}

/** Consecutive pieces of a list, the last perhaps short. */
export function chunks(items: readonly number[], size: number): number[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
