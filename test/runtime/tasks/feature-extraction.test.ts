/** Sentence embeddings: training and metrics as sentence-transformers, PEFT and SciPy have them (fixtures/feature-extraction). */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, evaluate, fold, predict, train, verify, type Manifest } from "../../../src/index.ts";
import type { EmbeddingPooling } from "../../../src/passes/attach-contrastive.ts";
import { closeTo } from "../close-to.ts";

interface Run { readonly losses: number[]; readonly metrics: Readonly<Record<string, number>>; readonly embeddings: number[][] }

const FOLDER = "fixtures/feature-extraction";
const task = "feature-extraction" as const;
const adapter = join(FOLDER, "adapter");
const expected = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as { lr: number; weight_decay: number; runs: Record<string, Run> };
const lines = <T>(file: string): T[] => readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as T);

describe("feature-extraction", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-embed-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });
  const write = (name: string, records: readonly unknown[]): string => {
    writeFileSync(at(name), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    return at(name);
  };

  for (const [name, wanted] of Object.entries(expected.runs)) {
    it(`${name}: trains to sentence-transformers' losses and embeddings`, async () => {
      const [pooling, kind] = name.split(" ") as [EmbeddingPooling, string];
      const data = join(FOLDER, `${kind}.jsonl`);
      const run = await train(FOLDER, {
        task, pooling, train: data, dev: data, adapter, output: at("run"), batchSize: 5, maxSteps: 5, lr: expected.lr, weightDecay: expected.weight_decay, maxGradNorm: 0,
        lrScheduler: "constant", warmupRatio: 0, shuffle: false,
      });
      closeTo(lines<Record<string, number>>(at("run", "metrics.jsonl")).flatMap((r) => r["loss"] ?? []), wanted.losses.slice(0, 5), 1e-5, "losses");
      closeTo([run.metrics["eval_loss"] ?? NaN], wanted.losses.slice(5), 1e-5, "eval_loss");
      const before = await evaluate(FOLDER, { task, pooling, data, adapter });
      closeTo([before.metrics["eval_loss"], before.metrics["eval_accuracy"], before.metrics["eval_mrr"]].map((v) => v ?? NaN), [wanted.losses[0], wanted.metrics["accuracy"], wanted.metrics["mrr"]].map((v) => v ?? NaN), 1e-5, "metrics");
      assert.deepEqual(Object.keys(before.metrics), ["eval_loss", "eval_accuracy", "eval_mrr"]);

      // The adapter tells the task and the pooling.
      const sentences = write("sentences.jsonl", lines<{ anchor: string }>(data).map(({ anchor }) => ({ text: anchor })));
      await predict(FOLDER, { data: sentences, adapter: at("run", "adapter"), output: at("p.jsonl") });
      const made = lines<{ sentence_embedding: number[] }>(at("p.jsonl")).map((r) => r.sentence_embedding);
      closeTo(made.flat(), wanted.embeddings.flat(), 2e-5, "embeddings");
      const { task_type, modules_to_save } = JSON.parse(readFileSync(at("run", "adapter", "adapter_config.json"), "utf8")) as Record<string, unknown>;
      assert.deepEqual([task_type, modules_to_save], ["FEATURE_EXTRACTION", null]);
    });
  }

  it("measures scored pairs by SciPy's correlations, and counts only what belongs together as an anchor", async () => {
    const { metrics } = await evaluate(FOLDER, { task, data: join(FOLDER, "scored.jsonl"), adapter });
    const wanted = expected.runs["mean pairs"]?.metrics ?? {};
    closeTo([metrics["eval_pearson"] ?? NaN, metrics["eval_spearmanr"] ?? NaN], [wanted["pearson"] ?? NaN, wanted["spearmanr"] ?? NaN], 1e-5, "correlations");
    // Of scores from 0 to 5 only the 5 is a pair that belongs together.
    assert.ok([0, 1].includes(metrics["eval_accuracy"] ?? NaN));
    const graded = write("graded.jsonl", [{ anchor: "Anna", positive: "Paul", score: 0.5 }, { anchor: "Vienna", positive: "Budapest", score: 0.25 }]);
    const other = await evaluate(FOLDER, { task, data: graded });
    assert.ok(Number.isNaN(other.metrics["eval_loss"]));
    closeTo([Math.abs(other.metrics["eval_spearmanr"] ?? NaN)], [1], 1e-12, "two pairs");
  });

  it("folds and verifies, and cosines of pairs are the dot products of embeddings", async () => {
    const data = join(FOLDER, "pairs.jsonl");
    await fold(FOLDER, { adapter, output: at("merged") });
    assert.ok((await verify(FOLDER, { adapter, merged: at("merged", "onnx", "model.onnx"), data })).ok);
    await predict(at("merged"), { task, data, output: at("pairs.jsonl"), batchSize: 2 });
    const scores = lines<{ score: number }>(at("pairs.jsonl")).map((r) => r.score);
    const texts = lines<{ anchor: string; positive: string }>(data).flatMap(({ anchor, positive }) => [{ text: anchor }, { text: positive }]);
    await predict(FOLDER, { data: write("texts.jsonl", texts), adapter, output: at("texts-p.jsonl") });
    const vectors = lines<{ sentence_embedding: number[] }>(at("texts-p.jsonl")).map((r) => r.sentence_embedding);
    closeTo(scores, scores.map((_, i) => (vectors[2 * i] ?? []).reduce((sum, x, j) => sum + x * (vectors[2 * i + 1]?.[j] ?? NaN), 0)), 1e-5, "cosines");
  });

  it("artifacts say that the rows of a record come one behind the other", async () => {
    await artifacts(FOLDER, { task, output: at("out"), embed: true });
    const { graphs, task: name } = JSON.parse(readFileSync(at("out", "manifest.json"), "utf8")) as Manifest;
    assert.equal(name, task);
    assert.deepEqual(graphs["step"]?.inputs.find((v) => v.name === "labels"), { name: "labels", dtype: "float", shape: ["records"] });
  });

  it("refuses what can't be learned, and says where a record is alone", async () => {
    const pairs = lines<object>(join(FOLDER, "pairs.jsonl"));
    const tries = (records: readonly unknown[], more: Partial<Parameters<typeof train>[1]> = {}): Promise<unknown> => train(FOLDER, { task, train: write("t.jsonl", records), output: at("run"), dryRun: true, ...more });
    await assert.rejects(tries([{ text: "Anna" }]), { code: "DATA_COLUMN_MISSING", message: /has no pairs of texts.*anchor \+ positive \+ negative or anchor \+ positive/ });
    await assert.rejects(tries(pairs, { batchSize: 1 }), { code: "BATCH_OF_ONE", exitCode: 2 });
    await assert.rejects(tries(pairs, { batchSize: 2, gradAccumulationSteps: 2 }), { code: "BATCH_MATTERS", exitCode: 2 });
    await assert.rejects(tries([{ sentence1: "a", sentence2: "b", score: "near" }]), { code: "LABEL_NUMBER_WRONG", message: /line 1: the label "near" is not a number of at least 0/ });
    await assert.rejects(train("fixtures/demo", { task: "text-classification", pooling: "cls", head: "mean", numLabels: 2, train: "fixtures/demo/train.tsv", output: at("run"), dryRun: true }), { code: "POOLING_OF_OTHER_TASK", exitCode: 2 });
    const notices: string[] = [];
    await tries(pairs, { batchSize: 4, onNotice: (note) => { notices.push(note); } });
    assert.match(notices.join(), /the last of 5 records is alone in its batch/);
    await assert.rejects(evaluate("fixtures/cases/vit/model.ts.onnx", { task, data: join(FOLDER, "pairs.jsonl") }), { code: "NO_HIDDEN_STATES" });
  });
});
