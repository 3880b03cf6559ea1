/** A file, damaged in every place in turn. */

/** Copies in which one word says something it shouldn't: every word, at every even place. */
export function* withWordsOverwritten(bytes: Uint8Array): Generator<{ readonly at: number; readonly damaged: Uint8Array }> {
  for (let at = 0; at + 4 <= bytes.length; at += 2) {
    for (const word of [0xffffffff, 0x7fffffff, 0x80000000, bytes.length, 0]) {
      const damaged = bytes.slice();
      new DataView(damaged.buffer).setUint32(at, word, true);
      yield { at, damaged };
    }
  }
}
