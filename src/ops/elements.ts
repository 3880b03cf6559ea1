/** The elements of small integer tensors, row by row, followed through what moves them. */
import type { Dim, Shape } from "../ir/dim.ts";

/** How far apart the elements along each axis stand. Undefined where a size is not a number. */
export function stridesOf(shape: Shape): number[] | undefined {
  const strides: number[] = [];
  let stride = 1;
  for (const d of shape.toReversed()) {
    if (typeof d !== "number") return undefined;
    strides.unshift(stride);
    stride *= d;
  }
  return strides;
}

/** A tensor of these dimensions that takes its elements out of others, from `first` on and `strides` apart along each axis. */
export function strided(elements: readonly Dim[], dims: readonly number[], first: number, strides: readonly number[]): Dim[] {
  let places = [first];
  dims.forEach((d, axis) => { places = places.flatMap((place) => Array.from({ length: d }, (_, i) => place + i * (strides[axis] ?? 0))); });
  return places.map((place) => elements[place]);
}
