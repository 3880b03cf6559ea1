/**
 * Where the elements of an output come from, for operators that only move them: asked with numbers for all sizes. By it one can tell which columns
 * of a packed weight end up in q, whatever way an exporter takes them apart.
 */
import { intOf, intsOf } from "../ir/attribute.ts";
import type { Node } from "../ir/graph.ts";
import { elementCount, fromStart, stridesOf } from "../ir/sizes.ts";

/** What a movement is asked: one input and one output of a node, all sizes as numbers. */
export interface Move {
  readonly node: Node;
  /** Which of the node's inputs moves. */
  readonly input: number;
  /** Which of its outputs is asked for. */
  readonly output: number;
  /** Dimensions of all inputs and outputs; undefined where an input is left out or unknown. */
  readonly inputs: readonly (readonly number[] | undefined)[];
  readonly outputs: readonly (readonly number[] | undefined)[];
  /** The elements of a small integer input. */
  readonly ints: (index: number) => readonly number[] | undefined;
  /** Numbers that were an attribute in older opsets and are an input now. */
  readonly axes: (attribute: string, index: number) => readonly number[] | undefined;
}

/** For each element of the output, row-major, its place in the input; −1 where it comes from elsewhere. Undefined where that can't be told. */
export type Movement = (move: Move) => Int32Array | undefined;

/** For each element of `to`, row-major: the base and, along each axis, as many steps as its coordinate says. */
function affine(to: readonly number[], steps: readonly number[], base = 0): Int32Array {
  const result = new Int32Array(elementCount(to));
  const at = to.map(() => 0);
  let place = base;
  for (let i = 0; i < result.length; i += 1) {
    result[i] = place;
    for (let axis = to.length - 1; axis >= 0; axis -= 1) {
      const [step = 0, size = 1] = [steps[axis], to[axis]];
      const next = (at[axis] ?? 0) + 1;
      place += step;
      at[axis] = next;
      if (next < size) break;
      place -= step * size;
      at[axis] = 0;
    }
  }
  return result;
}

/** The same elements in the same order: Reshape and its kin. */
export const inOrder: Movement = ({ input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (input !== 0 || from === undefined || to === undefined || elementCount(from) !== elementCount(to)) return undefined;
  return affine([elementCount(to)], [1]);
};

/** Elements side by side, smaller inputs repeated: what an elementwise operator does. */
export const broadcasted: Movement = ({ input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined || from.length > to.length) return undefined;
  const lead = to.length - from.length;
  if (from.some((d, i) => d !== 1 && d !== to[i + lead])) return undefined;
  const own = stridesOf(from);
  return affine(to, to.map((_, i) => (from[i - lead] === 1 ? 0 : own[i - lead] ?? 0)));
};

/** Axes in another order. */
export const permuted: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined) return undefined;
  const own = stridesOf(from);
  return affine(to, (intsOf(node, "perm") ?? from.map((_, i) => from.length - 1 - i)).map((axis) => own[axis] ?? 0));
};

/** Where a part begins along an axis: behind those before it. Undefined where one's size is unknown. */
function startOf(parts: readonly (readonly number[] | undefined)[], index: number, axis: number): number | undefined {
  const before = parts.slice(0, index).map((dims) => dims?.[axis]);
  return before.every((d) => d !== undefined) ? before.reduce((a, b) => a + b, 0) : undefined;
}

/** Parts one after the other along an axis, each with a part of the input. */
export const splitUp: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (input !== 0 || from === undefined || to === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), from.length);
  const start = startOf(outputs, output, axis);
  const own = stridesOf(from);
  return start === undefined ? undefined : affine(to, own, start * (own[axis] ?? 0));
};

/** Inputs one after the other along an axis. */
export const joined: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), to.length);
  const start = startOf(inputs, input, axis);
  if (start === undefined) return undefined;
  const theirs = stridesOf(to);
  const result = new Int32Array(elementCount(to)).fill(-1);
  affine(from, theirs, start * (theirs[axis] ?? 0)).forEach((place, i) => { result[place] = i; });
  return result;
};

/** From starts on, by steps. */
export const sliced: Movement = ({ node, input, output, inputs, outputs, ints, axes }) => {
  const [from, to] = [inputs[input], outputs[output]];
  const starts = ints(1) ?? intsOf(node, "starts");
  if (input !== 0 || from === undefined || to === undefined || starts === undefined) return undefined;
  const along = axes("axes", 3) ?? starts.map((_, i) => i);
  const given = axes("steps", 4) ?? starts.map(() => 1);
  const steps = stridesOf(from);
  let base = 0;
  along.forEach((which, i) => {
    const axis = fromStart(which, from.length);
    const [size = 0, step = 1, stride = 0] = [from[axis], given[i], steps[axis]];
    base += Math.min(Math.max(fromStart(starts[i] ?? 0, size), 0), step < 0 ? size - 1 : size) * stride;
    steps[axis] = stride * step;
  });
  return affine(to, steps, base);
};

/** Rows along an axis, by constant indices. */
export const gathered: Movement = ({ node, input, output, inputs, outputs, ints }) => {
  const [from, to] = [inputs[input], outputs[output]];
  const indices = ints(1);
  if (input !== 0 || from === undefined || to === undefined || indices === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), from.length);
  const [rows = 0, width] = [from[axis], elementCount(from.slice(axis + 1))];
  const row = affine([elementCount(from.slice(0, axis)), width], [rows * width, 1]);
  const result = new Int32Array(elementCount(to));
  if (row.length * indices.length !== result.length) return undefined;
  indices.forEach((index, i) => {
    const first = fromStart(index, rows) * width;
    row.forEach((place, j) => { result[(Math.floor(j / width) * indices.length + i) * width + (j % width)] = place + first; });
  });
  return result;
};
