import assert from "node:assert/strict";
import { DataType } from "../../../src/ir/data-type.ts";
import type { Node, Value } from "../../../src/ir/graph.ts";
import { Tensor } from "../../../src/ir/tensor.ts";
import { ownConstant, trainParameter } from "../../../src/passes/train-whole.ts";
import { replaceParameter } from "../../../src/passes/fold.ts";
import { findParameters, parameterName, type ModuleParameter } from "../../../src/passes/weights/find-parameters.ts";
import { findWeights } from "../../../src/passes/weights/find-weights.ts";
import { assertClose, assertSound, copyOf, openFixture, outputsOf, randomFloats, workbench, type Workbench } from "../workbench.ts";

const D = 4;
const x = randomFloats([2, D]);

function parametersOf({ graph }: Pick<Workbench, "graph">): ModuleParameter[] {
  return findParameters(graph, findWeights(graph));
}

const named = ({ op, model: { graph } }: Workbench, name: string, tensor: Tensor): Value => op.named(graph.addInitializer("t", tensor), name);
const ones = (): Tensor => Tensor.floats([D], [1, 1, 1, 1]);
const layerNorm = ({ op }: Workbench, value: Value, scale: Value, bias?: Value): Value => op.LayerNormalization(value, scale, bias)[0] ?? value;

/** Puts a node in a module, as dynamo says it. */
function inScope(value: Value, path: string): Value {
  (value.producer as Node).metadata.set("pkg.torch.onnx.name_scopes", `['', '${path}', 'op']`);
  return value;
}

/** Two norms of ones, stored once and handed on under the second's name, as TorchScript does. */
function twins(): Workbench {
  const bench = workbench(17);
  const first = named(bench, "body.norm.weight", ones());
  const second = bench.op.named(bench.op.Identity(first), "head.norm.weight");
  bench.output(layerNorm(bench, layerNorm(bench, bench.input("x", [2, D]), first), second), "y");
  return bench;
}

describe("tensors of modules that no product multiplies with are found", () => {
  it("by their names, and the weights and biases of products are left out", () => {
    const bench = workbench(17);
    const { op, input, weight, output } = bench;
    const rows = op.Gather(weight("embed.weight", [5, D]), input("ids", [2], DataType.INT64));
    const normed = layerNorm(bench, rows, weight("head.norm.weight", [D]), weight("head.norm.bias", [D]));
    output(op.Mul(op.Gemm(normed, weight("head.dense.weight", [D, D]), weight("head.dense.bias", [D])), weight("head.scale", [D])), "y");
    // What an exporter makes itself has no such name.
    output(layerNorm(bench, rows, weight("/head/Constant_output_0", [D])), "z");
    assert.deepEqual(parametersOf(bench).map(parameterName), ["embed.weight", "head.norm.weight", "head.norm.bias", "head.scale"]);
  });

  it("a normalization's mean and variance too, each by its input where one stored tensor is both bias and mean", () => {
    const bench = workbench(17);
    const zeros = bench.weight("head.bn.running_mean", [D]);
    const [scale, variance] = [bench.weight("head.bn.weight", [D]), bench.weight("head.bn.running_var", [D])];
    bench.output(bench.op.BatchNormalization(bench.input("x", [2, D]), scale, zeros, zeros, variance)[0] as Value, "y");
    assert.deepEqual(parametersOf(bench).map(parameterName), ["head.bn.weight", "head.bn.bias", "head.bn.running_mean", "head.bn.running_var"]);
  });

  it("behind a Cast, under the constant's name", () => {
    const bench = workbench(17);
    const half = named(bench, "norm.weight", Tensor.fromFloat32(DataType.FLOAT16, [D], Float32Array.from([1, 2, 3, 4])));
    bench.output(layerNorm(bench, bench.input("x", [2, D]), bench.op.Cast(half, { to: DataType.FLOAT })), "y");
    assert.deepEqual(parametersOf(bench).map((p) => [parameterName(p), p.tensor.dataType]), [["norm.weight", DataType.FLOAT16]]);
  });

  it("equal ones apart: by the name of TorchScript's Identity", () => {
    assert.deepEqual(parametersOf(twins()).map((p) => [parameterName(p), p.uses.length]), [["body.norm.weight", 1], ["head.norm.weight", 1]]);
  });

  it("equal ones apart: by dynamo's scopes, also where a product's bias has the name", () => {
    const bench = workbench(17);
    const { op, input, weight, output } = bench;
    const [scale, zeros] = [named(bench, "body.norm.weight", ones()), named(bench, "body.dense.bias", Tensor.floats([D], [0, 0, 0, 0]))];
    const inside = inScope(layerNorm(bench, input("x", [2, D]), scale, weight("body.norm.bias", [D])), "body.norm");
    const dense = inScope(op.Gemm(inside, weight("body.dense.weight", [D, D]), zeros), "body.dense");
    output(inScope(layerNorm(bench, dense, scale, zeros), "head.norm"), "y");
    assert.deepEqual(parametersOf(bench).map(parameterName), ["body.norm.weight", "body.norm.bias", "head.norm.weight", "head.norm.bias"]);
  });

  it("a module called twice, or whose parent computes with it, has one", () => {
    const bench = workbench(17);
    const scale = bench.weight("body.norm.weight", [D]);
    const once = inScope(layerNorm(bench, bench.input("x", [2, D]), scale), "body.norm");
    bench.output(inScope(layerNorm(bench, inScope(layerNorm(bench, once, scale), "body.norm@1"), scale), "body"), "y");
    assert.deepEqual(parametersOf(bench).map((p) => [parameterName(p), p.uses.length]), [["body.norm.weight", 3]]);
  });

  it("in ModernBERT's exports the same ones", () => {
    const [ts, dynamo] = ["ts", "dynamo"].map((exporter) => parametersOf(openFixture(`families/modernbert/model.${exporter}.onnx`))
      .map(parameterName).filter((name) => name.endsWith(".weight")).sort());
    assert.deepEqual(ts, dynamo);
    assert.ok(ts?.includes("head.norm.weight") && ts.includes("model.embeddings.tok_embeddings.weight"));
  });
});

describe("a tensor trained whole that is stored once with equal ones", () => {
  it("gets a constant of its own, and only its module changes", async () => {
    const bench = twins();
    const copy = copyOf(bench.model);
    const before = await outputsOf(bench.model, { x });
    const head = parametersOf(copy).find((p) => p.modulePath === "head.norm");
    assert.ok(head !== undefined);
    const trained = trainParameter(copy.graph, head);
    assert.deepEqual([trained.shape, [...trained.start], trained.value.uses.length], [[D], [1, 1, 1, 1], 1]);
    assert.deepEqual(await outputsOf(copy, { x }), before);
    assert.ok(trained.held !== undefined);
    replaceParameter(copy.graph, trained.held, Float32Array.from([2, 2, 2, 2]));
    assertSound(copy.graph);
    assertClose((await outputsOf(copy, { x }))["y"] ?? [], (before["y"] ?? []).map((v) => 2 * v), 1e-6, "y");
    assert.deepEqual([...copy.graph.initializers].map((v) => [...v.initializer?.toNumbers() ?? []]), [[1, 1, 1, 1], [2, 2, 2, 2]]);
  });

  it("and none where it is alone already", () => {
    const bench = workbench(17);
    bench.output(layerNorm(bench, bench.input("x", [2, D]), bench.weight("norm.weight", [D])), "y");
    const [only] = parametersOf(bench);
    assert.ok(only !== undefined);
    assert.equal(ownConstant(bench.graph, only), only);
  });
});
