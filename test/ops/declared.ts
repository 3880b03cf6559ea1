/** The ways in which a test declares a graph's inputs, and what inference made of them against what a tensor really is. */
import assert from "node:assert/strict";
import { evaluateDim, formatShape, symbol, type Dim, type Shape } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { numbersOf } from "./run-graph.ts";

/**
 * "known": numbers. "named": equal sizes have one name, ones stay ones. "own names": every dimension has a name of its own, ones too, so that
 * broadcasts show at run time alone. "unknown": no shape. In the last two, inputs that a test fixes (axes, indices) are graph inputs, so that
 * rules can't read their elements; before, they are constants.
 */
export type Declared = "known" | "named" | "own names" | "unknown";

export const ALL_DECLARED: readonly Declared[] = ["known", "named", "own names", "unknown"];

/** The shape under which an input of these dimensions is declared. */
export function declare(input: string, dims: readonly number[], declared: Declared): Shape | undefined {
  switch (declared) {
    case "known": return dims;
    case "named": return dims.map((d): Dim => (d === 1 ? 1 : symbol(`s${String(d)}`)));
    case "own names": return dims.map((_, i) => symbol(`${input}_${String(i)}`));
    case "unknown": return undefined;
  }
}

/** What the names that `declare` gives stand for. */
export function sizesOf(inputs: Readonly<Record<string, Pick<Tensor, "dims">>>): Record<string, number> {
  return Object.fromEntries(Object.entries(inputs).flatMap(([name, { dims }]) => dims.flatMap((d, i) => [[`s${String(d)}`, d], [`${name}_${String(i)}`, d]])));
}

/** Fails where inference says another type, rank, size or element than the tensor has. What it leaves open fits anything. */
export function assertFactsFit(value: Value, real: Tensor | undefined, sizes: Readonly<Record<string, number>>, where: string): void {
  assert.ok(real !== undefined, `${where}: "${value.name}" is not there`);
  const { shape, facts } = value;
  const message = `${where}: ${value.producer?.opType ?? ""} "${value.name}" is inferred as ${formatShape(shape)} and is [${real.dims.join(", ")}]`;
  if (value.dataType !== 0) assert.equal(value.dataType, real.dataType, `${message}, of type ${String(real.dataType)}`);
  if (shape !== undefined) assert.equal(shape.length, real.dims.length, message);
  shape?.forEach((dim, i) => {
    const size = evaluateDim(dim, sizes);
    if (size !== undefined) assert.equal(size, real.dims[i], message);
  });
  const { ints } = facts ?? {};
  if (ints === undefined) return;
  const elements = [...numbersOf(real)];
  assert.equal(ints.length, elements.length, `${message}: ${String(ints.length)} elements are inferred where there are ${String(elements.length)}`);
  ints.forEach((dim, i) => {
    const element = evaluateDim(dim, sizes);
    if (element !== undefined) assert.equal(element, elements[i], `${message}: element ${String(i)}`);
  });
}
