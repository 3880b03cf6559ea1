/** One input of a graph for one record: numbers in a shape, checked against what the graph takes. */

import { dataFieldRagged, dataFieldShape, dataFieldValue, type RecordPlace } from "../../errors/data.ts";
import { isFloating } from "../../ir/data-type.ts";
import { isTooDeep } from "../parse-json.ts";
import { elementKind } from "./element-kind.ts";

/** What a graph says of one of its inputs. */
export interface InputSpec {
  readonly name: string;
  /** ONNX element type (`DataType`). */
  readonly dtype: number;
  /** The batch first; a number, a symbol's name, or undefined where unknown. */
  readonly shape: readonly (number | string | undefined)[];
}

/** One record's values for one input, laid end to end; `dims` is their shape without the batch, [] for a single number. */
export interface Field {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** A field with one value a token: T of them. */
export function tokenField(values: readonly number[]): Field {
  return { dims: [values.length], values };
}

/**
 * Reads a record's value for an input: a number, a list, or nested lists of equal length; TSV and CSV hold the same as JSON text. Throws,
 * naming line and field, where it is none of these, where a number doesn't fit the input's type, or where its shape isn't the graph's.
 */
export function readField(value: unknown, spec: InputSpec, place: RecordPlace): Field {
  const kind = elementKind(spec);
  const values: number[] = [];
  const dims: number[] = [];
  const visit = (item: unknown, depth: number): void => {
    if (Array.isArray(item)) {
      if (depth < dims.length ? dims[depth] !== item.length : values.length > 0) throw dataFieldRagged(place, spec.name);
      if (depth === dims.length) dims.push(item.length);
      for (const inner of item) visit(inner, depth + 1);
      return;
    }
    if (depth !== dims.length) throw dataFieldRagged(place, spec.name);
    const number = typeof item === "boolean" ? Number(item) : item;
    if (typeof number !== "number" || !kind.accepts(number)) throw dataFieldValue(place, spec.name, item, kind.words);
    values.push(number);
  };
  visit(typeof value === "string" ? fromText(value) : value, 0);
  checkShape(dims, spec, place);
  return { dims, values };
}

/** A cell's JSON; what is no JSON, or nests deeper than any value of an input, stays text, and is refused as such. */
export function fromText(cell: string): unknown {
  try {
    const value: unknown = JSON.parse(cell);
    return isTooDeep(value) ? cell : value;
  } catch {
    return cell;
  }
}

/** Rows of tokens may be shorter than a length the graph fixes: they are padded later. Everything else must be as the graph says. */
function checkShape(dims: readonly number[], spec: InputSpec, place: RecordPlace): void {
  const expected = spec.shape.slice(1);
  const padded = dims.length === 1 && !isFloating(spec.dtype);
  const fits = (dim: number, i: number): boolean => {
    const wanted = expected[i];
    return typeof wanted !== "number" || (padded ? dim <= wanted : dim === wanted);
  };
  if (dims.length === expected.length && dims.every(fits)) return;
  throw dataFieldShape(place, spec.name, dims, `the graph takes [${expected.map((dim) => dim ?? "?").join(", ")}] a record`);
}
