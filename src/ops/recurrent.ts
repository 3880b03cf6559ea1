/** Recurrent layers over x [T, N, i], or [N, T, i] with layout 1. D is 2 for both directions, else 1. */
import { intOf, stringOf } from "../ir/attribute.ts";
import { addDims, mulDims, type Dim } from "../ir/dim.ts";
import type { Facts } from "../ir/graph.ts";
import { defineOp, type FlopRule, type InferContext } from "./define.ts";

/** y [T, D, N, h] and the last states [D, N, h]; with layout 1, [N, T, D, h] and [N, D, h]. */
const layer = (c: InferContext): Facts[] => {
  const [x, h] = [c.shape(0), intOf(c.node, "hidden_size", undefined) ?? c.shape(2)?.[2]];
  const directions = stringOf(c.node, "direction", "forward") === "bidirectional" ? 2 : 1;
  const batchFirst = intOf(c.node, "layout", 0) === 1;
  const [steps, batch] = batchFirst ? [x?.[1], x?.[0]] : [x?.[0], x?.[1]];
  const last = { dataType: c.dataType(0), shape: batchFirst ? [batch, directions, h] : [directions, batch, h] };
  return [{ dataType: c.dataType(0), shape: batchFirst ? [batch, steps, directions, h] : [steps, directions, batch, h] }, last, last];
};

/** Two for each weight, at each step of each row. */
const flops: FlopRule = (c): Dim => {
  const [x, w, r] = [c.shape(0), c.shape(1), c.shape(2)];
  if (x === undefined || w === undefined || r === undefined) return undefined;
  return mulDims(2, mulDims(mulDims(x[0], x[1]), mulDims(mulDims(w[0], w[1]), addDims(w[2], r[2]))));
};

export const RNN = defineOp({
  name: "RNN", opsets: [1, 7, 14, 22], inputs: ["X", "W", "R", "B", "sequence_lens", "initial_h"], outputs: ["Y", "Y_h"], shape: layer, flops,
  gradient: { X: "unwritten", W: "unwritten", R: "unwritten", B: "unwritten", sequence_lens: "none", initial_h: "unwritten" },
});

export const GRU = defineOp({
  name: "GRU", opsets: [1, 3, 7, 14, 22], inputs: ["X", "W", "R", "B", "sequence_lens", "initial_h"], outputs: ["Y", "Y_h"], shape: layer, flops,
  gradient: { X: "unwritten", W: "unwritten", R: "unwritten", B: "unwritten", sequence_lens: "none", initial_h: "unwritten" },
});

export const LSTM = defineOp({
  name: "LSTM", opsets: [1, 7, 14, 22], outputs: ["Y", "Y_h", "Y_c"], shape: layer, flops,
  inputs: ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"],
  gradient: {
    X: "unwritten", W: "unwritten", R: "unwritten", B: "unwritten", sequence_lens: "none", initial_h: "unwritten", initial_c: "unwritten", P: "unwritten",
  },
});
