/** Sums of products by subscripts. */
import { stringOf } from "../ir/attribute.ts";
import { mulDims, type Dim, type Shape } from "../ir/dim.ts";
import type { Node, Value } from "../ir/graph.ts";
import { broadcastDim, shapeOf, unbroadcast } from "./broadcast.ts";
import { defineOp, type InferContext } from "./define.ts";
import type { OpBuilder } from "./generated/builder.ts";

/** An equation in which every axis has a letter of its own: what "..." stands for is spelled out. */
interface Equation {
  readonly inputs: readonly string[];
  readonly output: string;
}

const LETTERS = Array.from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

/** Longest equation that is followed; those of real models have under 40 characters. */
const MAX_EQUATION = 1024;

/** Undefined where "..." stands for axes whose number is unknown, and for an equation that is too long. */
function equationOf(node: Node, ranks: readonly (number | undefined)[]): Equation | undefined {
  if (stringOf(node, "equation", "").length > MAX_EQUATION) return undefined;
  const [left = "", right] = stringOf(node, "equation", "").replaceAll(/\s/g, "").split("->");
  const terms = left.split(",");
  const letters = terms.join("").replaceAll(/[.]/g, "");
  const hidden = terms.map((term, i) => (term.includes("...") ? (ranks[i] ?? NaN) - (term.length - 3) : 0));
  if (hidden.some(Number.isNaN)) return undefined;
  const fresh = LETTERS.filter((l) => !letters.includes(l)).slice(0, Math.max(0, ...hidden)).join("");
  const spelled = (term: string, count: number): string => term.replace("...", fresh.slice(fresh.length - count));
  // Without an arrow the result has the letters that stand once, in order, after the axes without letters.
  const once = [...new Set(letters)].filter((l) => letters.indexOf(l) === letters.lastIndexOf(l)).sort().join("");
  return { inputs: terms.map((term, i) => spelled(term, hidden[i] ?? 0)), output: right === undefined ? fresh + once : spelled(right, fresh.length) };
}

/** The size behind each letter. */
function sizesOf({ inputs }: Equation, shapes: readonly (Shape | undefined)[]): Map<string, Dim> {
  const sizes = new Map<string, Dim>();
  inputs.forEach((term, i) => {
    Array.from(term).forEach((letter, axis) => {
      const size = shapes[i]?.[axis];
      sizes.set(letter, sizes.has(letter) ? broadcastDim(sizes.get(letter), size) : size);
    });
  });
  return sizes;
}

function shapesIn(c: InferContext): (Shape | undefined)[] {
  return c.node.inputs.map((_, i) => c.shape(i));
}

/**
 * y[out] = Σ Π inputs, over the letters that `out` lacks. The gradient of an input is the same kind of sum, of dy and the other inputs, with
 * that input's letters as result; a letter that stands in this input alone was summed away, so dy is repeated along it.
 */
export const Einsum = defineOp({
  name: "Einsum", opsets: [12], inputs: ["Inputs"], outputs: ["Output"],
  shape: (c) => {
    const shapes = shapesIn(c);
    const equation = equationOf(c.node, shapes.map((s) => s?.length));
    if (equation === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    const sizes = sizesOf(equation, shapes);
    return [{ dataType: c.dataType(0), shape: Array.from(equation.output).map((letter) => sizes.get(letter)) }];
  },
  flops: (c) => {
    const shapes = shapesIn(c);
    const equation = equationOf(c.node, shapes.map((s) => s?.length));
    return equation === undefined ? undefined : [...sizesOf(equation, shapes).values()].reduce<Dim>(mulDims, shapes.length > 1 ? 2 : 1);
  },
  gradient: {
    Inputs: ({ op, node, index, grad: { Output } }) => {
      const inputs = node.inputs.filter((v) => v !== undefined);
      const equation = equationOf(node, inputs.map((v) => v.shape?.length));
      if (equation === undefined) throw new TypeError("the ranks of all inputs must be known where \"...\" stands for axes");
      return inputGradient(op, equation, inputs, index, Output);
    },
  },
});

function inputGradient(op: OpBuilder, { inputs: terms, output }: Equation, inputs: readonly Value[], index: number, dy: Value): Value {
  const [term, input] = [terms[index], inputs[index]];
  if (term === undefined || input === undefined) throw new TypeError("a gradient was asked for an input that isn't there");
  if (new Set(term).size < term.length) throw new TypeError(`the diagonal that "${term}" takes has no gradient rule`);
  const others = terms.flatMap((t, i) => (i === index ? [] : [t]));
  const given = [output, ...others].join("");
  const kept = Array.from(term).filter((letter) => given.includes(letter)).join("");
  const alone = Array.from(term).flatMap((letter, axis) => (given.includes(letter) ? [] : [axis]));
  const sum = op.Einsum([dy, ...inputs.filter((_, i) => i !== index)], { equation: `${[output, ...others].join()}->${kept}` });
  return unbroadcast(op, alone.length === 0 ? sum : op.Expand(op.Unsqueeze(sum, alone), shapeOf(op, input)), input);
}
