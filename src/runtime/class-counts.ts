/** What classes are found and missed, counted: precision, recall and F1 of each and of all, as scikit-learn has them with zero_division=0. Nothing of a record is kept. */

/** One class's figures. */
export interface ClassFigures {
  /** Its name, where it isn't that of the class by number: what entities are of. */
  readonly label?: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** How many records are of this class. */
  readonly support: number;
}

/** Classes by number. A record may be of one, of several or of none. */
export class ClassCounts {
  /** Of each class: how often it is both said and true, said, true. */
  readonly #hits: number[] = [];
  readonly #said: number[] = [];
  readonly #true: number[] = [];

  /** Counts for one class of one record. */
  add(cls: number, isSaid: boolean, isTrue: boolean): void {
    while (this.#hits.length <= cls) for (const counts of [this.#hits, this.#said, this.#true]) counts.push(0);
    const [hits, said, truth] = [this.#hits[cls] ?? 0, this.#said[cls] ?? 0, this.#true[cls] ?? 0];
    if (isSaid && isTrue) this.#hits[cls] = hits + 1;
    if (isSaid) this.#said[cls] = said + 1;
    if (isTrue) this.#true[cls] = truth + 1;
  }

  /** A class's figures; zeros where it never came up. */
  of(cls: number): ClassFigures {
    return figuresOf(this.#hits[cls] ?? 0, this.#said[cls] ?? 0, this.#true[cls] ?? 0);
  }

  /** The first `count` classes' figures. */
  each(count: number): ClassFigures[] {
    return Array.from({ length: count }, (_, cls) => this.of(cls));
  }

  /** All classes counted together. */
  micro(): ClassFigures {
    return figuresOf(sum(this.#hits), sum(this.#said), sum(this.#true));
  }

  /** The mean of the F1 of those of the first `count` classes which were said or true: scikit-learn knows of no others. NaN where there are none. */
  macroOfSeen(count: number): number {
    return this.macro(Array.from({ length: count }, (_, cls) => cls).filter((cls) => (this.#said[cls] ?? 0) + (this.#true[cls] ?? 0) > 0));
  }

  /** The mean of these classes' F1. */
  macro(classes: readonly number[]): number {
    return sum(classes.map((cls) => this.of(cls).f1)) / classes.length;
  }

  /**
   * Matthews' correlation coefficient where each record is of one class and one is said of it, by Gorodkin's formula for any number of classes;
   * 0 where all records are of one class, or one class is said of all.
   */
  matthews(): number {
    const records = sum(this.#true);
    const agreed = sum(this.#hits) * records - sum(this.#true.map((t, cls) => t * (this.#said[cls] ?? 0)));
    const spread = (counts: readonly number[]): number => records * records - sum(counts.map((n) => n * n));
    const scale = Math.sqrt(spread(this.#said)) * Math.sqrt(spread(this.#true));
    return records === 0 ? NaN : scale === 0 ? 0 : agreed / scale;
  }
}

/** Of so many hits, sayings and truths. */
export function figuresOf(hits: number, said: number, truths: number): ClassFigures {
  const over = (n: number): number => (n === 0 ? 0 : hits / n);
  return { precision: over(said), recall: over(truths), f1: 2 * over(said + truths), support: truths };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
