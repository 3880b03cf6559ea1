/** Flatbuffers with offsets, lengths and fields rewritten. */
import type { Random } from "../../src/runtime/random.ts";
import { chance, pick } from "./reader.ts";

/** A copy in which some words lead elsewhere: far away, back, to themselves, to each other's goals, a little aside. */
export function mutateWords(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const times = chance(random, 0.6) ? 1 : 1 + random.below(5);
  for (let i = 0; i < times; i++) {
    if (copy.length < 8) break;
    const at = random.below(Math.floor((copy.length - 4) / 4)) * 4;
    const old = view.getUint32(at, true);
    const other = view.getUint32(random.below(Math.floor((copy.length - 4) / 4)) * 4, true);
    const word = pick(random, [0, 1, 4, 0xffffffff, 0x7fffffff, 0x80000000, copy.length, copy.length - at, copy.length - at - 4, old + 4, old - 4, old + 1, old * 2, other, -at, random.below(copy.length)]);
    if (chance(random, 0.25)) view.setUint16(at + 2 * random.below(2), word & 0xffff, true);
    else view.setUint32(at, word >>> 0, true);
  }
  return copy;
}
