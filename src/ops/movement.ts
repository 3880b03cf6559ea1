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

/** The place of each element of `to` by what `source` says of its coordinates. */
function byCoordinates(to: readonly number[], source: (coordinates: readonly number[]) => number): Int32Array {
  const step = stridesOf(to);
  const coordinates = new Array<number>(to.length).fill(0);
  return Int32Array.from({ length: elementCount(to) }, (_, i) => {
    for (let axis = 0; axis < to.length; axis += 1) coordinates[axis] = Math.floor(i / (step[axis] ?? 1)) % (to[axis] ?? 1);
    return source(coordinates);
  });
}

/** The same elements in the same order: Reshape and its kin. */
export const inOrder: Movement = ({ input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (input !== 0 || from === undefined || to === undefined || elementCount(from) !== elementCount(to)) return undefined;
  return Int32Array.from({ length: elementCount(to) }, (_, i) => i);
};

/** Elements side by side, smaller inputs repeated: what an elementwise operator does. */
export const broadcasted: Movement = ({ input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined || from.length > to.length) return undefined;
  const lead = to.length - from.length;
  if (from.some((d, i) => d !== 1 && d !== to[i + lead])) return undefined;
  const step = stridesOf(from);
  return byCoordinates(to, (at) => from.reduce((sum, d, i) => sum + (d === 1 ? 0 : at[i + lead] ?? 0) * (step[i] ?? 0), 0));
};

/** Axes in another order. */
export const permuted: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined) return undefined;
  const perm = intsOf(node, "perm") ?? from.map((_, i) => from.length - 1 - i);
  const step = stridesOf(from);
  return byCoordinates(to, (at) => perm.reduce((sum, axis, i) => sum + (at[i] ?? 0) * (step[axis] ?? 0), 0));
};

/** Parts one after the other along an axis, each with a part of the input. */
export const splitUp: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (input !== 0 || from === undefined || to === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), from.length);
  const before = outputs.slice(0, output).map((dims) => dims?.[axis]);
  if (!before.every((d) => d !== undefined)) return undefined;
  const start = before.reduce((a, b) => a + b, 0);
  const step = stridesOf(from);
  return byCoordinates(to, (at) => at.reduce((sum, c, i) => sum + (i === axis ? c + start : c) * (step[i] ?? 0), 0));
};

/** Inputs one after the other along an axis. */
export const joined: Movement = ({ node, input, output, inputs, outputs }) => {
  const [from, to] = [inputs[input], outputs[output]];
  if (from === undefined || to === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), to.length);
  const before = inputs.slice(0, input).map((dims) => dims?.[axis]);
  if (!before.every((d) => d !== undefined)) return undefined;
  const start = before.reduce((a, b) => a + b, 0);
  const step = stridesOf(from);
  return byCoordinates(to, (at) => {
    const place = (at[axis] ?? 0) - start;
    return place < 0 || place >= (from[axis] ?? 0) ? -1 : at.reduce((sum, c, i) => sum + (i === axis ? place : c) * (step[i] ?? 0), 0);
  });
};

/** From starts on, by steps. */
export const sliced: Movement = ({ node, input, output, inputs, outputs, ints, axes }) => {
  const [from, to] = [inputs[input], outputs[output]];
  const starts = ints(1) ?? intsOf(node, "starts");
  if (input !== 0 || from === undefined || to === undefined || starts === undefined) return undefined;
  const along = axes("axes", 3) ?? starts.map((_, i) => i);
  const steps = axes("steps", 4) ?? starts.map(() => 1);
  const step = stridesOf(from);
  const first = from.map(() => 0);
  const stride = from.map(() => 1);
  along.forEach((axis, i) => {
    const at = fromStart(axis, from.length);
    const size = from[at] ?? 0;
    stride[at] = steps[i] ?? 1;
    first[at] = Math.min(Math.max(fromStart(starts[i] ?? 0, size), 0), (steps[i] ?? 1) < 0 ? size - 1 : size);
  });
  return byCoordinates(to, (at) => at.reduce((sum, c, i) => sum + ((first[i] ?? 0) + c * (stride[i] ?? 1)) * (step[i] ?? 0), 0));
};

/** Rows along an axis, by constant indices. */
export const gathered: Movement = ({ node, input, output, inputs, outputs, ints }) => {
  const [from, to, indexDims] = [inputs[input], outputs[output], inputs[1]];
  const indices = ints(1);
  if (input !== 0 || from === undefined || to === undefined || indices === undefined || indexDims === undefined) return undefined;
  const axis = fromStart(intOf(node, "axis", 0), from.length);
  const [step, indexStep] = [stridesOf(from), stridesOf(indexDims)];
  return byCoordinates(to, (at) => {
    const place = indexStep.reduce((sum, s, i) => sum + s * (at[axis + i] ?? 0), 0);
    const index = fromStart(indices[place] ?? 0, from[axis] ?? 0);
    const rest = [...at.slice(0, axis), index, ...at.slice(axis + indexDims.length)];
    return rest.reduce((sum, c, i) => sum + c * (step[i] ?? 0), 0);
  });
};
