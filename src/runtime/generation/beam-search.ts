/**
 * Beam search for one prompt, as transformers' `generate` does it with `early_stopping=False` (generation/utils.py, `_beam_search`, 5.24): of all continuations of all beams the best are
 * kept; those that end compete, by their log probability over length^penalty, for as many places as there are beams; the search is over when the best open beam could not
 * get in any more.
 */
import { banRepeated, logSoftmax } from "./next-token.ts";

export interface BeamSettings {
  readonly beams: number;
  /** Above 0 longer texts are favoured, below 0 shorter ones. */
  readonly lengthPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly eosIds: readonly number[];
  /** Most tokens that are added. */
  readonly maxNewTokens: number;
}

interface Beam {
  /** What was added to the prompt. */
  readonly tokens: readonly number[];
  /** The sum of its log probabilities; of one that has ended, over its length^penalty. */
  readonly score: number;
}

/** What a beam of the next step goes on from. */
export interface Continued {
  /** Its place among the beams of this step. */
  readonly parent: number;
  readonly token: number;
}

/** The score of what isn't there, as transformers has it. */
const NONE = -1e9;

/** One prompt's beams. */
export class BeamSearch {
  readonly #prompt: readonly number[];
  readonly #settings: BeamSettings;
  #open: readonly Beam[];
  #ended: readonly Beam[] = [];
  #canImprove = true;

  constructor(prompt: readonly number[], settings: BeamSettings) {
    this.#prompt = prompt;
    this.#settings = settings;
    this.#open = [{ tokens: [], score: 0 }];
  }

  /** How many beams there are to be given logits: 1 at first. */
  get size(): number {
    return this.#open.length;
  }

  get isDone(): boolean {
    return !this.#canImprove || (this.#open[0]?.tokens.length ?? 0) >= this.#settings.maxNewTokens;
  }

  /** The best text there is, without the prompt. */
  get best(): readonly number[] {
    return (this.#ended[0] ?? this.#open[0])?.tokens ?? [];
  }

  /** Takes every beam's logits [V], and says what the beams are that come next. */
  advance(logits: readonly Float32Array[]): Continued[] {
    const { beams, lengthPenalty, noRepeatNgramSize, eosIds, maxNewTokens } = this.#settings;
    const length = (this.#open[0]?.tokens.length ?? 0) + 1;
    // So many that enough are left to go on with, should as many as can be end.
    const candidates = new Best<Continued>(Math.max(2, 1 + eosIds.length) * beams);
    for (const [parent, { tokens, score }] of this.#open.entries()) {
      const probabilities = logSoftmax(logits[parent] ?? new Float32Array());
      banRepeated(probabilities, [...this.#prompt, ...tokens], noRepeatNgramSize);
      for (let token = 0; token < probabilities.length; token += 1) {
        const reached = Math.fround(score + (probabilities[token] ?? NONE));
        // A vocabulary is long and few of it are kept: what isn't makes no object.
        if (candidates.takes(reached)) candidates.offer(reached, { parent, token });
      }
    }
    const ends = ({ token }: Continued): boolean => eosIds.includes(token) || length >= maxNewTokens;
    const found = candidates.items.map(({ score, item }) => ({ score, item, beam: { tokens: [...this.#open[item.parent]?.tokens ?? [], item.token], score } }));
    const finished = this.#canImprove ? found.slice(0, beams).filter(({ item }) => ends(item)) : [];
    const contenders = [...this.#ended, ...finished.map(({ beam }) => ({ ...beam, score: Math.fround(beam.score / length ** lengthPenalty) }))];
    this.#ended = contenders.map((beam, i) => ({ beam, i })).sort((a, b) => b.beam.score - a.beam.score || a.i - b.i).slice(0, beams).map(({ beam }) => beam);
    const going = found.filter(({ item }) => !ends(item)).slice(0, beams);
    const rest = going.length > 0 ? going : found.slice(0, beams);
    this.#open = rest.map(({ beam }) => beam);
    const worst = this.#ended.length < beams ? NONE : this.#ended.at(-1)?.score ?? NONE;
    this.#canImprove &&= Math.fround((rest[0]?.score ?? NONE) / length ** lengthPenalty) > worst;
    return rest.map(({ item }) => item);
  }
}

/** The best of what is offered, as many as asked for, best first; of equal ones the earlier. */
class Best<T> {
  readonly items: { readonly score: number; readonly item: T }[] = [];
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Whether what has this score would be kept. */
  takes(score: number): boolean {
    return this.items.length < this.#size || score > (this.items[this.#size - 1]?.score ?? NONE);
  }

  offer(score: number, item: T): void {
    if (!this.takes(score)) return;
    let at = this.items.length;
    while (at > 0 && (this.items[at - 1]?.score ?? NONE) < score) at -= 1;
    this.items.splice(at, 0, { score, item });
    if (this.items.length > this.#size) this.items.pop();
  }
}
