/**
 * Gives the logits of the next token for rows of tokens that grow. With a cache, where the export takes and gives one, each token is computed once; without, every row is
 * computed from its beginning for each token.
 */
import { cacheIncomplete, decoderInput } from "../../errors/generation.ts";
import type { Feed } from "../data/collate.ts";
import { elementKind } from "../data/element-kind.ts";
import type { InputSpec } from "../data/field.ts";
import { canFill, fillInput } from "../data/fill-inputs.ts";
import { isCache, isCacheSwitch, madeInput } from "../data/made-inputs.ts";
import type { GraphSession } from "../session.ts";

/** What a decoder is made of. */
export interface DecoderOptions {
  readonly session: GraphSession;
  readonly inputs: readonly InputSpec[];
  /** The graph's outputs by name. */
  readonly outputs: readonly string[];
  /** The output [rows, sequence, V], or [rows, 1, V] of the last position. */
  readonly logits: string;
  /** Off to compute rows anew where there is a cache. */
  readonly useCache?: boolean | undefined;
}

/** A row of the next step: which row of this one it goes on from, and by which token. */
export interface Continuation {
  readonly parent: number;
  readonly token: number;
}

/** Rows that grow token by token. */
export interface Decoder {
  /** Whether each token is computed once. */
  readonly hasCache: boolean;
  /** Begins with rows of one length. Gives the logits [V] of what comes next, for each. */
  begin(rows: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** Goes on: the rows from now on, in this order. */
  next(rows: readonly Continuation[]): Promise<Float32Array[]>;
}

/** Throws where the graph takes an input that neither tokens nor a cache fill, or takes a cache and gives none. */
export function openDecoder(options: DecoderOptions): Decoder {
  const { inputs } = options;
  const unknown = inputs.find((spec) => spec.name !== "input_ids" && !canFill(spec.name) && madeInput(spec) === undefined);
  if (unknown !== undefined || !inputs.some(({ name }) => name === "input_ids")) throw decoderInput(unknown?.name);
  const caches = cachesOf(options);
  return caches.length > 0 && options.useCache !== false ? new CachedDecoder(options, caches) : new PlainDecoder(options);
}

/** Computes rows from their beginning each time. */
class PlainDecoder implements Decoder {
  readonly hasCache = false;
  readonly #options: DecoderOptions;
  #rows: readonly (readonly number[])[] = [];

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  async begin(rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
    this.#rows = rows;
    const { session, inputs, logits } = this.#options;
    const length = rows[0]?.length ?? 0;
    const made = await session.run(feedsOf(inputs, rows, length), [logits]);
    return lastRows(made.get(logits), length);
  }

