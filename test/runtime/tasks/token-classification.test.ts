/** A class for each word: labels as transformers aligns them, training as PyTorch and PEFT do it, metrics as seqeval counts them (fixtures/token-classification). */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, evaluate, fold, predict, train, verify } from "../../../src/index.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";
import { loadExamples } from "../../../src/runtime/node/load-examples.ts";
import { removeDead } from "../../../src/passes/remove-dead.ts";
import { serialized } from "../../../src/runtime/serialized.ts";
import { savesHeadBy, taskNamed, taskOfLogits } from "../../../src/runtime/tasks/registry.ts";
import { countWords } from "../../../src/runtime/word-metrics.ts";
import { openFixture } from "../../passes/workbench.ts";
import { closeTo } from "../close-to.ts";

interface Expected {
  readonly lr: number; readonly weight_decay: number; readonly max_length: number; readonly id2label: readonly string[];
  readonly input_ids: number[][]; readonly attention_mask: number[][]; readonly labels: number[][]; readonly losses: number[];
  readonly metrics: Readonly<Record<string, number>>; readonly metrics_trained: Readonly<Record<string, number>>; readonly logits_trained: number[][];
}

const FOLDER = "fixtures/token-classification";
const read = (file: string): unknown => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
const lines = <T>(file: string): T[] => readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as T);
const task = "token-classification" as const;
const data = join(FOLDER, "train.jsonl");
const adapter = join(FOLDER, "adapter");

