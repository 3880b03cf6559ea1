/** Flat vectors as nodes: cut into the parts that lie in them, and made of runs of one number. */
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";

/**
 * Most parts of one Split. A shader of WebGPU is only sure of 8 buffers, and ONNX Runtime's kernel binds one a part beside what is split: with ten it
 * fails. The gradient of a Split, a Concat, has the same bound.
 */
const MOST_PARTS = 7;

/** Cuts a vector into parts of these lengths. More than MOST_PARTS come out of several Splits, one behind the other. */
export function splitVector(op: OpBuilder, vector: Value, sizes: readonly number[]): Value[] {
  if (sizes.length <= 1) return [vector];
  if (sizes.length <= MOST_PARTS) return op.Split(vector, [...sizes], {}, sizes.length);
  const width = Math.ceil(sizes.length / MOST_PARTS);
  const groups = Array.from({ length: Math.ceil(sizes.length / width) }, (_, i) => sizes.slice(i * width, (i + 1) * width));
  const whole = op.Split(vector, groups.map((group) => group.reduce((sum, size) => sum + size, 0)), {}, groups.length);
  return whole.flatMap((part, i) => splitVector(op, part, groups[i] ?? []));
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
