/** Making inputs of what adapters bring: how a graph looks, and that its numbers are the base's. */
import assert from "node:assert/strict";
import { DataType } from "../../src/ir/data-type.ts";
import { formatShape } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { makeSwappable } from "../../src/passes/make-swappable.ts";
import type { Trainable } from "../../src/passes/adapt.ts";
import { prepare, type Prepared } from "../../src/runtime/prepare.ts";
import { BATCH, copyOf, outputsOf, randomFloats, workbench, type Feeds } from "./workbench.ts";

const FEEDS: Feeds = { x: randomFloats([3, 4]) };

/** x · proj → head. The head is [k, n] here, and its bias is left out where it is zero. */
function drawn(stored: number, { bias = true } = {}): Model {
  const { model, op, input, output, graph } = workbench();
  const weight = (name: string, dims: readonly number[]): Value => {
    const { data } = randomFloats(dims);
    const value = graph.addInitializer(name, Tensor.fromFloat32(stored, dims, new Float32Array(new Uint8Array(data as Uint8Array).buffer)));
    return stored === DataType.FLOAT ? value : op.Cast(value, { to: DataType.FLOAT });
  };
  const hidden = op.MatMul(input("x", [BATCH, 4]), weight("body.proj.weight", [4, 6]));
  const product = op.MatMul(hidden, weight("head.weight", [6, 2]));
  output(bias ? op.Add(product, weight("head.bias", [2])) : product, "logits");
  return model;
}

function swapped(model: Model): { prepared: Prepared; inputs: ReadonlyMap<Trainable, Value> } {
  const prepared = prepare(model, { targetModules: ["proj"], modulesToSave: ["head"], rank: 2, saveHead: true, swappable: true });
  const inputs = makeSwappable(model, { method: prepared.method, adapted: prepared.adapted, whole: prepared.saved });
  model.graph.sortTopologically();
  return { prepared, inputs };
}

describe("makeSwappable", () => {
  for (const [what, stored, bias] of [["float32", DataType.FLOAT, true], ["float16", DataType.FLOAT16, true], ["bfloat16", DataType.BFLOAT16, true], ["no bias", DataType.FLOAT, false]] as const) {
    it(`leaves the base's numbers, and names inputs as PyTorch names parameters (${what})`, async () => {
      const before = await outputsOf(drawn(stored, { bias }), FEEDS);
      const model = drawn(stored, { bias });
      const { inputs } = swapped(model);
      assert.deepEqual([...inputs.values()].map((v) => `${v.name} ${formatShape(v.shape)}`),
        ["body.proj.hut_A [4, lora_r]", "body.proj.hut_B [lora_r, 6]", "head.weight [2, 6]", "head.bias [2]"]);
      assert.deepEqual([...inputs.values()].map((v) => v.initializer?.dims), [[4, 0], [0, 6], [2, 6], [2]]);
      assert.ok([...inputs.values()].every((v) => model.graph.inputs.includes(v) && model.graph.initializers.has(v) && v.dataType === DataType.FLOAT));
      assert.deepEqual(await outputsOf(copyOf(model), FEEDS), before);
    });
  }

  it("computes U without a scale, and reads a whole module from its input", async () => {
    const model = drawn(DataType.FLOAT);
    swapped(model);
    const [a, b] = [randomFloats([4, 3]), randomFloats([3, 6])];
    const fed = { ...FEEDS, "body.proj.hut_A": a, "body.proj.hut_B": b, "head.weight": randomFloats([2, 6]), "head.bias": Tensor.floats([2], [1, -1]) };
    // The same by hand: the defaults taken off, W ⊙ (1 + A·B), the head turned.
    const copy = copyOf(model);
    for (const value of copy.graph.inputs) {
      copy.graph.initializers.delete(value);
      value.initializer = undefined;
    }
    const [first = NaN] = (await outputsOf(copy, fed))["logits"] ?? [];
    const at = (t: Tensor | undefined, i: number): number => t?.toNumbers()?.[i] ?? NaN;
    const w = randomFloats([4, 6]);
    let expected = 1;
    for (let j = 0; j < 6; j += 1) {
      let hidden = 0;
      for (let i = 0; i < 4; i += 1) {
        let product = 0;
        for (let r = 0; r < 3; r += 1) product += at(a, 3 * i + r) * at(b, 6 * r + j);
        hidden += at(FEEDS["x"], i) * at(w, 6 * i + j) * (1 + product);
      }
      expected += hidden * at(fed["head.weight"], j);
    }
    assert.ok(Math.abs(first - expected) < 1e-5, `${String(first)} for ${String(expected)}`);
  });

  it("brings an older file to IR 4, where defaults can be overridden, and its constants off the list of inputs", () => {
    const model = drawn(DataType.FLOAT);
    model.irVersion = 3;
    model.graph.inputs.push(...model.graph.initializers);
    swapped(model);
    assert.equal(model.irVersion, 4);
    assert.deepEqual(model.graph.inputs.map((v) => v.name), ["x", "body.proj.hut_A", "body.proj.hut_B", "head.weight", "head.bias"]);
  });
});
