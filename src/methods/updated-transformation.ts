/**
 * The interface of an updated transformation: W' = U(W), the new weight a function of the old one. One definition of U serves training,
 * deployment and folding: each evaluates the subgraph that `apply` emits.
 */
import type { Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { OpBuilder } from "../ops/generated/builder.ts";

/** A trainable tensor of a method, for one weight W [k, n]. */
export interface ParameterSpec {
  /** Its name in our graphs, behind the module path: "hut_A". */
  readonly name: string;
  readonly shape: readonly number[];
  /** How it starts: torch's Kaiming-uniform (a = √5) over `fanIn`, or zeros. */
  readonly start: { readonly kind: "kaiming-uniform"; readonly fanIn: number } | { readonly kind: "zeros" };
  /** What PEFT calls it, whether PEFT holds it transposed, whether PEFT's has the scale s multiplied in, and which side it has beside r: in is k, out is n. */
  readonly peft: { readonly name: string; readonly transposed: boolean; readonly scaled: boolean; readonly side: "in" | "out" };
}

/** What a method is told about the weight it adapts. */
export interface WeightShape {
  readonly k: number;
  readonly n: number;
  readonly rank: number;
  readonly alpha: number;
}

/** A method: its parameters, its subgraph, its cost. */
export interface UpdatedTransformation {
  /** As `--method` takes it. */
  readonly name: string;
  /** One line for help and docs. */
  readonly summary: string;
  /** PEFT's `peft_type` for adapters of this method. */
  readonly peftType: string;
  /** Default learning rate of AdamW. */
  readonly defaultLearningRate: number;
  /** The scale s that multiplies the low-rank product. */
  scale(weight: WeightShape): number;
  /** The scale that a PEFT adapter of this method implies, from its own fields. */
  peftScale(adapter: { readonly rank: number; readonly alpha?: number | undefined }): number;
  parameters(weight: WeightShape): readonly ParameterSpec[];
  /**
   * Emits U on the weight as the graph has it: `w` is [k, n], or [n, k] where `stored` is "nk". `parameters` are in the order of
   * `parameters()`, always in [k, n] terms. Returns W' in w's own layout and type.
   */
  apply(op: OpBuilder, w: Value, parameters: readonly Value[], weight: WeightShape, stored: "kn" | "nk"): Value;
  /**
   * The same U with parameters for each row of a batch, which have the rows as a first axis: W [k, n] → W' [rows, k, n], or [rows, n, k]. Left out where
   * a method can't.
   */
  readonly applyRows?: UpdatedTransformation["apply"];
  /** Floating point operations of forming W', once a run. */
  flops(weight: WeightShape): Dim;
}
