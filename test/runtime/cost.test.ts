import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cost } from "../../src/index.ts";
import type { Model } from "../../src/ir/model.ts";
import { METHODS } from "../../src/methods/registry.ts";
import { sizesOfBatch } from "../../src/runtime/batch-sizes.ts";
import { countFlops } from "../../src/runtime/count-flops.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { prepare } from "../../src/runtime/prepare.ts";
import { taskNamed } from "../../src/runtime/tasks/registry.ts";
import { trainingGraph } from "../../src/runtime/training-graphs.ts";

const ORACLE = JSON.parse(readFileSync("fixtures/cost/flops.json", "utf8")) as { rows: number; tokens: number; models: Record<string, { forward: number; full: number }> };
const PRODUCTS = new Set(["MatMul", "Gemm", "Einsum"]);

/** Of products alone: PyTorch counts nothing else. */
function productFlops(model: Model): number {
  const { flops, uncounted } = countFlops(model, sizesOfBatch(model, ORACLE.rows, ORACLE.tokens), ({ opType }) => PRODUCTS.has(opType));
  assert.equal(uncounted, 0);
  return flops;
}

describe("counted operations", () => {
  for (const [name, { forward, full }] of Object.entries(ORACLE.models)) {
    for (const exporter of ["ts", "dynamo"]) {
      it(`of ${name}'s products, ${exporter} export: PyTorch's, forward and in full fine-tuning`, () => {
        using opened = openModel(`fixtures/cases/${name}/model.${exporter}.onnx`);
        const task = taskNamed({ task: name === "bert" ? "text-classification" : "text-generation" });
        // A Gemm adds its bias too: one operation an element, which PyTorch leaves out.
        const differs = (found: number, theirs: number): number => Math.abs(found - theirs) / theirs;
        assert.ok(differs(productFlops(opened.load()), forward) < 0.005, "forward");
        const step = trainingGraph("step", task, () => prepare(opened.load(), { method: "full", saveHead: task.savesHead }));
        assert.ok(differs(productFlops(step), full) < 0.01, "a step");
      });
    }
  }
});

describe("cost", () => {
  it("counts every method at every rank", async () => {
    const result = await cost("fixtures/cases/bert/model.ts.onnx", { ranks: [2, 4], batchSize: 4, maxSeqLength: 16 });
    const ranked = METHODS.filter(({ takes }) => takes.includes("rank")).map(({ name }) => name);
    assert.deepEqual(result.costs.map(({ method, rank }) => [method, rank]), METHODS.flatMap(({ name }): [string, number | null][] => (ranked.includes(name) ? [[name, 2], [name, 4]] : [[name, null]])));
    const of = (method: string, rank: number | null): NonNullable<(typeof result.costs)[number]> => {
      const found = result.costs.find((each) => each.method === method && each.rank === rank);
      assert.ok(found !== undefined);
      return found;
    };
    assert.ok(of("hut", 4).trainableParams > of("hut", 2).trainableParams && of("hut", 4).updateFlops > of("hut", 2).updateFlops);
    assert.ok(of("head", null).stepFlops < of("hut", 2).stepFlops && of("hut", 2).stepFlops < of("full", null).stepFlops);
    assert.ok(of("full", null).memoryBytes > of("hut", 2).memoryBytes);
    assert.equal(of("full", null).stateBytes, 12 * of("full", null).trainableParams);
    // W' is formed once, whatever the number of tokens.
    const more = await cost("fixtures/cases/bert/model.ts.onnx", { methods: ["hut"], ranks: [4], batchSize: 8, maxSeqLength: 32 });
    assert.equal(more.costs[0]?.updateFlops, of("hut", 4).updateFlops);
    assert.ok(more.forwardFlops > 3.9 * result.forwardFlops);
  });

  it("tells from how many tokens on forming W' once is cheaper than LoRA's branch: kn(2r + 2) / (2r(k + n) + n)", async () => {
    const { breakEvenTokens } = await cost("fixtures/cases/bert/model.ts.onnx", { methods: ["hut"], ranks: [4] });
    const [k, n, r] = [64, 64, 4];
    assert.ok(Math.abs((breakEvenTokens ?? NaN) - k * n * (2 * r + 1) / (2 * r * (k + n) + n)) < 1e-9);
    assert.equal((await cost("fixtures/cases/bert/model.ts.onnx", { methods: ["lora"] })).breakEvenTokens, null);
  });

  it("takes targets for the methods that adapt weights, beside those that adapt none", async () => {
    const of = async (targetModules?: string[]): Promise<number[]> => {
      const { costs, refused } = await cost("fixtures/cases/gpt2/model.ts.onnx", { task: "text-generation", methods: ["hut", "head", "full"], targetModules });
      assert.deepEqual(refused, []);
      return costs.map(({ trainableParams }) => trainableParams);
    };
    const [[hut = 0, ...whole], [wider = 0, ...same]] = [await of(), await of(["q", "k", "v", "o"])];
    assert.ok(wider > 1.5 * hut);
    assert.deepEqual(same, whole);
  });

  it("takes the sizes that a graph can't vary from the graph, and says what is wrong", async () => {
    assert.equal((await cost("fixtures/cases/gpt2/model.ts.onnx", { task: "text-generation", methods: ["hut"], maxSeqLength: 500 })).maxSeqLength, 64);
    await assert.rejects(cost("fixtures/cases/gpt2/model.ts.onnx", { task: "text-generation", methods: ["hutt"] }), { code: "UNKNOWN_METHOD" });
    await assert.rejects(cost("fixtures/cases/bert/model.ts.onnx", { methods: ["hut"], ranks: [1000] }), { code: "RANK_OUT_OF_RANGE" });
  });
});
