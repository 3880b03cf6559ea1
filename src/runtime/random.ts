/** Random numbers that are the same on every platform: sfc32, a seeded generator whose state can be kept. */

/** A generator's whole state: four unsigned 32-bit numbers, fit for JSON. */
export type RandomState = readonly [number, number, number, number];

/**
 * sfc32 (Chris Doty-Humphrey's small fast counting generator, 128 bits of state, passes PractRand): additions, shifts and xors of 32-bit
 * integers alone, so every JavaScript engine gives the same numbers. A seed has many streams, which have nothing in common: stream 0 draws the
 * first values of parameters, stream 1 + e the order of epoch e (from 0).
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed`: an integer from 0 to 2^53 − 1; `stream`: from 0 to 2^32 − 1. */
  constructor(seed: number, stream = 0) {
    this.#a = stream | 0;
    this.#b = seed | 0;
    this.#c = Math.floor(seed / 2 ** 32) | 0;
    // Rounds are invertible, so two seeds or streams never meet; 20 of them are more than PractRand runs to stir the state.
    for (let i = 0; i < 20; i++) this.#next();
  }

  /** The state, to go on from later. */
  get state(): RandomState {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#counter >>> 0];
  }

  set state([a, b, c, counter]: RandomState) {
    [this.#a, this.#b, this.#c, this.#counter] = [a | 0, b | 0, c | 0, counter | 0];
  }

  /** A number in [low, high), 53 random bits. */
  uniform(low = 0, high = 1): number {
    const upper = this.#next() >>> 5;
    const lower = this.#next() >>> 6;
    return low + (high - low) * ((upper * 2 ** 26 + lower) * 2 ** -53);
  }

  /** An integer from 0 to n − 1, each as likely (1 ≤ n ≤ 2^32). */
  below(n: number): number {
    // What lies above the last full multiple of n would make small results likelier: it is drawn again.
    const limit = 2 ** 32 - (2 ** 32 % n);
    let drawn = this.#next();
    while (drawn >= limit) drawn = this.#next();
    return drawn % n;
  }

  /** The integers 0 to n − 1 in random order (Fisher–Yates). */
  permutation(n: number): number[] {
    return this.shuffle(Array.from({ length: n }, (_, i) => i));
  }

  /** Puts a list in random order, in place, and returns it. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const moved = items[i] as T;
      items[i] = items[j] as T;
      items[j] = moved;
    }
    return items;
  }

  /** The next unsigned 32-bit number. */
  #next(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}
