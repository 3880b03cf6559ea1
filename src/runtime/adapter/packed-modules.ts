/**
 * Several roles of a packed weight in one PEFT module: their factors stacked. A [r, k] of each role one under the other, [Σr, k]; B [n, Σr] with each
 * role's columns of B in its own rows and zeros elsewhere, so that B·A is what the roles' products are together.
 */
import type { ParameterSpec, UpdatedTransformation, WeightShape } from "../../methods/updated-transformation.ts";
import { endToEnd } from "../end-to-end.ts";
import type { AdapterTensor } from "./peft-tensors.ts";

/** Runs of columns, [first, end): how hut.json holds the columns of a role. */
export type Ranges = readonly (readonly [number, number])[];

/** Columns as runs. */
export function rangesOf(columns: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const column of columns) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === column) last[1] += 1;
    else ranges.push([column, column + 1]);
  }
  return ranges;
}

/** Runs as columns. */
export function columnsOf(ranges: Ranges): number[] {
  return ranges.flatMap(([first, end]) => Array.from({ length: end - first }, (_, i) => first + i));
}

/** One role's tensors, as PEFT would hold them for a module of its own, and its columns of the whole. */
export interface RoleTensors {
  readonly tensors: ReadonlyMap<string, AdapterTensor>;
  readonly columns: readonly number[];
}

/** The tensors of a module [k, n] that is the roles together. Shapes as in PEFT: A [r, k], B [n, r]. */
export function stacked(method: UpdatedTransformation, n: number, roles: readonly RoleTensors[]): Map<string, AdapterTensor> {
  return new Map(specsOf(method).map((spec): [string, AdapterTensor] => {
    const parts = roles.map(({ tensors, columns }) => ({ tensor: tensors.get(spec.peft.name) ?? { shape: [0, 0], data: new Float32Array() }, columns }));
    return [spec.peft.name, spec.peft.side === "in" ? under(parts.map((p) => p.tensor)) : besides(n, parts)];
  }));
}

function under(tensors: readonly AdapterTensor[]): AdapterTensor {
  const width = tensors[0]?.shape[1] ?? 0;
  const data = endToEnd(tensors.map((t) => t.data));
  return { shape: [data.length / width, width], data };
}

function besides(n: number, parts: readonly { readonly tensor: AdapterTensor; readonly columns: readonly number[] }[]): AdapterTensor {
  const width = parts.reduce((sum, { tensor }) => sum + (tensor.shape[1] ?? 0), 0);
  const data = new Float32Array(n * width);
  let start = 0;
  for (const { tensor, columns } of parts) {
    const rank = tensor.shape[1] ?? 0;
    columns.forEach((column, row) => { data.set(tensor.data.subarray(row * rank, (row + 1) * rank), column * width + start); });
    start += rank;
  }
  return { shape: [n, width], data };
}

/** The tensors of the role `index` out of a stack of `count` roles of one rank, its columns being these. */
export function unstacked(method: UpdatedTransformation, tensors: ReadonlyMap<string, AdapterTensor>, index: number, count: number,
  columns: readonly number[]): Map<string, AdapterTensor> {
  return new Map(specsOf(method).map((spec): [string, AdapterTensor] => {
    const { shape: [rows = 0, width = 0], data } = tensors.get(spec.peft.name) ?? { shape: [0, 0], data: new Float32Array() };
    if (spec.peft.side === "in") {
      const rank = rows / count;
      return [spec.peft.name, { shape: [rank, width], data: data.slice(index * rank * width, (index + 1) * rank * width) }];
    }
    const rank = width / count;
    const own = new Float32Array(columns.length * rank);
    columns.forEach((column, row) => { own.set(data.subarray(column * width + index * rank, column * width + (index + 1) * rank), row * rank); });
    return [spec.peft.name, { shape: [columns.length, rank], data: own }];
  }));
}

function specsOf(method: UpdatedTransformation): readonly ParameterSpec[] {
  const any: WeightShape = { k: 1, n: 1, rank: 1, alpha: 1 };
  return method.parameters(any);
}
