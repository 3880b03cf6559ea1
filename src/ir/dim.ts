/**
 * Dimensions: a number, a symbolic expression, or unknown (`undefined`).
 *
 * A symbolic expression is a polynomial with integer coefficients over named sizes, kept in a normal form, so that two ways of writing one
 * size (`batch*sequence` and `sequence*batch`) compare equal. What a polynomial can't hold (a quotient with a remainder, the smaller or the
 * larger of two) becomes a name of its own, which knows what it stands for. Sizes are never negative.
 */

/** What a name that was made here stands for. */
interface Meaning {
  readonly operator: "floor" | "min" | "max";
  readonly a: Dim;
  readonly b: Dim;
}

/** A size that depends on the names it holds. Never a plain constant: those are numbers. */
export class SymbolicDim {
  /** Monomial (names sorted and joined by "*"; "" for the constant) → coefficient, never 0. */
  readonly terms: ReadonlyMap<string, number>;
  /** The normal form as text; equal expressions have equal keys. */
  readonly key: string;
  /** Of the names that were made here. */
  readonly meanings: ReadonlyMap<string, Meaning>;

  constructor(terms: ReadonlyMap<string, number>, meanings: ReadonlyMap<string, Meaning> = new Map()) {
    this.terms = terms;
    this.meanings = meanings;
    this.key = [...terms].sort(([a], [b]) => (a < b ? 1 : -1)).map(([m, c]) => (m === "" ? String(c) : c === 1 ? m : `${String(c)}*${m}`)).join(" + ");
  }

  toString(): string {
    return this.key;
  }
}

/** One dimension. */
export type Dim = number | SymbolicDim | undefined;
/** The dimensions of a tensor of known rank. */
export type Shape = readonly Dim[];

/**
 * Longest text of a dimension that is followed; what would be longer is unknown. Without it a size that is multiplied by itself, node after node, would
 * double its text each time. The longest that exporters write have under 100 characters.
 */
const MAX_DIM_LENGTH = 1024;

/** Highest rank whose sizes are followed; of more axes nothing is said. Tensors of real models have up to 8 axes, NumPy's up to 64. */
export const MAX_RANK = 64;

/** A shape that is followed: the one given, or undefined where its rank is beyond MAX_RANK. */
export function followedShape(shape: Shape | undefined): Shape | undefined {
  return shape !== undefined && shape.length > MAX_RANK ? undefined : shape;
}

/** A shape of which the rank alone is known; undefined where that is open, or beyond MAX_RANK. */
export function openShape(rank: Dim): Shape | undefined {
  return typeof rank === "number" && rank <= MAX_RANK ? Array.from({ length: rank }, () => undefined) : undefined;
}

/** A named size. */
export function symbol(name: string): SymbolicDim {
  return new SymbolicDim(new Map([[name, 1]]));
}

function named(operator: Meaning["operator"], text: string, a: Dim, b: Dim): Dim {
  if (text.length > MAX_DIM_LENGTH) return undefined;
  const name = text.replaceAll("*", "·");
  return new SymbolicDim(new Map([[name, 1]]), new Map([[name, { operator, a, b }]]));
}

/** The most monomials that a dimension may have; one of more is unknown. Real exports stay under 5, and a product of many would only cost time. */
const MAX_TERMS = 32;

function termsOf(dim: number | SymbolicDim): ReadonlyMap<string, number> {
  return typeof dim === "number" ? new Map(dim === 0 ? [] : [["", dim]]) : dim.terms;
}

/** The dimension that terms amount to; `from`: what they were computed of. */
function fromTerms(terms: Map<string, number>, ...from: readonly Dim[]): Dim {
  for (const [m, c] of terms) if (c === 0) terms.delete(m);
  if (terms.size === 0) return 0;
  if (terms.size > MAX_TERMS) return undefined;
  const constant = terms.get("");
  if (terms.size === 1 && constant !== undefined) return constant;
  let length = 0;
  for (const m of terms.keys()) length += m.length;
  return length > MAX_DIM_LENGTH ? undefined : new SymbolicDim(terms, meaningsOf(terms, from));
}

