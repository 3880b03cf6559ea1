/** A weight's numbers, however it is stored. */
import { Tensor } from "../../ir/tensor.ts";
import type { WeightSite } from "./find-weights.ts";
import { decoded, decodedAt, numbersOf, stepsAt } from "./quantized.ts";

/** All of a weight as float32, [k, n] or [n, k] as it is stored. Quantized ones are decoded. */
export function storedFloats(site: WeightSite): Float32Array {
  if (site.quantized === undefined) return float32Of(site.tensor);
  const values = decoded(site.quantized);
  const [rows, columns, stored] = rowsOf(site);
  if (stored === columns) return values;
  const result = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) result.set(values.subarray(row * stored, row * stored + columns), row * columns);
  return result;
}

/** The stored order's numbers of a weight that `storedFloats` would give: rows of packed integers may be longer, and end with zeros. */
export function inStoredRows(site: WeightSite, values: Float32Array): Float32Array {
  const [rows, columns, stored] = rowsOf(site);
  if (stored === columns) return values;
  const result = new Float32Array(rows * stored);
  for (let row = 0; row < rows; row += 1) result.set(values.subarray(row * columns, (row + 1) * columns), row * stored);
  return result;
}

/** The weight's values at places in [k, n] order, as float32, each read alone. */
export function valuesAt(site: WeightSite, positions: readonly number[]): number[] {
  const places = storedPlaces(site, positions);
  if (site.quantized !== undefined) return [...decodedAt(site.quantized, places)];
  return site.tensor.numbersAt(places) ?? positions.map(() => NaN);
}

/** How far apart the values are that the stored form can tell, at places in [k, n] order; 0 for floats. */
export function precisionAt(site: WeightSite, positions: readonly number[]): number[] {
  return site.quantized === undefined ? positions.map(() => 0) : stepsAt(site.quantized, storedPlaces(site, positions));
}

/** A stored float tensor's numbers as float32. */
export function float32Of(tensor: Tensor): Float32Array {
  return new Float32Array(numbersOf(tensor));
}

function storedPlaces(site: WeightSite, positions: readonly number[]): number[] {
  const [, , stored] = rowsOf(site);
  const { n } = site;
  return positions.map((p) => (site.stored === "kn" ? Math.floor(p / n) * stored + (p % n) : (p % n) * stored + Math.floor(p / n)));
}

/** Rows and columns of the weight as it is stored, and how many numbers a stored row has. */
function rowsOf({ k, n, stored, quantized, tensor }: WeightSite): [rows: number, columns: number, stored: number] {
  const [rows, columns] = stored === "kn" ? [k, n] : [n, k];
  return [rows, columns, (quantized?.integers ?? tensor).size / rows];
}