describe("token-classification", function () {
  this.timeout(60_000);
  const expected = read("expected.json") as Expected;
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-words-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });
  const write = (name: string, records: readonly unknown[]): string => {
    writeFileSync(at(name), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
    return at(name);
  };

  it("labels the first token of each word, as transformers' run_ner.py", () => {
    using opened = openModel(FOLDER);
    const { examples, id2label } = loadExamples({ task: taskNamed({ task }), graph: opened.loadInlined().graph, modelPath: opened.path, file: data, labels: "required", numLabels: 5, maxSeqLength: expected.max_length });
    assert.deepEqual(id2label, expected.id2label);
    const kept = (row: readonly number[] | undefined, i: number): number[] => (row ?? []).filter((_, t) => expected.attention_mask[i]?.[t] === 1);
    examples.forEach((example, i) => {
      assert.deepEqual(example.fields.get("input_ids")?.values, kept(expected.input_ids[i], i), `ids of record ${String(i)}`);
      assert.deepEqual(example.labels?.values, kept(expected.labels[i], i), `labels of record ${String(i)}`);
    });
  });

  it("trains to PyTorch's losses and logits, measures as seqeval, folds to a folder that says its classes, and answers word by word", async () => {
    const run = await train(FOLDER, {
      task, train: data, dev: data, adapter, output: at("run"), batchSize: 6, maxSteps: 5, lr: expected.lr, weightDecay: expected.weight_decay, maxGradNorm: 0,
      lrScheduler: "constant", warmupRatio: 0, shuffle: false, maxSeqLength: expected.max_length,
    });
    const records = lines<Record<string, number>>(at("run", "metrics.jsonl"));
    closeTo(records.flatMap((r) => r["loss"] ?? []), expected.losses.slice(0, 5), 1e-5, "losses");
    closeTo([run.metrics["eval_loss"] ?? NaN], expected.losses.slice(5), 1e-5, "eval_loss");
    for (const [name, wanted] of Object.entries(expected.metrics_trained)) closeTo([run.metrics[`eval_${name}`] ?? NaN], [wanted], 1e-12, name);
    const results = JSON.parse(readFileSync(at("run", "all_results.json"), "utf8")) as { eval_classes: { label: string }[] };
    assert.deepEqual(results.eval_classes.map((c) => c.label), ["LOC", "PER"]);
    const config = JSON.parse(readFileSync(at("run", "adapter", "adapter_config.json"), "utf8")) as { task_type: string; modules_to_save: string[] };
    assert.deepEqual([config.task_type, config.modules_to_save], ["TOKEN_CLS", ["classifier"]]);

    // The adapter tells the task.
    const before = await evaluate(FOLDER, { data, adapter, maxSeqLength: expected.max_length });
    for (const [name, wanted] of Object.entries(expected.metrics)) closeTo([before.metrics[`eval_${name}`] ?? NaN], [wanted], 1e-12, name);
    assert.deepEqual(Object.keys(before.metrics), ["eval_loss", "eval_accuracy", "eval_precision", "eval_recall", "eval_f1"]);

    await fold(FOLDER, { adapter: at("run", "adapter"), output: at("merged") });
    assert.ok((await verify(FOLDER, { adapter: at("run", "adapter"), merged: at("merged", "onnx", "model.onnx"), data })).ok);
    const { id2label, architectures, problem_type } = JSON.parse(readFileSync(at("merged", "config.json"), "utf8")) as Record<string, unknown>;
    assert.deepEqual([Object.values(id2label as object), architectures, problem_type], [expected.id2label, ["BertForTokenClassification"], undefined]);
    const card = readFileSync(at("merged", "README.md"), "utf8");
    assert.match(card, /^pipeline_tag: token-classification$/m);
    assert.match(card, /It tells of each word one of: B-LOC, B-PER, I-LOC, I-PER, O\./);

    await predict(at("merged"), { task, data, maxSeqLength: expected.max_length, output: at("p.jsonl") });
    const said = lines<{ logits: number[][]; labels: (string | null)[]; scores: (number | null)[] }>(at("p.jsonl"));
    const counted = (i: number): number[][] => expected.logits_trained.slice(i * 16, (i + 1) * 16).filter((_, t) => expected.attention_mask[i]?.[t] === 1);
    said.forEach(({ logits }, i) => { closeTo(logits.flat(), counted(i).flat(), 1e-4, `logits of record ${String(i)}`); });
    const words = lines<{ tokens: string[] }>(data).map((r) => r.tokens.length);
    assert.deepEqual(said.map(({ labels, scores }) => [labels.length, scores.length]), words.map((n) => [n, n]));
    // A word of nothing, and words that didn't fit, have no answer.
    assert.equal(said[3]?.labels[1], null);
    assert.equal(said[4]?.labels.at(-1), null);
    assert.ok(said[0]?.scores.every((score) => score === null || (score > 0.2 && score <= 1)));
  });

  it("counts entities as seqeval, in one batch and in many", () => {
    const { truth, said, metrics, types } = read("entities.json") as { truth: string[][]; said: string[][]; metrics: Record<string, number>; types: Record<string, Record<string, number>> };
    const names = [...new Set([...truth, ...said].flat())].sort();
    const longest = Math.max(...truth.map((row) => row.length));
    for (const size of [truth.length, 7]) {
      const count = countWords(names);
      for (let from = 0; from < truth.length; from += size) {
        const rows = truth.slice(from, from + size);
        const logits = new Float32Array(rows.length * longest * names.length);
        const labels = new BigInt64Array(rows.length * longest).fill(-100n);
        rows.forEach((row, r) => { row.forEach((tag, t) => {
          labels[r * longest + t] = BigInt(names.indexOf(tag));
          logits[(r * longest + t) * names.length + names.indexOf(said[from + r]?.[t] ?? "")] = 1;
        }); });
        count.add({ logits, dims: [rows.length, longest, names.length], labels, indices: rows.map((_, i) => from + i) });
      }
      const figures = count.result();
      for (const [name, wanted] of Object.entries(metrics)) closeTo([figures[name as "f1"] ?? NaN], [wanted], 1e-12, name);
      assert.deepEqual(count.classes().map((c) => c.label), Object.keys(types).sort());
      for (const { label = "", precision, recall, f1, support } of count.classes()) closeTo([precision, recall, f1, support], ["precision", "recall", "f1", "support"].map((k) => types[label]?.[k] ?? NaN), 1e-12, label);
    }
  });

  it("takes tags without prefixes for entities of a word each: sklearn.metrics.f1_score of all classes but O", () => {
    const count = countWords(["NOUN", "O", "VERB"]);
    // Said NOUN NOUN VERB O, true NOUN VERB VERB NOUN: f1_score([0, 2, 2, 0], [0, 0, 2, 1], labels=[0, 2], average="micro") = 4/7
    const logits = [0, 0, 2, 1].flatMap((said) => [0, 1, 2].map((c) => (c === said ? 1 : 0)));
    count.add({ logits: Float32Array.from(logits), dims: [1, 4, 3], labels: BigInt64Array.of(0n, 2n, 2n, 0n), indices: [0] });
    closeTo([count.result().f1 ?? NaN, count.result().accuracy ?? NaN], [4 / 7, 0.5], 1e-12, "figures");
  });

  it("attaches a head on each token to a model without one, and every verb knows it again", async () => {
    const encoder = openFixture("token-classification/model.onnx");
    const logits = encoder.graph.outputs[0]?.producer;
    const hidden = logits?.inputs.map((v) => v?.producer?.inputs[0]).find((v) => v !== undefined);
    assert.ok(hidden !== undefined);
    hidden.name = "last_hidden_state";
    encoder.graph.outputs.splice(0, 1, hidden);
    removeDead(encoder.graph);
    const model = at("encoder");
    mkdirSync(model);
    writeFileSync(join(model, "model.onnx"), serialized(encoder));
    cpSync(join(FOLDER, "tokenizer.json"), join(model, "tokenizer.json"));
    const records = lines<{ tokens: string[]; ner_tags: string[] }>(data);
    const file = write("words.jsonl", records.map(({ tokens, ner_tags }) => ({ words: tokens.filter((w) => w !== "\u200b"), tags: ner_tags.slice(0, tokens.filter((w) => w !== "\u200b").length) })));
    const run = await train(model, { task, head: "token", numLabels: 5, train: file, dev: file, output: at("run"), maxSteps: 30, batchSize: 6, lr: 0.02 });
    assert.ok((run.lastLoss ?? NaN) < 0.3 * (run.firstLoss ?? NaN), `${String(run.firstLoss)} → ${String(run.lastLoss)}`);
    await fold(model, { adapter: at("run", "adapter"), output: at("merged") });
    const { metrics } = await evaluate(at("merged"), { task, data: file });
    closeTo([metrics["eval_f1"] ?? NaN, metrics["eval_loss"] ?? NaN], [run.metrics["eval_f1"] ?? NaN, run.metrics["eval_loss"] ?? NaN], 1e-4, "metrics of the merged model");
    assert.ok((await verify(model, { adapter: at("run", "adapter"), merged: at("merged", "onnx", "model.onnx"), data: file })).ok);
    assert.match(readFileSync(at("merged", "README.md"), "utf8"), /a linear head on its hidden states \(on each token\)/);
    await assert.rejects(train(model, { task, head: "mean", numLabels: 5, train: file, output: at("other") }), { code: "LOGITS_OF_OTHER_TASK" });
  });

  it("says what is wrong with words and labels", async () => {
    const refuses = async (record: Record<string, unknown>, code: string, message: RegExp): Promise<void> => {
      await assert.rejects(evaluate(FOLDER, { task, data: write("wrong.jsonl", [{ tokens: ["Rio"], ner_tags: ["B-LOC"] }, record]) }), { code, message });
    };
    await refuses({ tokens: ["a", "b"], ner_tags: ["O"] }, "DATA_LENGTHS_DIFFER", /line 2: "tokens" has 2 words and "ner_tags" has 1 label\. Each word needs one\./);
    await refuses({ tokens: ["a"], ner_tags: ["B-ORG"] }, "LABEL_UNKNOWN", /line 2/);
    await refuses({ tokens: "a b", ner_tags: ["O"] }, "DATA_NOT_WORDS", /line 2: "tokens" is "a b", where a list of words is expected\./);
    await refuses({ tokens: ["a"], ner_tags: "O" }, "LABEL_LIST_WRONG", /line 2: the label "O" is not a list with one label a word/);
    await refuses({ tokens: ["a", 1], ner_tags: ["O", "O"] }, "DATA_NOT_WORDS", /line 2/);
    const evaluated = async (records: readonly unknown[]): Promise<unknown> => evaluate(FOLDER, { task, data: write("wrong.jsonl", records) });
    await assert.rejects(evaluated([{ text: "a", ner_tags: ["O"] }]), { code: "DATA_COLUMN_MISSING", message: /name the text tokens or words/ });
    await assert.rejects(evaluated([{ tokens: ["a"], label: "O" }]), { code: "DATA_COLUMN_MISSING", message: /"ner_tags" or "tags" or "labels"/ });
    await assert.rejects(evaluated([{ tokens: ["\u200b"], ner_tags: ["O"] }]), { code: "LABELS_ALL_IGNORED" });
    await assert.rejects(evaluated([{ tokens: ["a"], ner_tags: [7] }]), { code: "LABEL_OUT_OF_RANGE", message: /line 1/ });
    await evaluated([{ tokens: ["a", "b"], ner_tags: [4, -100] }]);
    await evaluated([{ input_ids: [2, 7, 3], ner_tags: [-100, 0, -100] }]);
    await assert.rejects(evaluated([{ input_ids: [2, 7, 3], ner_tags: [0] }]), { code: "DATA_LENGTHS_DIFFER", message: /Both need one a token/ });
  });

  it("keeps a decoder's head what it was: it isn't taken for one of classes, nor trained whole unasked", async () => {
    for (const name of ["gpt2", "llama"]) {
      const file = ["model.ts.onnx", "model.dynamo.onnx"].map((f) => join("fixtures/cases", name, f)).find(existsSync);
      assert.ok(file !== undefined);
      const { graph } = openFixture(file.replace("fixtures/", ""));
      const logits = graph.outputs.find((v) => v.name === "logits");
      assert.equal(savesHeadBy(graph, logits), false, name);
      assert.equal(taskOfLogits(graph, logits, null)?.name, "text-generation");
      assert.equal(taskOfLogits(graph, logits, "CAUSAL_LM")?.name, "text-generation");
      assert.deepEqual((await adapt(file, { output: at(`${name}.onnx`), dryRun: true })).modulesToSave, []);
    }
    using opened = openModel(FOLDER);
    const { graph } = opened.loadInlined();
    assert.equal(savesHeadBy(graph, graph.outputs[0]), true);
    assert.equal(taskOfLogits(graph, graph.outputs[0], null)?.name, task);
    cpSync(FOLDER, at("copy"), { recursive: true });
    assert.equal((await adapt(at("copy"), { output: at("copy", "adapted.onnx") })).modulesToSave.length, 1);
  });
});