/** What the names in these terms stand for, of those that were made here. */
function meaningsOf(terms: ReadonlyMap<string, number>, from: readonly Dim[]): Map<string, Meaning> {
  const meanings = new Map<string, Meaning>();
  if (!from.some((dim) => dim instanceof SymbolicDim && dim.meanings.size > 0)) return meanings;
  for (const name of [...terms.keys()].flatMap((m) => m.split("*"))) {
    for (const dim of from) {
      const meaning = dim instanceof SymbolicDim ? dim.meanings.get(name) : undefined;
      if (meaning !== undefined) meanings.set(name, meaning);
    }
  }
  return meanings;
}

export function addDims(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum = new Map(termsOf(a));
  for (const [m, c] of termsOf(b)) sum.set(m, (sum.get(m) ?? 0) + c);
  return fromTerms(sum, a, b);
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return a * b;
  const product = new Map<string, number>();
  for (const [m, c] of termsOf(a)) {
    for (const [n, d] of termsOf(b)) {
      // The names of a product are in order already.
      const names = m === "" ? n : n === "" ? m : `${m}*${n}`.split("*").sort().join("*");
      product.set(names, (product.get(names) ?? 0) + c * d);
    }
  }
  return fromTerms(product, a, b);
}

export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, mulDims(-1, b));
}

/** a / b where it comes out even, whatever the names stand for; else undefined. */
export function divideExactly(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined || b === 0) return undefined;
  if (sameDim(a, b)) return 1;
  const divisor = [...termsOf(b)];
  const [only] = divisor;
  if (only === undefined || divisor.length > 1) return undefined;
  const [names, coefficient] = only;
  const quotient = new Map<string, number>();
  for (const [m, c] of termsOf(a)) {
    const left = m === "" ? [] : m.split("*");
    for (const name of names === "" ? [] : names.split("*")) {
      const at = left.indexOf(name);
      if (at < 0) return undefined;
      left.splice(at, 1);
    }
    if (c % coefficient !== 0) return undefined;
    quotient.set(left.join("*"), c / coefficient);
  }
  return fromTerms(quotient, a);
}

/** ⌊a / b⌋, as a name of its own where it doesn't come out even. */
export function floorDivDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return b === 0 ? undefined : Math.floor(a / b);
  return divideExactly(a, b) ?? (a === undefined || b === undefined || b === 0 ? undefined : named("floor", `floor((${dimKey(a)})/(${dimKey(b)}))`, a, b));
}

/** The larger of two sizes, as a name of its own where the names leave it open. */
export function maxDims(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
  if (sameDim(a, b)) return a;
  if (isNonNegative(subDims(a, b))) return a;
  if (isNonNegative(subDims(b, a))) return b;
  return named("max", `max(${[dimKey(a), dimKey(b)].sort().join(", ")})`, a, b);
}

