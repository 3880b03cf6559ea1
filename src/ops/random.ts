/** Numbers drawn by the runtime's own generator. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { defineOp, type OpDefinition } from "./define.ts";

const drawn = (name: string): OpDefinition<never, "output"> => defineOp({
  name, opsets: [1, 22], inputs: [], outputs: ["output"], gradient: "none", flops: "elementwise",
  shape: (c) => [{ dataType: intOf(c.node, "dtype", DataType.FLOAT), shape: intsOf(c.node, "shape") }],
});
const drawnLike = (name: string): OpDefinition<"input", "output"> => defineOp({
  name, opsets: [1, 22], inputs: ["input"], outputs: ["output"], gradient: { input: "none" }, flops: "elementwise",
  shape: (c) => [{ dataType: intOf(c.node, "dtype", 0) || c.dataType(0), shape: c.shape(0) }],
});

export const RandomNormal = drawn("RandomNormal");
export const RandomUniform = drawn("RandomUniform");
export const RandomNormalLike = drawnLike("RandomNormalLike");
export const RandomUniformLike = drawnLike("RandomUniformLike");

/** Ones with the probabilities given. The draw depends on them in a way that no derivative says. */
export const Bernoulli = defineOp({
  name: "Bernoulli", opsets: [15, 22], inputs: ["input"], outputs: ["output"], gradient: { input: "not differentiable" }, flops: "elementwise",
  shape: (c) => [{ dataType: intOf(c.node, "dtype", 0) || c.dataType(0), shape: c.shape(0) }],
});

/** Classes drawn by their unnormalized logarithms of probability: [N, C] → [N, sample_size]. */
export const Multinomial = defineOp({
  name: "Multinomial", opsets: [7, 22], inputs: ["input"], outputs: ["output"], gradient: { input: "not differentiable" }, flops: "elementwise",
  shape: (c) => [{ dataType: intOf(c.node, "dtype", DataType.INT32), shape: [c.shape(0)?.[0], intOf(c.node, "sample_size", 1)] }],
});
