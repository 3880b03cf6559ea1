/** Examples → one batch of tensors. */

import { elementCount } from "../../ir/sizes.ts";
import { elementKind, type TensorData } from "./element-kind.ts";
import type { Example } from "./examples.ts";
import type { Field, InputSpec } from "./field.ts";
import { madeInput } from "./made-inputs.ts";
import { CLASS_NUMBERS, type LabelKind } from "./task-data.ts";

/** One tensor to feed: ONNX element type, shape with the batch first, values (float16 as its bits). */
export interface Feed {
  readonly dataType: number;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** N examples, ready to be fed. */
export interface Batch {
  /** By the name of the graph's input; rows of tokens are [N, T], or [N·R, T] where each example is R rows. */
  readonly feeds: ReadonlyMap<string, Feed>;
  /** [N], [N, T] (one a token) or [N, C] (one a class); `none` of their kind for padding and where an example has none. */
  readonly labels: Feed;
  /** N. */
  readonly size: number;
  /** Tokens that count, padding left out. */
  readonly tokens: number;
  /** N · T (N · R · T): what the graph computes. */
  readonly paddedTokens: number;
  /** Which examples these are, by their place in the file. */
  readonly indices: readonly number[];
}

/** What short rows are filled up with, by input; 0 in all others. */
export interface Padding {
  readonly input_ids: number;
  /** The row of tokens that labels go with, one a token; `input_ids` where not given. */
  readonly labelled?: string | undefined;
  /** What labels are; class numbers where not given. */
  readonly labels?: LabelKind | undefined;
}

/**
 * Puts the examples at `indices` into one tensor an input, padded at the end to the longest row of the batch, or to the length that the graph
 * fixes. Examples must come from one `toExamples` with the same inputs.
 */
export function collate(examples: readonly Example[], indices: readonly number[], inputs: readonly InputSpec[], padding: Padding): Batch {
  const records = indices.map((index) => {
    const example = examples[index];
    if (!example) throw new RangeError(`there is no example ${String(index)} among ${String(examples.length)}`);
    return example;
  });
  const chosen = records.flatMap((example): Pick<Example, "fields" | "line">[] => [...(example.rows ?? [example])]);
  const feeds = new Map(inputs.map((spec) => {
    const make = chosen[0]?.fields.has(spec.name) === true ? undefined : madeInput(spec);
    return [spec.name, make?.(chosen.length) ?? inputFeed(chosen, spec, spec.name === "input_ids" ? padding.input_ids : 0)];
  }));
  const rows = feeds.get("input_ids")?.dims[1] ?? records.reduce((longest, { length }) => Math.max(longest, length), 0);
  const labelled = feeds.get(padding.labelled ?? "input_ids")?.dims[1] ?? rows;
  const { dtype, none, perToken } = padding.labels ?? CLASS_NUMBERS;
  return {
    feeds,
    labels: feed(records.map(({ labels }) => labels ?? { dims: [], values: [none] }), { name: "labels", dtype, shape: [undefined, perToken ? labelled : undefined] }, none),
    size: records.length,
    tokens: records.reduce((sum, { tokens }) => sum + tokens, 0),
    paddedTokens: chosen.length * rows,
    indices,
  };
}

function inputFeed(chosen: readonly Pick<Example, "fields" | "line">[], spec: InputSpec, pad: number): Feed {
  return feed(chosen.map(({ fields, line }) => {
    const field = fields.get(spec.name);
    if (!field) throw new RangeError(`the example of line ${String(line)} has no values for ${spec.name}`);
    return field;
  }), spec, pad);
}

/** Rows are filled up with `pad`; anything else is of one shape. */
function feed(fields: readonly Field[], spec: InputSpec, pad: number): Feed {
  const dims = [...(fields[0]?.dims ?? [])];
  if (dims.length === 1) dims[0] = rowLength(fields.map(({ values }) => values.length), spec);
  const stride = elementCount(dims);
  const values = new Float64Array(fields.length * stride).fill(pad);
  for (const [row, field] of fields.entries()) values.set(field.values, row * stride);
  return { dataType: spec.dtype, dims: [fields.length, ...dims], data: elementKind(spec).pack(values) };
}

/** The length the graph fixes for a row of tokens, else the longest of the batch. */
function rowLength(lengths: readonly number[], { shape }: InputSpec): number {
  const fixed = shape[1];
  return typeof fixed === "number" ? fixed : lengths.reduce((longest, length) => Math.max(longest, length), 0);
}
