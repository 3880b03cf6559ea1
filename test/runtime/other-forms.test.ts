/** Functions and branches from end to end, against PyTorch's numbers of the plain exports: adapt, train, fold, verify. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, artifacts, fold, HutError, inspect, predict, train, verify, type TaskName } from "../../src/index.ts";
import { differences } from "../../src/ir/compare.ts";
import { loadModel } from "../../src/ir/load.ts";
import { everyNode } from "../../src/ir/nested.ts";
import type { Model } from "../../src/ir/model.ts";
import type { ModelProto } from "../../src/ir/proto/generated/schema.ts";
import { memorySource } from "../../src/ir/source.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { bertOfLayers, bertOfLinears, blocksWithoutHead, bytesOf, doubling, mergedGpt2 } from "./other-forms.ts";

type Nested = number | readonly Nested[];

const FORMS: readonly { name: string; family: string; task: TaskName; make: () => ModelProto; targets: string[] }[] = [
  { name: "functions with their weights inside", family: "bert", task: "text-classification", make: bertOfLayers, targets: ["q", "v"] },
  { name: "a function that is given its weights", family: "bert", task: "text-classification", make: bertOfLinears, targets: ["q", "v"] },
  { name: "a merged decoder", family: "gpt2", task: "text-generation", make: () => mergedGpt2("input"), targets: ["c_attn", "c_proj"] },
  { name: "a decoder whose branch the data decide", family: "gpt2", task: "text-generation", make: () => mergedGpt2("computed"), targets: ["c_attn", "c_proj"] },
];

const loaded = (path: string): Model => loadModel(memorySource(path, new Uint8Array(readFileSync(path))));

/** Every number within the tolerance; rows of padding that `predict` cuts off are not looked at. */
function closeTo(actual: Nested | undefined, expected: Nested, tolerance: number, path = "logits"): void {
  if (typeof expected === "number") {
    assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${path}: ${String(actual)} for ${String(expected)}`);
    return;
  }
  assert.ok(Array.isArray(actual) && actual.length > 0 && actual.length <= expected.length, path);
  (actual as Nested[]).forEach((have, i) => { closeTo(have, expected[i] ?? NaN, tolerance, `${path}[${String(i)}]`); });
}

for (const { name, family, task, make, targets } of FORMS) {
  describe(`${family} as ${name}, against PyTorch and PEFT`, () => {
    const at = (file: string): string => join("fixtures/cases", family, file);
    const expected = JSON.parse(readFileSync(at("expected.json"), "utf8")) as { logits: Nested; logits_adapted: Nested; logits_trained: Nested; losses: number[]; grad_norm: number };
    let folder = "";
    let model = "";
    before(() => {
      folder = mkdtempSync(join(tmpdir(), "hut-forms-"));
      model = join(folder, "model.onnx");
      writeFileSync(model, bytesOf(make()));
    });
    after(() => { rmSync(folder, { recursive: true }); });

    const predictions = async (path: string, adapter?: string): Promise<Nested> => {
      const output = join(folder, "predictions.jsonl");
      await predict(path, { task, data: at("batch.jsonl"), output, adapter, batchSize: 4 });
      return readFileSync(output, "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: Nested }).logits);
    };

    it("is inspected: every weight once, under PyTorch's paths", async () => {
      const [own, plain] = [await inspect(model), await inspect(at("model.ts.onnx"))];
      const paths = (result: typeof own): (string | null)[] => result.weights.map((w) => w.modulePath).sort();
      assert.deepEqual(paths(own), paths(plain));
      assert.deepEqual(own.withoutGradient, []);
      assert.ok(own.parameters >= plain.parameters);
    });

    it("predicts the base's logits, and the adapted ones as an adapted graph", async () => {
      closeTo(await predictions(model), expected.logits, 1e-5);
      closeTo(await predictions(model, at("adapter")), expected.logits_adapted, 1e-5);
    });

    it("is folded and verified, with the functions and branches that it had", async () => {
      const merged = join(folder, "merged.onnx");
      const notices: string[] = [];
      await fold(model, { adapter: at("adapter"), output: merged, onNotice: (notice) => notices.push(notice) });
      closeTo(await predictions(merged), expected.logits_adapted, 1e-5);
      const checked = await verify(model, { adapter: at("adapter"), merged });
      assert.deepEqual([checked.problems, checked.ok, notices], [[], true, []]);
      const [a, b] = [loaded(model), loaded(merged)];
      assert.deepEqual(everyNode(b.graph).map((n) => n.opType), everyNode(a.graph).map((n) => n.opType));
      assert.deepEqual(b.functions.map((f) => f.node.map((n) => n.opType)), a.functions.map((f) => f.node.map((n) => n.opType)));
      assert.deepEqual([...b.graph.initializers].map((v) => v.name), [...a.graph.initializers].map((v) => v.name));
    });

    it("trains to PyTorch's losses", async () => {
      const output = join(folder, "run");
      const result = await train(model, { task, adapter: at("adapter"), train: at("batch.jsonl"), dev: at("batch.jsonl"), output, batchSize: 4, maxSteps: 5, lr: 1e-2, weightDecay: 0.01, maxGradNorm: 0, lrScheduler: "constant", shuffle: false });
      const records = readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { loss?: number; grad_norm?: number }).filter((r) => r.loss !== undefined);
      assert.equal(records.length, 5);
      records.forEach(({ loss }, i) => { assert.ok(Math.abs((loss ?? NaN) - (expected.losses[i] ?? NaN)) <= 1e-4, `loss ${String(i)}: ${String(loss)} for ${String(expected.losses[i])}`); });
      assert.ok(Math.abs((records[0]?.grad_norm ?? NaN) - expected.grad_norm) <= 1e-4 * expected.grad_norm);
      closeTo(await predictions(model, result.adapter), expected.logits_trained, 1e-3);
      assert.ok(Math.abs((result.metrics["eval_loss"] ?? NaN) - (expected.losses[5] ?? NaN)) <= 1e-4, "the loss after five steps");
    });

    it("has training graphs without functions, and without branches that are known beforehand", async () => {
      await artifacts(model, { task, output: join(folder, "artifacts"), targetModules: targets });
      const decided = name.includes("data decide");
      for (const kind of ["step", "grad", "eval"]) {
        using opened = openModel(join(folder, "artifacts", `${kind}.onnx`));
        const { graph, functions } = opened.load();
        assert.deepEqual([functions.length, everyNode(graph).some((n) => (n.opType === "If" && !decided) || n.domain !== ""), graph.inputs.some((v) => v.name === "use_cache_branch")], [0, false, false], kind);
      }
      await adapt(model, { output: join(folder, "adapted.onnx"), targetModules: targets });
      using opened = openModel(join(folder, "adapted.onnx"));
      const adapted = opened.load();
      assert.deepEqual([adapted.functions.length, adapted.graph.inputs.length], [0, loaded(model).graph.inputs.length]);
    });
  });
}

it("functions that double forty times are refused before any session starts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hut-doubling-"));
  const path = join(folder, "model.onnx");
  writeFileSync(path, bytesOf(doubling(40)));
  const started = performance.now();
  await assert.rejects(predict(path, { data: path, output: join(folder, "out.jsonl") }), (error) => error instanceof HutError && error.code === "FUNCTIONS_TOO_LARGE");
  assert.ok(performance.now() - started < 2000);
  rmSync(folder, { recursive: true });
});

describe("a function that is called twice, under a head that is attached", () => {
  let folder = "";
  before(() => { folder = mkdtempSync(join(tmpdir(), "hut-blocks-")); });
  after(() => { rmSync(folder, { recursive: true }); });

  for (const tied of [false, true]) {
    it(tied ? "is written out where a new weight has no place in it, with a notice" : "has one weight for both calls, folded into its body", async () => {
      const at = (name: string): string => join(folder, `${String(tied)}-${name}`);
      writeFileSync(at("model.onnx"), bytesOf(blocksWithoutHead(tied)));
      const record = (ids: number[], label: number): string => JSON.stringify({ input_ids: ids, attention_mask: ids.map(() => 1), label });
      writeFileSync(at("train.jsonl"), `${[record([1, 2, 3], 0), record([4, 5], 1), record([6, 7, 8, 9], 0), record([2, 9], 1)].join("\n")}\n`);
      const { weights } = await inspect(at("model.onnx"));
      assert.deepEqual(weights.map((w) => [w.modulePath, w.shape]), [["block.dense", [8, 8]]]);
      const run = await train(at("model.onnx"), { train: at("train.jsonl"), output: at("run"), head: "mean", numLabels: 2, targetModules: ["dense"], rank: 2, maxSteps: 4, batchSize: 4, lr: 0.1 });
      assert.ok((run.lastLoss ?? NaN) < (run.firstLoss ?? NaN));
      const notices: string[] = [];
      await fold(at("model.onnx"), { adapter: run.adapter, output: at("merged.onnx"), onNotice: (notice) => notices.push(notice) });
      const checked = await verify(at("model.onnx"), { adapter: run.adapter, merged: at("merged.onnx") });
      assert.deepEqual([checked.problems, checked.ok], [[], true]);
      const [base, merged] = [loaded(at("model.onnx")), loaded(at("merged.onnx"))];
      assert.equal(merged.functions.length, tied ? 0 : 1);
      assert.deepEqual(notices, tied ? [
        '"block.dense" shares its stored tensor "block.dense.weight" with something else in the graph, such as a tied embedding, which keeps the base\'s values',
        "the model's functions are written out in the merged model: a weight in one of them is shared with products that were not chosen",
      ] : []);
      if (tied) return;
      const weight = (model: Model): unknown => model.functions[0]?.node[0]?.attribute[0];
      assert.deepEqual(differences(weight(base), weight(merged)), ["t.rawData"]);
      assert.deepEqual(differences(base.functions, merged.functions).length, 1);
    });
  }
});
