/** Integers of 4 bits, two in a byte: the first in the low half. An odd count leaves the last high half 0. */

/** The first `count` integers; `signed` ones run from −8 to 7, others from 0 to 15. */
export function unpackHalfBytes(bytes: Uint8Array, count: number, signed: boolean): Float32Array {
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    const byte = bytes[i >> 1] ?? 0;
    const half = i % 2 === 0 ? byte & 15 : byte >> 4;
    values[i] = signed && half > 7 ? half - 16 : half;
  }
  return values;
}

/** Whole numbers from −8 to 15 as halves of bytes. */
export function packHalfBytes(values: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(values.length / 2));
  for (let i = 0; i < values.length; i += 1) bytes[i >> 1] = (bytes[i >> 1] ?? 0) | (((values[i] ?? 0) & 15) << (4 * (i % 2)));
  return bytes;
}
