/** Flat vectors as nodes: cut into the parts that lie in them, and made of runs of one number. */
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";

/**
 * Most parts of one Split. A shader of WebGPU is only sure of 8 buffers, and ONNX Runtime's kernel binds one a part beside what is split: with ten it
 * fails. The gradient of a Split, a Concat, has the same bound.
 */
const MOST_PARTS = 7;

/**
 * Cuts a vector into parts of these lengths, which may come in rows: the caller gives them their shapes.
 *
 * Split and Concat, its gradient, are given rows as long as all parts allow. Where parts are of unequal lengths, ONNX Runtime's kernels for CUDA write down on the CPU for
 * every row whose it is, 8 bytes each, and copy that to the GPU: with rows of one number, 12 ms of a step of RoBERTa-base. The last part is often a bias of a few
 * numbers; it is cut off first, and the others keep long rows.
 */
export function splitVector(op: OpBuilder, vector: Value, sizes: readonly number[]): Value[] {
  const [before, last] = [sizes.slice(0, -1), sizes.at(-1) ?? 0];
  const row = before.reduce(commonDivisor, 0);
  if (row === 0 || last % row === 0) return splitRows(op, vector, sizes);
  const [rest = vector, bias = vector] = splitRows(op, vector, [sum(before), last]);
  return [...splitRows(op, rest, before), bias];
}

/** More than MOST_PARTS come out of several Splits, one behind the other. */
function splitRows(op: OpBuilder, vector: Value, sizes: readonly number[]): Value[] {
  if (sizes.length <= 1) return [vector];
  const width = Math.ceil(sizes.length / MOST_PARTS);
  const groups = Array.from({ length: Math.ceil(sizes.length / width) }, (_, i) => sizes.slice(i * width, (i + 1) * width));
  const lengths = groups.map(sum);
  const row = Math.max(1, lengths.reduce(commonDivisor));
  const whole = op.Split(op.Reshape(vector, [-1, row]), lengths.map((length) => length / row), {}, groups.length);
  return whole.flatMap((part, i) => splitRows(op, part, groups[i] ?? []));
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a + b, 0);
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** So many times one number. */
export interface Run {
  readonly length: number;
  readonly value: number;
}

/** A float32 vector of such runs, one behind the other; a scalar where all have one number. Written as nodes it takes no room in a file, whatever its length. */
export function vectorOfRuns(op: OpBuilder, runs: readonly Run[]): Value {
  const merged: { length: number; value: number }[] = [];
  for (const { length, value } of runs) {
    const last = merged.at(-1);
    if (last?.value === value) last.length += length;
    else merged.push({ length, value });
  }
  const [first] = merged;
  if (first === undefined || merged.length === 1) return op.scalar(first?.value ?? 0);
  let parts = merged.map((run) => op.Expand(op.scalar(run.value), op.ints([run.length])));
  while (parts.length > 1) parts = Array.from({ length: Math.ceil(parts.length / MOST_PARTS) }, (_, i) => joined(op, parts.slice(i * MOST_PARTS, (i + 1) * MOST_PARTS)));
  const [whole] = parts;
  if (whole === undefined) throw new TypeError("a vector without parts");
  return whole;
}

function joined(op: OpBuilder, parts: readonly Value[]): Value {
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : op.Concat([...parts], { axis: 0 });
}