/** The smaller of two sizes, as a name of its own where the names leave it open. */
export function minDims(a: Dim, b: Dim): Dim {
  if (a === undefined || b === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number") return Math.min(a, b);
  if (sameDim(a, b)) return a;
  if (isNonNegative(subDims(a, b))) return b;
  if (isNonNegative(subDims(b, a))) return a;
  return named("min", `min(${[dimKey(a), dimKey(b)].sort().join(", ")})`, a, b);
}

/** Whether a is `minDims` of b and a number from 1: sizes that broadcast against b without changing it, or not at all. */
export function isCapped(a: Dim, b: Dim): boolean {
  if (!(a instanceof SymbolicDim)) return false;
  const meaning = a.meanings.get(a.key);
  const cap = sameDim(meaning?.a, b) ? meaning?.b : sameDim(meaning?.b, b) ? meaning?.a : undefined;
  return meaning?.operator === "min" && typeof cap === "number" && cap >= 1;
}

/** Whether both are known to be the same size. Two unknowns are not. */
export function sameDim(a: Dim, b: Dim): boolean {
  return a !== undefined && b !== undefined && dimKey(a) === dimKey(b);
}

/** Whether the names, which are sizes, leave no way for this to be negative. */
export function isNonNegative(a: Dim): boolean {
  return typeof a === "number" ? a >= 0 : a !== undefined && [...a.terms.values()].every((c) => c >= 0);
}

/** Whether two sizes are known to differ, whatever the names stand for. */
export function differentDims(a: Dim, b: Dim): boolean {
  const difference = subDims(a, b);
  if (difference === undefined || difference === 0) return false;
  if (typeof difference === "number") return true;
  const negated = mulDims(-1, difference);
  return isPositive(difference) || isPositive(negated);
}

function isPositive(a: Dim): boolean {
  return isNonNegative(a) && (typeof a === "number" ? a > 0 : a !== undefined && (a.terms.get("") ?? 0) > 0);
}

/** The dimension as text: a number, its expression, or "?". */
export function dimKey(dim: Dim): string {
  return dim === undefined ? "?" : typeof dim === "number" ? String(dim) : dim.key;
}

/** "[batch, sequence, 384]"; "[…]" where the rank is unknown. */
export function formatShape(shape: Shape | undefined): string {
  return shape === undefined ? "[…]" : `[${shape.map(dimKey).join(", ")}]`;
}

/** The number of elements. */
export function numberOfElements(shape: Shape): Dim {
  return shape.reduce<Dim>(mulDims, 1);
}

/** The value of a dimension once its names are given; one that isn't counts as `otherwise`. Undefined where that is left out too. */
export function evaluateDim(dim: Dim, sizes: Readonly<Record<string, number>>, otherwise?: number): number | undefined {
  if (dim === undefined || typeof dim === "number") return dim;
  let sum = 0;
  for (const [m, c] of dim.terms) {
    let product = c;
    for (const name of m === "" ? [] : m.split("*")) {
      // Names are a file's own words: "constructor" is one too.
      const size = (Object.hasOwn(sizes, name) ? sizes[name] : otherwise) ?? evaluateMeaning(dim.meanings.get(name), sizes);
      if (size === undefined) return undefined;
      product *= size;
    }
    sum += product;
  }
  return sum;
}

function evaluateMeaning(meaning: Meaning | undefined, sizes: Readonly<Record<string, number>>): number | undefined {
  const [a, b] = [evaluateDim(meaning?.a, sizes), evaluateDim(meaning?.b, sizes)];
  if (meaning === undefined || a === undefined || b === undefined) return undefined;
  switch (meaning.operator) {
    case "floor": return b === 0 ? undefined : Math.floor(a / b);
    case "min": return Math.min(a, b);
    case "max": return Math.max(a, b);
  }
}

/**
 * A `dim_param` as written by an exporter: a name, or (PyTorch's dynamo) sums, differences and products of names and numbers. Anything else is one
 * name; an empty text is unknown, and so is one that is too long to follow.
 */
export function parseDim(text: string): Dim {
  if (text === "" || text.length > MAX_DIM_LENGTH) return undefined;
  if (!/^\s*-?\s*(\d{1,15}|[A-Za-z_]\w*)(\s*[-+*]\s*(\d{1,15}|[A-Za-z_]\w*))*\s*$/.test(text)) return symbol(text.replaceAll("*", "·"));
  const summands = text.replaceAll(/\s/g, "").match(/[-+]?[^-+]+/g) ?? [];
  return summands.map((summand) => summand.replace(/^[-+]/, "").split("*")
    .map((factor): Dim => (/^\d+$/.test(factor) ? Number(factor) : symbol(factor))).reduce<Dim>(mulDims, summand.startsWith("-") ? -1 : 1)).reduce<Dim>(addDims, 0);
}
