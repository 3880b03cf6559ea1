/** The file that weights are copied to when a graph doesn't hold them: which bytes, and where in the file they go. */
import { ByteRange, ComputedBytes, type Source } from "../../ir/source.ts";

/** Alignment of weights in a data file: a page, so that they can be memory-mapped. */
const ALIGNMENT = 4096;

/** How much of a data file must still be wanted for its layout to be kept. Exporters leave gaps between weights, and little else. */
const MOST = 0.9;

interface Place {
  readonly offset: number;
  readonly range: ByteRange;
}

/**
 * Lays out ranges. Where they come from one data file and are most of it, they stay where they are there, so that the new file can be made as a copy in
 * which only changed weights are written over; what is new comes behind. Others are laid one after the other, on pages.
 */
export class WeightsFile {
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  readonly #places = new Map<string, Place>();

  /** `graph` is the model's own file, whose layout is that of a message. */
  constructor(name: string, ranges: Iterable<ByteRange>, graph: Source) {
    this.name = name;
    const wanted = new Map([...ranges].map((range) => [keyOf(range), range]));
    const kept = keptLayout([...wanted.values()], graph);
    for (const range of kept.ranges) this.#places.set(keyOf(range), { range, offset: range.offset });
    let size = kept.source?.size ?? 0;
    const behind = kept.source === undefined ? [...wanted] : [...wanted].filter(([key]) => !this.#places.has(key));
    const free = new FreePlaces(kept.ranges);
    for (const [key, range] of behind) {
      const place = range instanceof ComputedBytes && kept.source !== undefined ? free.take(range, kept.source) : undefined;
      const offset = place ?? Math.ceil(size / ALIGNMENT) * ALIGNMENT;
      this.#places.set(key, { range, offset });
      size = Math.max(size, offset + range.length);
    }
    this.size = size;
    if (kept.source !== undefined) this.#fillGaps(kept.source);
  }

  /** Where a range is. */
  place(range: ByteRange): { location: string; offset: number } {
    const place = this.#places.get(keyOf(range));
    if (place === undefined) throw new TypeError(`${range.source.name} has a range that was not laid out`);
    return { location: this.name, offset: place.offset };
  }

  /** The file's bytes, in order. */
  chunks(): (Uint8Array | ByteRange)[] {
    let at = 0;
    return [...this.#places.values()].sort((a, b) => a.offset - b.offset).flatMap(({ offset, range }) => {
      const end = offset + range.length;
      const from = Math.max(offset, at);
      const gap = offset > at ? [new Uint8Array(offset - at)] : [];
      at = Math.max(at, end);
      // Two weights may be the same bytes, or parts of them.
      if (from >= end) return gap;
      return [...gap, from === offset ? range : new ByteRange(range.source, range.offset + from - offset, end - from)];
    });
  }

  /** What lies between the weights stays too, so that the file is a copy. */
  #fillGaps(source: Source): void {
    let at = 0;
    for (const { offset, range } of [...this.#places.values()].sort((a, b) => a.offset - b.offset)) {
      const gap = new ByteRange(source, at, Math.min(offset, source.size) - at);
      if (gap.length > 0) this.#places.set(`gap ${String(at)}`, { offset: at, range: gap });
      at = Math.max(at, offset + range.length);
    }
    if (at < source.size) this.#places.set(`gap ${String(at)}`, { offset: at, range: new ByteRange(source, at, source.size - at) });
  }
}

/** The data file whose layout is kept, and its ranges that stay; none where weights come from several, or the file holds much else. */
function keptLayout(wanted: readonly ByteRange[], graph: Source): { source: Source | undefined; ranges: readonly ByteRange[] } {
  const origins = wanted.flatMap((range) => {
    const origin = range instanceof ComputedBytes ? range.replaces : range;
    return origin instanceof ByteRange && origin.verbatim ? [origin] : [];
  });
  const sources = new Set(origins.map(({ source }) => source));
  const [source] = sources;
  const bytes = origins.reduce((sum, { length }) => sum + length, 0);
  if (source === undefined || sources.size > 1 || source === graph || bytes < source.size * MOST) return { source: undefined, ranges: [] };
  return { source, ranges: wanted.filter((range) => range.source === source) };
}

/** The places of weights that are computed anew, which no other weight needs: files may keep equal weights once. */
class FreePlaces {
  readonly #taken: { readonly offset: number; readonly length: number }[];

  constructor(kept: readonly ByteRange[]) {
    this.#taken = [...kept];
  }

  /** The offset at which the bytes that these stand in for were; undefined where somebody else has it. */
  take({ replaces }: ComputedBytes, source: Source): number | undefined {
    if (!(replaces instanceof ByteRange) || replaces.source !== source) return undefined;
    const { offset, length } = replaces;
    if (this.#taken.some((other) => offset < other.offset + other.length && other.offset < offset + length)) return undefined;
    this.#taken.push({ offset, length });
    return offset;
  }
}

const computed = new WeakMap<ComputedBytes, number>();
let count = 0;

/** What tells ranges apart: one that several tensors share is stored once. */
function keyOf(range: ByteRange): string {
  if (!(range instanceof ComputedBytes)) return `${range.source.name}:${String(range.offset)}:${String(range.length)}`;
  let number = computed.get(range);
  if (number === undefined) computed.set(range, (number = count += 1));
  return `computed ${String(number)}`;
}
