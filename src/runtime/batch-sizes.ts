/** The sizes of a batch, by the names that a graph's inputs give their axes. */
import { SymbolicDim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { isFloating } from "../ir/data-type.ts";
import type { Model } from "../ir/model.ts";
import { COUNTED, IGNORE_INDEX } from "../passes/attach-loss.ts";
import type { Feed } from "./data/collate.ts";
import { isCache, madeInput } from "./data/made-inputs.ts";
import { inputSpec } from "./task-inputs.ts";

export type Sizes = Readonly<Record<string, number>>;

/** b for each first axis, t for the second of rows of tokens and of what stands beside them; a decoder's cache is empty, and any other free axis is left out. */
export function sizesOfBatch(model: Model, b: number, t: number): Sizes {
  return {
    ...sizesBy(model, (input) => {
      const spec = inputSpec(input);
      const made = isCache(spec) ? madeInput(spec)?.(b).dims : undefined;
      return input.shape?.map((_, axis) => made?.[axis] ?? (axis === 0 ? b : axis === 1 && !isFloating(spec.dtype) ? t : undefined)) ?? [];
    }),
    [COUNTED]: b * (t - 1),
  };
}

/** The sizes of what is fed. */
export function sizesOfFeeds(model: Model, feeds: ReadonlyMap<string, Feed>): Sizes {
  return { ...sizesBy(model, ({ name }) => feeds.get(name)?.dims ?? []), [COUNTED]: countedLabels(feeds.get("labels")) };
}

/** How many next tokens of labels [b, s] count. */
function countedLabels(labels: Feed | undefined): number {
  const length = labels?.dims[1];
  if (!(labels?.data instanceof BigInt64Array) || length === undefined) return 0;
  return labels.data.reduce((count, label, i) => (i % length === 0 || label === BigInt(IGNORE_INDEX) ? count : count + 1), 0);
}

/** What several inputs name alike is of the first one's size. */
function sizesBy({ graph }: Model, sizesOf: (input: Value) => readonly (number | undefined)[]): Sizes {
  const sizes = new Map<string, number>();
  for (const input of graph.inputs) {
    const found = sizesOf(input);
    input.shape?.forEach((dim, axis) => {
      const size = found[axis];
      if (dim instanceof SymbolicDim && size !== undefined && !sizes.has(dim.key)) sizes.set(dim.key, size);
    });
  }
  return Object.fromEntries(sizes);
}
