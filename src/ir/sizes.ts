/** Sizes that are all numbers: how many elements they make, and where these lie in row-major order. */
import type { Dim } from "./dim.ts";

/** The sizes, or small integers, where all are numbers; undefined where one is not, or nothing is known. */
export function allNumbers(dims: readonly Dim[] | undefined): readonly number[] | undefined {
  return dims?.every((d) => typeof d === "number") === true ? dims : undefined;
}

/** The number of elements of a tensor of these dimensions. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((a, b) => a * b, 1);
}

/** How far apart the elements along each axis lie. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const d of dims.toReversed()) {
    strides.unshift(stride);
    stride *= d;
  }
  return strides;
}

/** An axis or index counted from the start: a negative one counts from the end. As it is where the length is unknown. */
export function fromStart(at: number, length: number | undefined): number {
  return at < 0 && length !== undefined ? at + length : at;
}
