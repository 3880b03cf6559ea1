/**
 * AdamW on flat vectors, as torch.optim.AdamW computes it: a dozen elementwise nodes, however many weights are adapted.
 *
 * Requires: a flat gradient [P]. Guarantees: new outputs `theta_next`, `adam_m_next`, `adam_v_next` [P] and `grad_norm` []; new inputs for
 * the settings. Rules: (1) g ← g · min(1, max_grad_norm / (‖g‖ + 1e-6)), nothing where max_grad_norm is 0; (2) θ ← θ · (1 − lr · weight_decay);
 * (3) m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²; (4) θ ← θ − lr/(1−β₁ᵗ) · m / (√v / √(1−β₂ᵗ) + ε).
 */
import { DataType } from "../ir/data-type.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { OpBuilder } from "../ops/generated/builder.ts";
import { vectorOfRuns, type Run } from "./flat-vector.ts";

/** A piece of theta, as one of torch's parameter groups has it. */
export interface ThetaSegment {
  readonly length: number;
  /** Its learning rate, as a multiple of `lr`. */
  readonly rate: number;
  /** Whether `weight_decay` is for it. */
  readonly decays: boolean;
}

/** torch.optim.AdamW's own defaults. */
export const ADAMW: { readonly beta1: number; readonly beta2: number; readonly epsilon: number } = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export interface AttachOptimizerOptions {
  readonly opsets: ReadonlyMap<string, number>;
  /** The flat parameters [P]. */
  readonly theta: Value;
  /** Their mean gradient [P], not clipped. */
  readonly gradient: Value;
  /** In theta's order, and as long together. Where it is left out, all of theta has `lr` and is decayed. */
  readonly segments?: readonly ThetaSegment[] | undefined;
}

/** Adds the optimizer's inputs and nodes, and its outputs to the graph's. */
export function attachAdamW(graph: Graph, { opsets, theta, gradient, segments }: AttachOptimizerOptions): void {
  const op = new OpBuilder(graph, { opsets, origin: "attach-optimizer" });
  const vector = theta.facts ?? { dataType: DataType.FLOAT, shape: undefined };
  const setting = (name: string): Value => graph.addInput(name, { dataType: DataType.FLOAT, shape: [] });
  const m = graph.addInput("adam_m", vector);
  const v = graph.addInput("adam_v", vector);
  const [lrInput, decayInput, maxGradNorm] = [setting("lr"), setting("weight_decay"), setting("max_grad_norm")];
  // Dropout may have brought it.
  const count = graph.inputs.find(({ name }) => name === "step") ?? graph.addInput("step", { dataType: DataType.INT64, shape: [] });
  const step = op.Cast(count, { to: DataType.FLOAT });

  const norm = op.Sqrt(op.ReduceSum(op.Mul(gradient, gradient), undefined, { keepdims: 0 }));
  const ratio = op.Min([op.Div(maxGradNorm, op.Add(norm, op.scalar(1e-6))), op.scalar(1)]);
  const factor = op.Where(op.Greater(maxGradNorm, op.scalar(0)), ratio, op.scalar(1));
  const g = op.Mul(gradient, factor);

  const { beta1, beta2, epsilon } = ADAMW;
  const lr = perElement(op, lrInput, segments?.map(({ length, rate }) => ({ length, value: rate })));
  const weightDecay = perElement(op, decayInput, segments?.map(({ length, decays }) => ({ length, value: Number(decays) })));
  const decayed = op.Mul(theta, op.Sub(op.scalar(1), op.Mul(lr, weightDecay)));
  const mNext = op.Add(op.Mul(m, op.scalar(beta1)), op.Mul(g, op.scalar(1 - beta1)));
  const vNext = op.Add(op.Mul(v, op.scalar(beta2)), op.Mul(op.Mul(g, g), op.scalar(1 - beta2)));
  const rate = op.Div(lr, bias(op, beta1, step));
  const deviation = op.Add(op.Div(op.Sqrt(vNext), op.Sqrt(bias(op, beta2, step))), op.scalar(epsilon));
  const thetaNext = op.Sub(decayed, op.Div(op.Mul(mNext, rate), deviation));
  for (const [name, value] of Object.entries({ grad_norm: norm, theta_next: thetaNext, adam_m_next: mNext, adam_v_next: vNext })) {
    graph.outputs.push(op.named(value, name));
  }
}

/** A setting [], or for each number of theta its multiple [P]. */
function perElement(op: OpBuilder, setting: Value, runs: readonly Run[] | undefined): Value {
  return runs === undefined || runs.every(({ value }) => value === 1) ? setting : op.Mul(setting, vectorOfRuns(op, runs));
}

/** 1 − βᵗ, as −expm1(t·ln β): in float32, 1 − 0.999ᵗ itself would lose half its digits at the first steps. */
function bias(op: OpBuilder, beta: number, step: Value): Value {
  const x = op.Mul(step, op.scalar(Math.log(beta)));
  // expm1(x) = tanh(x/2) · (eˣ + 1), exact to rounding where eˣ − 1 cancels.
  return op.Neg(op.Mul(op.Tanh(op.Mul(x, op.scalar(0.5))), op.Add(op.Exp(x), op.scalar(1))));
}
