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

/** The tensors of a module that is the roles together, `weight` being its shape. Shapes as in PEFT: A [r, k], B [n, r], a vector [n] or [n, 1]. */
export function stacked(method: UpdatedTransformation, weight: WeightShape, roles: readonly RoleTensors[]): Map<string, AdapterTensor> {
  return new Map(method.parameters(weight).map((spec): [string, AdapterTensor] => {
    const parts = roles.map(({ tensors, columns }) => ({ tensor: tensors.get(spec.peft.name) ?? { shape: [0, 0], data: new Float32Array() }, columns }));
    return [spec.peft.name, hasOutputs(spec) ? besides(weight.n, parts, method, spec) : under(spec, parts.map((p) => p.tensor))];
  }));
}

/** Whether a tensor has the columns of the weight as an axis. */
function hasOutputs({ axes }: ParameterSpec): boolean {
  return axes.includes("out");
}

/** The rank's axis is the first, as it is of all that PEFT stacks, and what the roles have is laid end to end. */
function under({ peft }: ParameterSpec, tensors: readonly AdapterTensor[]): AdapterTensor {
  if (peft.axes[0] !== "rank") throw new TypeError(`${peft.name} can't be stacked`);
  const width = tensors[0]?.shape[1] ?? 0;
  const data = endToEnd(tensors.map((t) => t.data));
  return { shape: [data.length / width, width], data };
}

/** Each role's own rows, n first or last; factors get columns of their own too, and zeros elsewhere, a vector gets the method's number there. */
function besides(n: number, parts: readonly { readonly tensor: AdapterTensor; readonly columns: readonly number[] }[], { peft: form }: UpdatedTransformation, { peft }: ParameterSpec): AdapterTensor {
  if (!peft.axes.includes("rank")) {
    const data = new Float32Array(n).fill(typeof form?.packed === "number" ? form.packed : NaN);
    for (const { tensor, columns } of parts) columns.forEach((column, row) => { data[column] = tensor.data[row] ?? NaN; });
    return { shape: peft.axes.map((axis) => (axis === "out" ? n : 1)), data };
  }
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
  return new Map(method.parameters(ANY).map((spec): [string, AdapterTensor] => {
    const { shape, data } = tensors.get(spec.peft.name) ?? { shape: [0, 0], data: new Float32Array() };
    const [rows = 0, width = 0] = shape;
    if (!spec.peft.axes.includes("rank")) {
      return [spec.peft.name, { shape: spec.peft.axes.map((axis) => (axis === "out" ? columns.length : 1)), data: Float32Array.from(columns, (column) => data[column] ?? NaN) }];
    }
    if (!hasOutputs(spec)) {
      const rank = rows / count;
      return [spec.peft.name, { shape: [rank, width], data: data.slice(index * rank * width, (index + 1) * rank * width) }];
    }
    const rank = width / count;
    const own = new Float32Array(columns.length * rank);
    columns.forEach((column, row) => { own.set(data.subarray(column * width + index * rank, column * width + (index + 1) * rank), row * rank); });
    return [spec.peft.name, { shape: [columns.length, rank], data: own }];
  }));
}

/** For a method's names and axes alone. */
const ANY: WeightShape = { k: 1, n: 1, rank: 1, scale: 1 };
