/**
 * The interface of an updated transformation: W' = U(W), the new weight a function of the old one. One definition of U serves training,
 * deployment and folding: each evaluates the subgraph that `apply` emits.
 */
import type { Dim } from "../ir/dim.ts";
import { DataType } from "../ir/data-type.ts";
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";

/** What an axis of a parameter runs over: the weight's inputs k, its outputs n, the rank r. */
export type Axis = "in" | "out" | "rank";

/** How a parameter starts: uniform in ±bound, one value, or the length of each of W's columns. */
export type Start = { readonly kind: "uniform"; readonly bound: number } | { readonly kind: "constant"; readonly value: number } | { readonly kind: "column-norms" };

/** A tensor of a method, for one weight W [k, n]. */
export interface ParameterSpec {
  /** Its name in our graphs, behind the module path: "hut_A". */
  readonly name: string;
  readonly axes: readonly Axis[];
  /** The sizes of its axes. */
  readonly shape: readonly number[];
  readonly start: Start;
  /** Whether the scale s may be multiplied into it: one of the method's parameters, where the method has a scale. */
  readonly scalable: boolean;
  /** What PEFT calls it, and its axes there, 1 for one of length 1: ours in the same order or turned. */
  readonly peft: { readonly name: string; readonly axes: readonly (Axis | 1)[] };
}

/** What a method is told about the weight it adapts. */
export interface WeightShape {
  readonly k: number;
  readonly n: number;
  readonly rank: number;
  /** s. */
  readonly scale: number;
  /** Whether the weight is the second of a feed-forward block, where (IA)³ scales what comes in. */
  readonly feedforward?: boolean | undefined;
}

/** What the scale follows from. */
export interface ScaleSettings {
  readonly rank: number;
  readonly alpha: number;
  /** rsLoRA. */
  readonly rankStabilized?: boolean | undefined;
}

/** How PEFT keeps adapters of a method. */
export interface PeftForm {
  /** `peft_type`. */
  readonly type: string;
  /** The field by which methods of one type differ. */
  readonly variant?: Readonly<Record<string, boolean>>;
  /** The field of alpha; without one, s is multiplied into the scalable parameter, or there is none. */
  readonly alpha?: string;
  /** Fields of this type alone that change nothing in what a trained adapter computes, as PEFT writes them. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Fields that PEFT has for other types, and not for this one. */
  readonly lacks: readonly string[];
  /** What it calls the probability with which an element of what the update multiplies is dropped in training. */
  readonly dropout?: string | undefined;
  /** How a convolution's kernel [n, c, ..] stands in it: k spread over its axes, or flat; "none" where PEFT's is another function or missing. */
  readonly kernels: "spread" | "flat" | "none";
  /**
   * How roles of a packed weight stand in one module: factors stacked; vectors side by side, and this number in the other columns; or not at all, and then
   * the weight is adapted whole.
   */
  readonly packed: "stacked" | number | "whole";
}

/** A method: its parameters, its subgraph, its cost. */
export interface UpdatedTransformation {
  /** As `--method` takes it. */
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** How many numbers one weight [k, n] takes, for docs. */
  readonly numbers: string;
  /** Undefined where PEFT has no such type: of what is trained whole. */
  readonly peft?: PeftForm | undefined;
  /** Of a method that adapts nothing: what is trained whole, beside the modules to save. */
  readonly trains?: "nothing" | "biases" | "everything";
  /** Default learning rate of AdamW. */
  readonly defaultLearningRate: number;
  /** Which flags of low-rank products it takes, and whether it tells feed-forward modules apart. */
  readonly takes: readonly ("rank" | "alpha" | "rslora" | "feedforward")[];
  /** The scale s that multiplies the low-rank product. */
  scale(settings: ScaleSettings): number;
  parameters(weight: WeightShape): readonly ParameterSpec[];
  /** Frozen tensors that all weights share, for the largest k and n among them; undefined where there are none. */
  readonly shared?: (largest: WeightShape) => readonly ParameterSpec[];
  /**
   * Emits U on the weight as the graph has it: `w` is [k, n], or [n, k] where `stored` is "nk". `values` are in the order of
   * `parameters()`, then those that are shared, always in [k, n] terms. Returns W' in w's own layout and type.
   */
  apply(op: OpBuilder, w: Value, values: readonly Value[], weight: WeightShape, stored: "kn" | "nk"): Value;
  /** An axis along which an element of W' follows from more of W than itself: between cuts of W along it, U would be another. Folding cuts along the others. */
  readonly couples?: "in" | "out";
  /** Whether the bias is updated like a row of the weight, [1, n], too. */
  readonly updatesBias?: (weight: WeightShape) => boolean;
  /** Whether parameters may come in as inputs of any rank: those of rank 0 change nothing. */
  readonly swappable: boolean;
  /**
   * The same U with parameters for each row of a batch, which have the rows as a first axis: W [k, n] → W' [rows, k, n], or [rows, n, k]. Left out where
   * a method can't.
   */
  readonly applyRows?: UpdatedTransformation["apply"];
  /** Floating point operations of forming W', once a run. */
  flops(weight: WeightShape): Dim;
}

/** A spec whose shape follows from its axes. */
export function parameter(weight: WeightShape, name: string, axes: readonly Axis[], start: Start, peft: ParameterSpec["peft"], scalable = false): ParameterSpec {
  const sizes = { in: weight.k, out: weight.n, rank: weight.rank };
  return { name, axes, shape: axes.map((axis) => sizes[axis]), start, scalable, peft };
}

/** torch's kaiming_uniform_ with a = √5, by which its Linear starts. */
export function kaimingUniform(fanIn: number): Start {
  return { kind: "uniform", bound: 1 / Math.sqrt(fanIn) };
}

export const ZEROS: Start = { kind: "constant", value: 0 };
export const ONES: Start = { kind: "constant", value: 1 };

/** s = alpha / r. */
export function alphaOverRank({ alpha, rank }: ScaleSettings): number {
  return alpha / rank;
}

/** alpha / r, or with rank stabilization (rsLoRA) alpha / √r. */
export function stabilizedScale({ alpha, rank, rankStabilized }: ScaleSettings): number {
  return alpha / (rankStabilized === true ? Math.sqrt(rank) : rank);
}

/** What `update` makes of w in float32, in w's own type. */
export function inFloat(op: OpBuilder, w: Value, update: (w: Value) => Value): Value {
  if (w.dataType === DataType.FLOAT) return update(w);
  return op.Cast(update(op.Cast(w, { to: DataType.FLOAT })), { to: w.dataType });
}

/** The values of a method's tensors by their names. */
export function named<Name extends string>(names: readonly Name[], values: readonly Value[]): Readonly<Record<Name, Value>> {
  if (values.length !== names.length) throw new TypeError(`${String(values.length)} values for ${names.join(", ")}`);
  return Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Name, Value>;
}

/** factor·A·B + C in the layout of the weight: one Gemm. */
export function product(op: OpBuilder, a: Value, b: Value, c: Value | undefined, stored: "kn" | "nk", alpha = 1): Value {
  return stored === "kn" ? op.Gemm(a, b, c, { alpha }) : op.Gemm(b, a, c, { alpha, transA: 1, transB: 1 });
}

/** A vector over n (or over k) so that it broadcasts along the weight's other axis. */
export function along(op: OpBuilder, vector: Value, axis: "in" | "out", stored: "kn" | "nk"): Value {
  return (axis === "out") === (stored === "kn") ? vector : op.Unsqueeze(vector, [1]);
}