  async next(rows: readonly Continuation[]): Promise<Float32Array[]> {
    return this.begin(rows.map(({ parent, token }) => [...this.#rows[parent] ?? [], token]));
  }
}

/** Which output of one step is which input of the next. */
interface Cache {
  readonly spec: InputSpec;
  readonly output: string;
}

/** Feeds what was computed of earlier tokens. */
class CachedDecoder implements Decoder {
  readonly hasCache = true;
  readonly #options: DecoderOptions;
  readonly #caches: readonly Cache[];
  #kept = new Map<string, Feed>();
  #length = 0;

  constructor(options: DecoderOptions, caches: readonly Cache[]) {
    this.#options = options;
    this.#caches = caches;
  }

  async begin(rows: readonly (readonly number[])[]): Promise<Float32Array[]> {
    this.#kept = new Map();
    this.#length = rows[0]?.length ?? 0;
    return this.#run(feedsOf(this.#options.inputs, rows, this.#length), this.#length);
  }

  async next(rows: readonly Continuation[]): Promise<Float32Array[]> {
    this.#length += 1;
    const inOrder = rows.map(({ parent }) => parent);
    const size = this.#kept.values().next().value?.dims[this.#batchAxis] ?? 0;
    const stays = inOrder.length === size && inOrder.every((parent, i) => parent === i);
    if (!stays) this.#kept = new Map([...this.#kept].map(([name, feed]) => [name, pickRows(feed, inOrder, this.#batchAxis)]));
    const feeds = feedsOf(this.#options.inputs, rows.map(({ token }) => [token]), this.#length);
    for (const [name, feed] of this.#kept) feeds.set(name, feed);
    return this.#run(feeds, 1);
  }

  get #batchAxis(): number {
    return this.#caches[0]?.spec.shape.length === 5 ? 1 : 0;
  }

  async #run(feeds: ReadonlyMap<string, Feed>, added: number): Promise<Float32Array[]> {
    const { session, logits } = this.#options;
    const made = await session.run(feeds, [logits, ...this.#caches.map(({ output }) => output)]);
    this.#kept = new Map(this.#caches.flatMap(({ spec, output }) => { const feed = made.get(output); return feed === undefined ? [] : [[spec.name, asType(feed, spec)]]; }));
    return lastRows(made.get(logits), added);
  }
}

/** Inputs that hold what is remembered, each with the output that gives it back: `past_key_values.0.key` and `present.0.key`. */
function cachesOf({ inputs, outputs }: DecoderOptions): Cache[] {
  const taken = inputs.filter(isCache);
  const given = new Map(outputs.map((name) => [name.replace(/^present(_key_values)?/, ""), name] as const));
  const caches = taken.flatMap((spec) => { const output = given.get(spec.name.replace(/^past(_key_values)?/, "")); return output === undefined ? [] : [{ spec, output }]; });
  if (caches.length > 0 && caches.length < taken.length) throw cacheIncomplete(taken.find((spec) => !caches.some((cache) => cache.spec === spec))?.name ?? "");
  return caches;
}

/** What the graph is fed for rows of equal length that are the last of `length` tokens each; caches are empty. */
function feedsOf(inputs: readonly InputSpec[], rows: readonly (readonly number[])[], length: number): Map<string, Feed> {
  const added = rows[0]?.length ?? 0;
  return new Map(inputs.map((spec): [string, Feed] => {
    if (isCacheSwitch(spec)) return [spec.name, { dataType: spec.dtype, dims: [1], data: elementKind(spec).pack(Float64Array.of(Number(added < length))) }];
    const made = spec.name === "input_ids" ? undefined : madeInput(spec);
    if (made !== undefined) return [spec.name, made(rows.length)];
    // A length that the graph fixes is filled up behind the row, where nothing before it looks.
    const width = typeof spec.shape[1] === "number" ? spec.shape[1] : spec.name === "attention_mask" ? length : added;
    const mask = Array.from({ length: Math.max(width, length) }, (_, i) => Number(i < length));
    const filled = spec.name === "input_ids" ? undefined : fillInput(spec.name, mask)?.values.slice(spec.name === "attention_mask" || width > added ? 0 : length - added);
    const values = new Float64Array(rows.length * width);
    for (const [row, ids] of rows.entries()) values.set(filled ?? ids, row * width);
    return [spec.name, { dataType: spec.dtype, dims: [rows.length, width], data: elementKind(spec).pack(values) }];
  }));
}

/** Each row's logits at its last token. A graph that gives the last position alone gives one. */
function lastRows(logits: Feed | undefined, added: number): Float32Array[] {
  const [rows = 0, positions = 0, size = 0] = logits?.dims ?? [];
  const data = logits?.data as Float32Array;
  const at = Math.min(positions, added) - 1;
  return Array.from({ length: rows }, (_, row) => data.slice((row * positions + at) * size, (row * positions + at + 1) * size));
}

/** What a session hands on as float32 goes back in 16 bits where it came from there. */
function asType(feed: Feed, spec: InputSpec): Feed {
  return feed.dataType === spec.dtype ? feed : { dataType: spec.dtype, dims: feed.dims, data: elementKind(spec).pack(Float64Array.from(feed.data as Float32Array)) };
}

function pickRows({ dataType, dims, data }: Feed, rows: readonly number[], axis: number): Feed {
  const size = dims[axis] ?? 0;
  const lead = dims.slice(0, axis).reduce((a, b) => a * b, 1);
  const stride = data.length / (lead * size);
  const picked = new (data.constructor as new (length: number) => Float32Array)(lead * rows.length * stride);
  for (let i = 0; i < lead; i += 1) {
    for (const [at, row] of rows.entries()) picked.set((data as Float32Array).subarray((i * size + row) * stride, (i * size + row + 1) * stride), (i * rows.length + at) * stride);
  }
  return { dataType, dims: dims.map((dim, i) => (i === axis ? rows.length : dim)), data: picked };
}
