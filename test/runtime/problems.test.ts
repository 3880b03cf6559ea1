import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, evaluate, fold, predict, train, verify, type Manifest, type ProblemName } from "../../src/index.ts";
import { closeTo } from "./close-to.ts";
import { feedsOf, openTrainingSession, trainSteps } from "./official-runtime.ts";

interface Expected { readonly lr: number; readonly weight_decay: number; readonly losses: number[]; readonly logits_trained: number[][]; readonly metrics: Record<string, number> }

const PROBLEMS = "fixtures/problems";
const BERT = "fixtures/cases/bert";
const CASES: readonly { readonly problem: ProblemName; readonly file: string }[] = [{ problem: "multi-label", file: "multi_label_classification" }, { problem: "regression", file: "regression" }];

describe("--problem", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-problem-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  for (const { problem, file } of CASES) {
    const expected = JSON.parse(readFileSync(join(PROBLEMS, `${file}.json`), "utf8")) as Expected;
    const data = join(PROBLEMS, `${file}.jsonl`);
    const adapter = join(BERT, "adapter");
    for (const exporter of ["ts", "dynamo"]) {
      const model = join(BERT, `model.${exporter}.onnx`);
      it(`${problem}, ${exporter} export: trains to PyTorch's losses and logits, and the adapter keeps the problem`, async () => {
        const run = await train(model, {
          problem, train: data, dev: data, adapter, output: at("run"), batchSize: 4, maxSteps: 5, lr: expected.lr, weightDecay: expected.weight_decay, maxGradNorm: 0,
          lrScheduler: "constant", warmupRatio: 0, shuffle: false,
        });
        const records = readFileSync(at("run", "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number>);
        closeTo(records.flatMap((r) => r["loss"] ?? []), expected.losses.slice(0, 5), 1e-5, "losses");
        closeTo([run.metrics["eval_loss"] ?? NaN], expected.losses.slice(5), 1e-5, "eval_loss");
        const { metrics } = await evaluate(model, { data, adapter: at("run", "adapter") });
        assert.deepEqual(Object.keys(metrics), problem === "regression" ? ["eval_loss", "eval_mse", "eval_pearson", "eval_spearmanr"] : ["eval_loss", "eval_accuracy", "eval_f1_micro", "eval_f1_macro"]);
        closeTo([metrics["eval_loss"] ?? NaN], expected.losses.slice(5), 1e-5, "eval_loss");
        await fold(model, { adapter: at("run", "adapter"), output: at("merged.onnx") });
        assert.ok((await verify(model, { adapter: at("run", "adapter"), merged: at("merged.onnx"), data })).ok);
        await predict(at("merged.onnx"), { data, output: at("predictions.jsonl") });
        const logits = readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: number[] }).logits);
        closeTo(logits.flat(), expected.logits_trained.flat(), 1e-4, "logits");
      });
    }

    it(`${problem}: its metrics are scikit-learn's and SciPy's`, async () => {
      const { metrics } = await evaluate(join(BERT, "model.ts.onnx"), { problem, data, adapter });
      closeTo([metrics["eval_loss"] ?? NaN], expected.losses.slice(0, 1), 1e-5, "eval_loss");
      for (const [name, want] of Object.entries(expected.metrics)) closeTo([metrics[`eval_${name}`] ?? NaN], [want], 1e-5, name);
    });

    it(`${problem}: the official training runtime has PyTorch's losses from our artifacts`, async () => {
      await artifacts(join(BERT, "model.dynamo.onnx"), { problem, format: ["step", "ort-training"], adapter, weightDecay: expected.weight_decay, output: folder, embed: true });
      const session = await openTrainingSession(folder, expected.lr);
      closeTo(await trainSteps(session, feedsOf(session, data, "float32"), 5), expected.losses, 1e-4, "losses");
      const manifest = JSON.parse(readFileSync(at("manifest.json"), "utf8")) as Manifest;
      assert.equal(manifest.problem, problem);
      assert.deepEqual(manifest.graphs["step"]?.inputs.find((v) => v.name === "labels"), { name: "labels", dtype: "float", shape: ["batch", 2] });
    });
  }

  it("several labels may be names, and -100 leaves a class out", async () => {
    const rows = readFileSync(join(PROBLEMS, "multi_label_classification.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
    const write = (name: string, labels: readonly unknown[]): string => {
      writeFileSync(at(name), rows.map((r, i) => `${JSON.stringify({ ...r, labels: labels[i] })}\n`).join(""));
      return at(name);
    };
    const model = join(BERT, "model.ts.onnx");
    const loss = async (file: string): Promise<number | undefined> => (await evaluate(model, { problem: "multi-label", data: file })).metrics["eval_loss"];
    const numbers = await loss(write("numbers.jsonl", [[1, 0], [1, 1], [0, 0], [0, 1]]));
    assert.equal(await loss(write("names.jsonl", [["joy"], ["joy", "rage"], [], "rage"])), numbers);
    const [all, first] = [await loss(write("two.jsonl", [[1, -100], [-100, 1], [-100, -100], [-100, -100]])), await loss(write("one.jsonl", [[1, -100], [-100, -100], [-100, -100], [-100, -100]]))];
    const second = await loss(write("other.jsonl", [[-100, -100], [-100, 1], [-100, -100], [-100, -100]]));
    closeTo([all ?? NaN], [((first ?? NaN) + (second ?? NaN)) / 2], 1e-7, "loss");
    const refuses = async (labels: readonly unknown[], code: string, message: RegExp): Promise<void> => {
      await assert.rejects(loss(write("wrong.jsonl", labels)), { code, message });
    };
    await refuses([[1], [0], [0], [0]], "LABEL_LIST_WRONG", /line 1: the label \[1\] is not 2 numbers, as many as the model has logits/);
    await refuses([[1, 2], [0, 0], [0, 0], [0, 0]], "LABEL_NUMBER_WRONG", /line 1: the label 2 is not a number from 0 to 1/);
    await refuses([1, 0, 0, 0], "LABEL_LIST_WRONG", /a list of class names, or of 0 and 1 for each of the 2 classes/);
    await refuses([["a"], ["b"], ["c"], 3], "LABEL_LIST_WRONG", /line 4/);
    await refuses(["", [], [], []], "LABEL_MISSING", /line 1/);
    await assert.rejects(evaluate(model, { problem: "regression", data: write("text.jsonl", [[1, 2], ["x", 2], [1, 1], [1, 1]]) }), { code: "LABEL_NUMBER_WRONG", message: /line 2: the label "x" is not a number\./ });
  });

  it("a number needs one logit, a class of several needs two, and config.json may tell the problem", async () => {
    copyFileSync(join(BERT, "model.ts.onnx"), at("model.onnx"));
    const task = { task: "text-generation" as const, problem: "regression" as const };
    await assert.rejects(evaluate(at("model.onnx"), { ...task, data: join(PROBLEMS, "regression.jsonl") }), { code: "PROBLEM_OF_OTHER_TASK", exitCode: 2 });
    writeFileSync(at("config.json"), JSON.stringify({ problem_type: "regression" }));
    const { metrics } = await evaluate(at("model.onnx"), { data: join(PROBLEMS, "regression.jsonl") });
    assert.deepEqual(Object.keys(metrics), ["eval_loss", "eval_mse", "eval_pearson", "eval_spearmanr"]);
    const head = { head: "cls" as const, numLabels: 1, output: at("artifacts") };
    await assert.rejects(artifacts("fixtures/demo", head), { code: "TOO_FEW_LOGITS", message: /Give --problem regression/ });
    await artifacts("fixtures/demo", { ...head, problem: "regression", dryRun: true });
  });
});
