/** The elements of small integer tensors, row by row: which are followed, and how through what moves them. */
import { DataType } from "../ir/data-type.ts";
import { followedShape, type Dim } from "../ir/dim.ts";
import type { Facts } from "../ir/graph.ts";
import { elementCount } from "../ir/sizes.ts";
import type { Tensor } from "../ir/tensor.ts";

/** Integer constants up to this many elements are followed through shape arithmetic; the longest shape vectors of real exports have 8. */
export const MAX_FOLLOWED_INTS = 64;

/** Most elements of a constant that a gradient rule makes out of sizes: the matrix of a resized axis of 2,048 by 2,048, and 16 MB. Real images stay below. */
const MAX_MADE_ELEMENTS = 2 ** 22;

/** Throws the TypeError of a gradient rule where a constant of these dimensions would be too much to make. */
export function requireMakeable(dims: readonly number[], what: string): void {
  if (!(elementCount(dims) <= MAX_MADE_ELEMENTS)) throw new TypeError(`${what} would be a constant of ${dims.join(" × ")} elements, more than ${String(MAX_MADE_ELEMENTS)}`);
}

/** Whether a constant may be read while shapes are inferred. */
export function isSmall(tensor: Tensor): boolean {
  return tensor.dims.length <= 1 && tensor.size <= MAX_FOLLOWED_INTS && tensor.atHand;
}

/**
 * The facts of a constant: its type, its dimensions and, where it is a small integer vector at hand, its elements. Narrow integers wrap around, so
 * they aren't followed.
 */
export function factsOfTensor(tensor: Tensor): Facts {
  const follow = isSmall(tensor) && (tensor.dataType === DataType.INT64 || tensor.dataType === DataType.INT32 || tensor.dataType === DataType.BOOL);
  const ints = follow ? tensor.toNumbers() : undefined;
  return { dataType: tensor.dataType, shape: followedShape(tensor.dims), ...(ints === undefined ? {} : { ints: [...ints] }) };
}

/**
 * A tensor of these dimensions that takes its elements out of others, from `first` on and `strides` apart along each axis. Undefined where these would
 * be more than are followed.
 */
export function strided(elements: readonly Dim[], dims: readonly number[], first: number, strides: readonly number[]): Dim[] | undefined {
  if (dims.includes(0)) return [];
  if (elementCount(dims) > MAX_FOLLOWED_INTS) return undefined;
  let places = [first];
  dims.forEach((d, axis) => { places = places.flatMap((place) => Array.from({ length: d }, (_, i) => place + i * (strides[axis] ?? 0))); });
  return places.map((place) => elements[place]);
}
