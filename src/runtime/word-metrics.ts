/** Metrics of a class for each word: of the words, and of the entities that their tags make. */
import { logitsDoNotFit } from "../errors/data.ts";
import { figuresOf, type ClassFigures } from "./class-counts.ts";
import { IGNORED_LABEL } from "./data/task-data.ts";
import { areSchemed, asTag, entitiesOf, type Entity } from "./entities.ts";
import { argmax, CROSS_ENTROPY, ONE_CLASS, type Classified, type Count } from "./metrics.ts";
import { classNames } from "./tasks/problem.ts";

/** Logits of N rows of T tokens for C classes, and as many labels; -100 where a token has none, as all but a word's first. */
export interface Tagged {
  readonly logits: Float32Array;
  /** [N, T, C]. */
  readonly dims: readonly number[];
  readonly labels: BigInt64Array;
  readonly indices: readonly number[];
}

/** How often entities of one type are both said and true, said, true. */
interface Tally {
  hits: number;
  said: number;
  true: number;
}

/**
 * Begins to count: loss and accuracy over the words, and precision, recall and F1 of the entities, of a type each and of all together, as seqeval counts them.
 * `names` are the classes'.
 */
export function countWords(names: readonly string[] | undefined): Required<Count<Tagged>> {
  const [loss, accuracy] = [CROSS_ENTROPY.start(), ONE_CLASS.start()];
  const tallies = new Map<string, Tally>();
  const sort = (entities: readonly Entity[], count: (tally: Tally) => void): void => {
    for (const { type } of entities) {
      const tally = tallies.get(type) ?? { hits: 0, said: 0, true: 0 };
      tallies.set(type, tally);
      count(tally);
    }
  };
  return {
    add(batch) {
      const words = flat(batch);
      for (const count of [loss, accuracy]) count.add(words);
      for (const { said, truth } of tagsOf(batch, names)) {
        const [found, wanted] = [entitiesOf(said), entitiesOf(truth)];
        const known = new Set(wanted.map(key));
        sort(found, (tally) => { tally.said += 1; });
        sort(wanted, (tally) => { tally.true += 1; });
        sort(found.filter((entity) => known.has(key(entity))), (tally) => { tally.hits += 1; });
      }
    },
    result() {
      const all = { hits: 0, said: 0, true: 0 };
      for (const tally of tallies.values()) for (const name of ["hits", "said", "true"] as const) all[name] += tally[name];
      const { precision, recall, f1 } = figuresOf(all.hits, all.said, all.true);
      return { ...loss.result(), accuracy: accuracy.result().accuracy ?? NaN, precision, recall, f1 };
    },
    classes: () => [...tallies].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, tally]): ClassFigures => ({ label, ...figuresOf(tally.hits, tally.said, tally.true) })),
  };
}

function key({ type, from, to }: Entity): string {
  return `${String(from)} ${String(to)} ${type}`;
}

/** Every token a row of its own. */
function flat({ logits, dims, labels, indices }: Tagged): Classified {
  const [rows = 0, tokens = 0, classes = 0] = dims;
  if (dims.length !== 3) throw logitsDoNotFit(dims, logits.length, labels.length);
  return { logits, dims: [rows * tokens, classes], labels, indices: indices.flatMap((index) => new Array<number>(tokens).fill(index)) };
}

/** Of each row the tags of its words: those that the model says, and the true ones. */
function tagsOf({ logits, dims, labels }: Tagged, names: readonly string[] | undefined): { said: string[]; truth: string[] }[] {
  const [rows = 0, tokens = 0, classes = 0] = dims;
  const known = classNames(classes, names);
  const schemed = areSchemed(known);
  const tagOf = (cls: number): string => asTag(known[cls] ?? "O", schemed);
  return Array.from({ length: rows }, (_, row) => {
    const words = Array.from({ length: tokens }, (_, t) => row * tokens + t).filter((place) => Number(labels[place]) !== IGNORED_LABEL);
    return {
      // A row with NaN says nothing: its index is -1.
      said: words.map((place) => tagOf(argmax(logits.subarray(place * classes, (place + 1) * classes)))),
      truth: words.map((place) => tagOf(Number(labels[place]))),
    };
  });
}
