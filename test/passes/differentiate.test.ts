import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { HutError } from "../../src/errors/hut-error.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { symbol, type Shape } from "../../src/ir/dim.ts";
import { Graph, Node, type Value } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { definitionOf } from "../../src/ops/registry.ts";
import { differentiate, nodesWithoutGradient } from "../../src/passes/differentiate.ts";
import { Random } from "../../src/runtime/random.ts";
import { doubles, numbersOf, prepare, runGraph } from "../ops/run-graph.ts";

interface Bench {
  readonly graph: Graph;
  readonly op: OpBuilder;
  readonly opsets: ReadonlyMap<string, number>;
  readonly input: (name: string, shape: Shape, dataType?: number) => Value;
}

function bench(opset = 17): Bench {
  const graph = new Graph();
  const opsets = new Map([["", opset]]);
  const op = new OpBuilder(graph, { opsets, origin: "forward" });
  return { graph, op, opsets, input: (name, shape, dataType = DataType.DOUBLE) => graph.addInput(name, { dataType, shape }) };
}

const total = (op: OpBuilder, value: Value): Value => op.ReduceSum(value, undefined, { keepdims: 0 });

/** The operators that differentiation added, in order. */
function added({ graph, opsets }: Bench, loss: Value, wrt: readonly Value[]): string[] {
  const before = graph.nodes.length;
  differentiate(graph, { opsets, loss, wrt });
  return graph.nodes.slice(before).map((node) => node.opType);
}

