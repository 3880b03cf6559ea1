/** Bytes damaged without knowing what they mean: flipped, cut, moved, overwritten, spliced. */
import type { Random } from "../../src/runtime/random.ts";
import { chance, pick } from "./reader.ts";

/** Numbers at which readers break: ends of ranges, signs, nothing. */
const WORDS = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe] as const;
/** Bytes that mean something in text or in protobuf. */
const BYTES = [0, 1, 0x0a, 0x0d, 0x1b, 0x20, 0x22, 0x2c, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0x9b, 0xff] as const;

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => changed(bytes, (copy) => { const at = random.below(copy.length); copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8)); }),
  (bytes, random) => changed(bytes, (copy) => { copy[random.below(copy.length)] = chance(random, 0.5) ? pick(random, BYTES) : random.below(256); }),
  (bytes, random) => spliced(bytes, random.below(bytes.length + 1), 0, Uint8Array.from({ length: 1 + random.below(8) }, () => (chance(random, 0.5) ? pick(random, BYTES) : random.below(256)))),
  (bytes, random) => spliced(bytes, random.below(bytes.length), 1 + random.below(chance(random, 0.5) ? 4 : bytes.length), new Uint8Array()),
  (bytes, random) => { const from = random.below(bytes.length); return spliced(bytes, random.below(bytes.length), 0, bytes.slice(from, from + 1 + random.below(64))); },
  (bytes, random) => bytes.slice(0, random.below(bytes.length)),
  (bytes, random) => changed(bytes, (copy) => {
    const size = pick(random, [2, 4, 8] as const);
    if (copy.length < size) return;
    const view = new DataView(copy.buffer);
    // Formats with offsets keep them at even places.
    const at = Math.floor(random.below(copy.length - size + 1) / size) * size;
    const word = chance(random, 0.2) ? copy.length : pick(random, WORDS);
    if (size === 2) view.setUint16(at, word & 0xffff, true);
    else view.setUint32(at, word, true);
    if (size === 8) view.setUint32(at + 4, pick(random, WORDS), true);
  }),
  (bytes, random, other) => { const at = random.below(bytes.length + 1); return spliced(bytes, at, bytes.length - at, other.slice(random.below(other.length + 1))); },
  (bytes, random, other) => { const from = random.below(other.length + 1); return spliced(bytes, random.below(bytes.length + 1), random.below(32), other.slice(from, from + random.below(64))); },
  (bytes, random) => { const from = random.below(bytes.length); const block = bytes.slice(from, from + 1 + random.below(16)); return spliced(bytes, from, 0, repeated(block, 1 + random.below(200))); },
];

/** A damaged copy; `other` is another sound file of the kind, or the same. Mostly one or two damages, at times many. */
export function mutateBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let damaged = bytes;
  const times = chance(random, 0.7) ? 1 : 1 + random.below(8);
  for (let i = 0; i < times; i++) damaged = damaged.length === 0 ? other.slice() : pick(random, MUTATIONS)(damaged, random, other);
  return damaged;
}

function changed(bytes: Uint8Array, change: (copy: Uint8Array) => void): Uint8Array {
  const copy = bytes.slice();
  change(copy);
  return copy;
}

function spliced(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  const rest = bytes.subarray(Math.min(at + removed, bytes.length));
  const made = new Uint8Array(at + inserted.length + rest.length);
  made.set(bytes.subarray(0, at));
  made.set(inserted, at);
  made.set(rest, at + inserted.length);
  return made;
}

function repeated(block: Uint8Array, times: number): Uint8Array {
  const made = new Uint8Array(block.length * times);
  for (let i = 0; i < times; i++) made.set(block, i * block.length);
  return made;
}
