/** Inputs that hold nothing of a record and are made for a whole batch: a decoder's caches, empty, and the switch that says there are none. */

import { DataType, isFloating } from "../../ir/data-type.ts";
import { elementCount } from "../../ir/sizes.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Feed } from "./collate.ts";
import { elementKind } from "./element-kind.ts";
import type { InputSpec } from "./field.ts";

/** How exporters call what a decoder remembers: `past_key_values.0.key`, `past.0.value`, `past_0`. */
const CACHE = /^past(_key_values)?[._]/;
/** The condition of a decoder that holds both branches, with and without a cache. */
const CACHE_SWITCH = "use_cache_branch";

/** Whether an input holds what a decoder remembers of earlier tokens. */
export function isCache(spec: InputSpec): boolean {
  return CACHE.test(spec.name) && isFloating(spec.dtype);
}

/** Whether an input says that there is a cache. */
export function isCacheSwitch(spec: InputSpec): boolean {
  return spec.name === CACHE_SWITCH && spec.dtype === DataType.BOOL;
}

/**
 * The one value of an input that is the same whatever the data, so that a graph may hold it as a constant; undefined for every other input. A
 * decoder that holds both branches always starts without a cache.
 */
export function fixedInput(spec: InputSpec): Tensor | undefined {
  if (!isCacheSwitch(spec)) return undefined;
  const dims = spec.shape.map((dim) => (typeof dim === "number" ? dim : 1));
  return Tensor.bools(dims, new Array<boolean>(elementCount(dims)).fill(false));
}

/**
 * How to make an input for a batch of N records; undefined where nothing is known of it. A cache is [N, heads, 0, d], or [2, N, heads, 0, d] with
 * keys and values in one, wherever its only other free axis stands; a mask then spans the row itself.
 */
export function madeInput(spec: InputSpec): ((size: number) => Feed) | undefined {
  const fixed = fixedInput(spec);
  if (fixed !== undefined) {
    const numbers = Float64Array.from(fixed.toNumbers() ?? []);
    return () => ({ dataType: fixed.dataType, dims: fixed.dims, data: elementKind(spec).pack(numbers) });
  }
  if (!isCache(spec)) return undefined;
  const batchAxis = spec.shape.length === 5 ? 1 : 0;
  const free = spec.shape.flatMap((dim, axis) => (axis !== batchAxis && (typeof dim !== "number" || dim === 0) ? [axis] : []));
  const [length] = free;
  if (length === undefined || free.length > 1) return undefined;
  return (size) => filled(spec, spec.shape.map((dim, axis) => (axis === length ? 0 : typeof dim === "number" ? dim : size)));
}

function filled(spec: InputSpec, dims: readonly number[]): Feed {
  return { dataType: spec.dtype, dims, data: elementKind(spec).pack(new Float64Array(elementCount(dims))) };
}