const failure = (code: string, message: RegExp) => (error: unknown): boolean => {
  assert.ok(error instanceof HutError);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

describe("differentiate", () => {
  it("adds the gradients of a value that is read several times, by one node too", async () => {
    const b = bench();
    const x = b.input("x", [3]);
    const squared = b.op.Mul(x, x);
    const loss = total(b.op, b.op.Add(b.op.Mul(squared, x), b.op.Sub(x, squared)));
    const gradients = differentiate(b.graph, { opsets: b.opsets, loss, wrt: [x, squared, loss] });
    const values = [x, squared, loss].map((v) => b.op.Identity(gradients.get(v) ?? x));
    b.graph.outputs.push(...values);
    const results = await runGraph(b.graph, 17, { x: doubles([3], [1, 2, -3]) });
    assert.deepEqual(values.map((v) => [...numbersOf(results[v.name])]), [[2, 9, 34], [0, 1, -4], [1]]);
  });

  it("visits only what lies between the chosen values and the loss", () => {
    const b = bench();
    const [x, mask] = [b.input("x", [2, 3]), b.input("mask", [2, 3], DataType.INT64)];
    // Tile and NonZero have no rule, and need none here.
    const masked = b.op.Where(b.op.Equal(b.op.Tile(mask, [1, 1]), [0]), b.op.scalar(-1, x), b.op.Add(x, b.op.Cast(b.op.Size(b.op.NonZero(mask)), { to: DataType.DOUBLE })));
    assert.deepEqual(added(b, total(b.op, masked), [x]), ["Expand", "Where"]);
  });

  it("leaves the forward nodes as they are, but for statistics that a LayerNormalization is asked for", () => {
    const b = bench();
    const [x, scale] = [b.input("x", [2, 3]), b.input("scale", [3])];
    const loss = total(b.op, b.op.LayerNormalization(x, scale)[0] ?? x);
    const forward = b.graph.nodes.map((node) => ({ node, inputs: [...node.inputs], outputs: [...node.outputs] }));
    differentiate(b.graph, { opsets: b.opsets, loss, wrt: [x] });
    forward.forEach(({ node, inputs, outputs }, i) => {
      assert.equal(b.graph.nodes[i], node);
      assert.deepEqual(node.inputs, inputs);
      assert.deepEqual(node.outputs.slice(0, outputs.length), outputs);
    });
    assert.equal(forward[0]?.node.outputs.length, 3);
  });

  describe("emits few nodes on the common path", () => {
    const [batch, sequence] = [symbol("batch"), symbol("sequence")];
    const hidden: Shape = [batch, sequence, 64];
    const rows: [name: string, build: (b: Bench, x: Value) => Value, expected: string[]][] = [
      // A multiplication and a sum would hold [T, k, n] at once; a Transpose of W would be folded and kept a second time.
      ["a product with a weight", ({ op, input }, x) => op.MatMul(x, input("w", [64, 32], DataType.FLOAT)), ["Reshape", "Gemm", "Shape", "Reshape"]],
      ["a bias", ({ op, input }, x) => op.Add(x, input("b", [64], DataType.FLOAT)), []],
      ["a residual", ({ op }, x) => op.Add(x, op.Mul(x, op.scalar(2, x))), ["Mul", "Add"]],
      ["a scale", ({ op }, x) => op.Mul(x, op.scalar(0.125, x)), ["Mul"]],
      ["a softmax", ({ op }, x) => op.Softmax(x), ["Mul", "ReduceSum", "Sub", "Mul"]],
      ["a mask", ({ op, input }, x) => op.Where(input("mask", [batch, 1, 64], DataType.BOOL), x, op.scalar(-1e9, x)), ["Where"]],
      ["heads split off", ({ op }, x) => op.Transpose(op.Reshape(x, [0, 0, 4, 16]), { perm: [0, 2, 1, 3] }), ["Transpose", "Reshape"]],
      ["the first token", ({ op }, x) => op.Gather(x, op.scalar(0, op.Shape(x)), { axis: 1 }), ["Unsqueeze", "Shape", "Gather", "Sub", "Sub", "Concat", "Pad"]],
      ["a LayerNormalization", ({ op, input }, x) => op.LayerNormalization(x, input("scale", [64], DataType.FLOAT), input("b", [64], DataType.FLOAT))[0] ?? x,
        ["Mul", "Sub", "Mul", "ReduceMean", "Mul", "Mul", "ReduceMean", "Sub", "Mul", "Sub", "Mul"]],
    ];
    for (const [name, build, expected] of rows) {
      it(name, () => {
        const b = bench();
        const x = b.input("x", hidden, DataType.FLOAT);
        const y = build(b, x);
        const dy = b.input("dy", y.shape ?? [], DataType.FLOAT);
        const loss = total(b.op, b.op.Mul(y, dy));
        // The loss brings a Shape, an Expand and a Mul of its own.
        assert.deepEqual(added(b, loss, [x]).slice(3), expected);
      });
    }
  });

  describe("refuses", () => {
    it("an operator without a rule, and names the way from the weight to the loss", () => {
      const b = bench(20);
      const w = b.input("w", [2, 2, 3]);
      const loss = total(b.op, b.op.Neg(b.op.AffineGrid(b.op.Exp(w), [2, 1, 4, 5])));
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [w] }),
        failure("NO_GRADIENT", /^No gradient rule for AffineGrid, node "forward\/AffineGrid_1"\. The loss reaches the trained weights through it: w → Exp .* → AffineGrid .* → Neg .* → ReduceSum .*\. Choose/));
      assert.deepEqual(nodesWithoutGradient(b.graph, loss, [w]).map(({ node }) => node.opType), ["AffineGrid"]);
    });

    it("an operator that nobody here knows", () => {
      const b = bench();
      const w = b.input("w", [2, 3]);
      const made = b.graph.newValue("made", { dataType: DataType.DOUBLE, shape: [2, 3] });
      b.graph.insert([new Node({ opType: "Mystery", domain: "com.example", name: "m" }, [w], [made])]);
      const loss = total(b.op, made);
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [w] }), failure("NO_GRADIENT", /com\.example::Mystery, node "m" \(an operator unknown here\)/));
      assert.deepEqual(nodesWithoutGradient(b.graph, loss, [w]).map(({ node }) => node.opType), ["Mystery"]);
    });

    it("such a one by its name, also where its result has no known shape and a rule behind it would need one", () => {
      const b = bench();
      const w = b.input("w", [2, 3]);
      const made = b.graph.newValue("made", undefined);
      b.graph.insert([new Node({ opType: "Mystery", domain: "com.example", name: "m" }, [w], [made])]);
      const loss = total(b.op, b.op.Gather(made, b.op.ints([0]), { axis: 1 }));
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [w] }), failure("NO_GRADIENT", /com\.example::Mystery, node "m"/));
    });

    it("an older version of an operator that means something else", () => {
      const b = bench(9);
      const w = b.input("w", [2, 3, 4]);
      const loss = total(b.op, b.op.Clip(w, b.op.scalar(0, w), b.op.scalar(1, w)));
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [w] }), failure("NO_GRADIENT", /Clip.*\(in opset 9 it means something else than since opset 11\)/));
      assert.deepEqual(nodesWithoutGradient(b.graph, loss, [w], b.opsets).map(({ node }) => node.opType), ["Clip"]);
    });

    it("a weight that the loss doesn't depend on, be it that only steps and shapes lead there", () => {
      const b = bench();
      const [x, unused, stepped, sized] = [b.input("x", [2]), b.input("unused", [2]), b.input("stepped", [2]), b.input("sized", [2])];
      const loss = total(b.op, b.op.Add(b.op.Mul(x, b.op.Floor(stepped)), b.op.Cast(b.op.Size(sized), { to: DataType.DOUBLE })));
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [x, unused, stepped, sized] }),
        failure("UNREACHED_WEIGHT", /^The loss does not depend on "unused", "stepped" and "sized": no gradient reaches them\./));
    });

    it("a node in whose place the rule can't know enough", () => {
      const b = bench();
      const x = b.graph.addInput("x", { dataType: DataType.DOUBLE, shape: undefined });
      const loss = total(b.op, b.op.MatMul(x, x));
      assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [x] }), failure("RULE_FAILED", /^MatMul, node ".*", can't be differentiated here: the rank of "x" must be known/));
    });

    it("what a rule makes of the wrong shape or type", () => {
      for (const [wrong, message] of [[(op: OpBuilder, x: Value) => op.Unsqueeze(x, [0]), /\[1, 2\] for an input of \[2\]/],
        [(op: OpBuilder, x: Value) => op.Cast(x, { to: DataType.FLOAT }), /float for an input of double/]] as const) {
        const b = bench();
        const x = b.input("x", [2]);
        const loss = total(b.op, b.op.Exp(x));
        assert.throws(() => differentiate(b.graph, { opsets: b.opsets, loss, wrt: [x], definitions: (node) => {
          const definition = definitionOf(node);
          return definition !== undefined && node.opType === "Exp" ? { ...definition, gradient: { input: ({ op, out }) => wrong(op, out["output"] ?? x) } } : definition;
        } }), failure("WRONG_GRADIENT", message));
      }
    });
  });

  for (const file of ["bert/model.ts.onnx", "bert/model.dynamo.onnx", "roberta/model.ts.onnx", "roberta/model.dynamo.onnx"]) {
    it(`agrees with the slope of the logits along random directions, for every product's weight in ${file}`, async () => {
      const name = `../../fixtures/cases/${file}`;
      const model = loadModel(memorySource(name, new Uint8Array(readFileSync(new URL(name, import.meta.url)))));
      const { graph, opsets } = model;
      inferGraph(graph, opsets);
      const weights = graph.nodes.flatMap((node) => {
        const place = definitionOf(node)?.weight?.(node);
        const weight = place === undefined ? undefined : node.inputs[place.index];
        return weight?.initializer === undefined ? [] : [weight];
      });
      assert.equal(weights.length, 14);
      const random = new Random(3);
      const points = Object.fromEntries(weights.map((v) => [v.name, v.initializer as Tensor]));
      for (const weight of weights) {
        weight.initializer = undefined;
        graph.initializers.delete(weight);
        graph.inputs.push(weight);
      }
      const op = new OpBuilder(graph, { opsets, origin: "test" });
      const logits = graph.outputs[0];
      assert.ok(logits?.name === "logits");
      const loss = op.ReduceSum(op.Mul(logits, op.constant("mix", Tensor.floats([2, 2], [1, -0.5, 0.25, 2]))), undefined, { keepdims: 0 });
      const gradients = differentiate(graph, { opsets, loss, wrt: weights });
      graph.outputs.splice(0, Infinity, loss, ...gradients.values());
      const integers = graph.inputs.filter((v) => !weights.includes(v)).map((v) => [v.name, Tensor.ints([2, 7], Array.from({ length: 14 }, (_, i) => (
        v.name === "input_ids" ? 5 + 3 * i : v.name === "attention_mask" ? Number(i < 12) : 0)))] as const);
      const feeds = Object.fromEntries(integers);
      const runnable = await prepare(graph, model.opset);
      const results = await runnable.run({ ...feeds, ...points });
      for (const weight of weights) {
        const gradient = numbersOf(results[gradients.get(weight)?.name ?? ""]);
        const point = points[weight.name] as Tensor;
        // Along the gradient's own direction the slope is its norm: as steep as it gets, so that float32's rounding matters least.
        const norm = Math.hypot(...gradient);
        const step = 0.02;
        const slope = async (direction: readonly number[]): Promise<number> => {
          const at = async (h: number): Promise<number> => numbersOf((await runnable.run({ ...feeds, ...points,
            [weight.name]: Tensor.floats(point.dims, numbersOf(point).map((w, i) => w + h * (direction[i] ?? 0))) }))[loss.name])[0] ?? NaN;
          return (8 * (await at(step) - await at(-step)) - (await at(2 * step) - await at(-2 * step))) / (12 * step);
        };
        const along = await slope(Array.from(gradient, (g) => g / norm));
        assert.ok(Math.abs(along - norm) < 2e-3 * norm + 1e-4, `${weight.name}: the slope along the gradient is ${String(along)}, its norm ${String(norm)}`);
        const noise = Array.from(gradient, () => random.uniform(-1, 1));
        const length = Math.hypot(...noise);
        const expected = noise.reduce((sum, d, i) => sum + (d / length) * (gradient[i] ?? 0), 0);
        const across = await slope(noise.map((d) => d / length));
        assert.ok(Math.abs(across - expected) < 2e-3 * norm + 1e-4, `${weight.name}: the slope is ${String(across)}, by the gradient ${String(expected)}, of norm ${String(norm)}`);
      }
      await runnable.release();
    });
  }
});
