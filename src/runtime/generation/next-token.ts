/**
 * Which token comes next: a row's logits, changed as the settings ask, and one drawn from them or the largest taken. What is changed, and in which order, is as transformers' `generate` has it
 * (generation/logits_process.py): n-grams that may not come again, temperature, top-k, top-p.
 */
import type { Random } from "../random.ts";

/** How tokens are chosen. */
export interface Sampling {
  /** Drawn rather than the likeliest taken. */
  readonly sample: boolean;
  /** Logits are divided by it: below 1 the likely become likelier. */
  readonly temperature: number;
  /** Only the K likeliest are drawn from; 0 for all. */
  readonly topK: number;
  /** Only the likeliest that together have this probability are drawn from; 1 for all. */
  readonly topP: number;
}

/** Rules out tokens that would complete an n-gram which stands in `ids` already. `size` 0: none. Changes `logits`. */
export function banRepeated(logits: Float32Array, ids: readonly number[], size: number): void {
  if (size === 0 || ids.length < size) return;
  const suffix = size - 1;
  const from = ids.length - suffix;
  for (let start = 0; start + suffix < ids.length; start += 1) {
    let same = 0;
    while (same < suffix && ids[start + same] === ids[from + same]) same += 1;
    const next = ids[start + suffix];
    if (same === suffix && next !== undefined && next < logits.length) logits[next] = -Infinity;
  }
}

/** The place of the largest number, the first of equal ones; 0 where there is none. */
export function largest(numbers: Float32Array): number {
  let best = 0;
  for (let i = 1; i < numbers.length; i += 1) if ((numbers[i] ?? 0) > (numbers[best] ?? 0)) best = i;
  return best;
}

/** The next token of a row. `logits` [V] may be changed. */
export function nextToken(logits: Float32Array, { sample, temperature, topK, topP }: Sampling, random: Random): number {
  if (!sample) return largest(logits);
  const kept = likeliest(logits, { temperature, topK, topP });
  const total = kept.reduce((sum, { weight }) => sum + weight, 0);
  let left = random.uniform(0, total);
  for (const { token, weight } of kept) {
    left -= weight;
    if (left < 0) return token;
  }
  return kept.at(-1)?.token ?? 0;
}

/** What a row is drawn from: tokens, likeliest first, with e^(logit / temperature − the largest such). */
export function likeliest(logits: Float32Array, { temperature, topK, topP }: Omit<Sampling, "sample">): { readonly token: number; readonly weight: number }[] {
  const top = (logits[largest(logits)] ?? 0) / temperature;
  const all = Array.from(logits, (logit, token) => ({ token, weight: Math.exp(logit / temperature - top) })).filter(({ weight }) => weight > 0);
  all.sort((a, b) => b.weight - a.weight || a.token - b.token);
  // Tokens as likely as the last of the K stay, as in transformers.
  const least = topK > 0 ? all[Math.min(topK, all.length) - 1]?.weight ?? 0 : 0;
  const first = all.filter(({ weight }) => weight >= least);
  if (topP >= 1) return first;
  const total = first.reduce((sum, { weight }) => sum + weight, 0);
  let before = 0;
  return first.filter(({ weight }, i) => {
    const stays = i === 0 || before < topP * total;
    before += weight;
    return stays;
  });
}

/** log softmax, in float32 as the runtime would have it. */
export function logSoftmax(logits: Float32Array): Float32Array {
  const top = logits[largest(logits)] ?? 0;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  const normalizer = Math.log(sum);
  const made = new Float32Array(logits.length);
  for (let i = 0; i < made.length; i += 1) made[i] = (logits[i] ?? 0) - top - normalizer;
  return made;
}
