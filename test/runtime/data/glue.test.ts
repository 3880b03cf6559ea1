import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { evaluate, train } from "../../../src/index.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { toExamples, type Examples } from "../../../src/runtime/data/examples.ts";
import { GLUE_TASKS, glueFile, glueForm, withGlue, withGlueMetrics } from "../../../src/runtime/data/glue.ts";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";
import type { TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";
import { GLUE, type GlueName } from "../../../src/runtime/options.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";

/** Keeps what it was given. */
const heard: string[][] = [];
const listening: TextTokenizer = { padId: 0, vocabulary: 2, maxLength: undefined, encode: (texts) => { heard.push([...texts]); return { ids: [1], typeIds: [0], whole: 1 }; }, encodeWords: () => assert.fail("GLUE has no lists of words") };

/** The files as GLUE's download has them: header, two records, and what the test file has instead. */
const FILES: Readonly<Record<GlueName, { readonly train: string; readonly test: string; readonly texts: readonly (readonly string[])[]; readonly labels: readonly number[] }>> = {
  cola: { train: "gj04\t1\t\tOur friends won't buy this.\ngj04\t0\t*\tThey drank the pub \"dry.\n", test: "index\tsentence\n0\tBill whistled.\n", texts: [["Our friends won't buy this."], ["They drank the pub \"dry."]], labels: [1, 0] },
  sst2: { train: "sentence\tlabel\nhide new secretions \t0\nthat loves its characters \t1\n", test: "index\tsentence\n0\tuneasy\n", texts: [["hide new secretions "], ["that loves its characters "]], labels: [0, 1] },
  mrpc: { train: "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t702876\t702977\tAmrozi accused \"his\tReferring to him\n0\t1\t2\tYucaipa owned\tYucaipa bought\n", test: "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\tPCCW\tCurrent\n", texts: [["Amrozi accused \"his", "Referring to him"], ["Yucaipa owned", "Yucaipa bought"]], labels: [1, 0] },
  stsb: { train: "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n0\tmain\tMSRvid\t2012\t1\tnone\tnone\tA plane.\tAn air plane.\t5.000\n1\tmain\tMSRvid\t2012\t4\tnone\tnone\tA flute.\tA man.\t3.8\n", test: "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\n0\ta\tb\tc\td\te\tf\tx\ty\n", texts: [["A plane.", "An air plane."], ["A flute.", "A man."]], labels: [5, 3.8] },
  qqp: { train: "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n133273\t213221\t213222\tHow is life?\tWhat level?\t0\n402555\t5\t6\tHow?\tWhy?\t1\n7\tbroken\n", test: "id\tquestion1\tquestion2\n0\ta\tb\n", texts: [["How is life?", "What level?"], ["How?", "Why?"]], labels: [0, 1] },
  mnli: {
    train: "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label\n0\t1\t1n\tgov\tp\tp\tp\tp\tConceptually cream\tProduct\tneutral\tneutral\n1\t2\t2c\tgov\tp\tp\tp\tp\tyou know\tYou lose\tentailment\tcontradiction\n2\t3\t3\tgov\tp\tp\tp\tp\tleft\tout\tneutral\t-\n",
    test: "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\n0\t1\t1\tg\tp\tp\tp\tp\ta\tb\n", texts: [["Conceptually cream", "Product"], ["you know", "You lose"]], labels: [1, 2],
  },
  qnli: { train: "index\tquestion\tsentence\tlabel\n0\tWhen did?\tIn 1879.\tentailment\n1\tWho?\tNobody \"knows.\tnot_entailment\n", test: "index\tquestion\tsentence\n0\ta\tb\n", texts: [["When did?", "In 1879."], ["Who?", "Nobody \"knows."]], labels: [0, 1] },
  rte: { train: "index\tsentence1\tsentence2\tlabel\n0\tNo weapons.\tWeapons.\tnot_entailment\n1\tA place.\tPlace.\tentailment\n", test: "index\tsentence1\tsentence2\n0\ta\tb\n", texts: [["No weapons.", "Weapons."], ["A place.", "Place."]], labels: [1, 0] },
  wnli: { train: "index\tsentence1\tsentence2\tlabel\n0\tI stuck a pin.\tThe carrot.\t1\n1\tJohn.\tBill.\t0\n", test: "index\tsentence1\tsentence2\n0\ta\tb\n", texts: [["I stuck a pin.", "The carrot."], ["John.", "Bill."]], labels: [1, 0] },
};

function read(glue: GlueName, content: string, { known, labelled = true, file = "train.tsv" }: { known?: readonly string[]; labelled?: boolean; file?: string } = {}): Examples {
  heard.length = 0;
  const { data, id2label } = glueFile(parseRecords(file, new TextEncoder().encode(content), glueForm(glue)), glue, known, labelled);
  const { problem, classes } = GLUE_TASKS[glue];
  return toExamples(data, {
    task: taskNamed({ problem }).data, inputs: [{ name: "input_ids", dtype: DataType.INT64, shape: ["batch", "sequence"] }], tokenizer: listening, maxLength: 9, labels: labelled ? "required" : "none",
    numLabels: classes?.length ?? 1, id2label,
  });
}

describe("GLUE's own files", () => {
  for (const glue of GLUE) {
    const { train, test, texts, labels } = FILES[glue];
    it(`${glue}: texts, labels in GLUE's order, and a test file without any`, () => {
      const { examples, id2label } = read(glue, train);
      assert.deepEqual(heard, texts);
      assert.deepEqual(examples.map((e) => e.labels?.values[0]), labels);
      assert.deepEqual(id2label, GLUE_TASKS[glue].classes);
      assert.equal(read(glue, test, { labelled: false }).examples.length, 1);
      assert.throws(() => read(glue, test, { file: "test.tsv" }), { code: "GLUE_UNLABELLED", message: /^"test\.tsv" has no labels.*dev\.tsv, or use predict/ });
    });
  }

  it("leaves out broken rows and records without a gold label, and says so by line", () => {
    assert.deepEqual(read("qqp", FILES.qqp.train).report.leftOut, [{ why: "with another number of columns than the header", lines: [4] }]);
    assert.deepEqual(read("mnli", FILES.mnli.train).report.leftOut, [{ why: "without a gold label (-)", lines: [4] }]);
  });

  it("reads the hub's copies too: numbers for names, and -1 for none", () => {
    const hub = '{"premise":"a","hypothesis":"b","label":2,"idx":0}\n{"premise":"c","hypothesis":"d","label":0,"idx":1}\n';
    assert.deepEqual(read("mnli", hub, { file: "train.jsonl" }).examples.map((e) => e.labels?.values[0]), [2, 0]);
    assert.throws(() => read("mnli", hub.replaceAll(/"label":\d/g, '"label":-1'), { file: "test.jsonl" }), { code: "GLUE_UNLABELLED" });
  });

  it("puts labels where the model has a class of that name, else in GLUE's order", () => {
    const labelsBy = (known: readonly string[]): unknown => { const { examples, id2label } = read("mnli", FILES.mnli.train, { known }); return [examples.map((e) => e.labels?.values[0]), id2label]; };
    assert.deepEqual(labelsBy(["CONTRADICTION", "NEUTRAL", "ENTAILMENT"]), [[1, 0], ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"]]);
    assert.deepEqual(labelsBy(["x", "y", "z"]), [[1, 2], ["x", "y", "z"]]);
    assert.deepEqual(labelsBy(["LABEL_0", "LABEL_1", "LABEL_2"]), [[1, 2], GLUE_TASKS.mnli.classes]);
  });

  it("settles task, problem and classes, and refuses flags that say otherwise", () => {
    assert.deepEqual(withGlue({ glue: "stsb", head: "mean" }), { glue: "stsb", head: "mean", task: "text-classification", problem: "regression", numLabels: 1 });
    assert.deepEqual(withGlue({ glue: "mnli" }), { glue: "mnli", task: "text-classification", problem: "single" });
    for (const wrong of [{ task: "text-generation" }, { problem: "regression" }, { numLabels: 2 }] as const) assert.throws(() => withGlue({ glue: "mnli", ...wrong }), { code: "GLUE_CONTRADICTS", exitCode: 2 });
    assert.throws(() => read("mnli", "text\tlabel\na\t1\n"), { code: "DATA_COLUMN_MISSING", message: /no file of GLUE's mnli.*"sentence1" and "sentence2", or "premise" and "hypothesis"/ });
  });

  it("has its official figures as the first, and goes by the first of these", () => {
    const official = (glue: GlueName): readonly string[] | undefined => withGlueMetrics(taskNamed({ problem: GLUE_TASKS[glue].problem }), glue).official;
    assert.deepEqual(GLUE.map((glue) => [glue, ...official(glue) ?? []].join(" ")), [
      "cola eval_matthews_correlation", "sst2 eval_accuracy", "mrpc eval_accuracy eval_f1", "stsb eval_pearson eval_spearmanr", "qqp eval_accuracy eval_f1", "mnli eval_accuracy", "qnli eval_accuracy", "rte eval_accuracy", "wnli eval_accuracy",
    ]);
    for (const glue of GLUE) assert.equal(withGlueMetrics(taskNamed(), glue).mainMetric.name, official(glue)?.[0]);
    assert.equal(withGlueMetrics(taskNamed(), undefined), taskNamed());
  });

  it("tells them first while it trains, in its results and when it evaluates", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-glue-"));
    const at = (name: string): string => join(folder, name);
    const model = "fixtures/feature-extraction/model.onnx";
    const words = readFileSync("fixtures/feature-extraction/pairs.jsonl", "utf8").trim().split("\n").map((line) => Object.values(JSON.parse(line) as Record<string, string>));
    writeFileSync(at("mrpc.tsv"), ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", ...words.map(([a = "", b = ""], i) => [i % 2, 1, 2, a, b].join("\t"))].join("\n"));
    writeFileSync(at("cola.tsv"), words.map(([a = ""], i) => ["x", i % 2, "", a].join("\t")).join("\n"));
    for (const [glue, official] of [["mrpc", ["eval_accuracy", "eval_f1"]], ["cola", ["eval_matthews_correlation"]]] as const) {
      const shown: string[] = [];
      const file = at(`${glue}.tsv`);
      const trained = await train(model, { glue, batchSize: 2, threads: 1, train: file, dev: file, head: "mean", output: at(glue), epochs: 3, lr: 0.05, bestMetric: true, onProgress: ({ phase, figures = {} }) => { if (phase === "training") shown.splice(0, Infinity, ...Object.keys(figures)); } });
      assert.deepEqual(shown, ["loss", "learning_rate", ...official, "tokens_per_second", "memory_bytes"]);
      const figure = (evaluation: Readonly<Record<string, number>>): number => evaluation[official[0]] ?? NaN;
      assert.equal(trained.bestStep, trained.evaluations.reduce((best, e) => (figure(e) > figure(best) ? e : best))["step"]);
      const measured = await evaluate(model, { glue, batchSize: 2, threads: 1, data: file, adapter: trained.adapter });
      for (const { metrics } of [trained, measured]) assert.deepEqual(Object.keys(metrics).slice(0, official.length + 1), [...official, "eval_loss"]);
      assert.equal(figure(measured.metrics), figure(trained.metrics));
    }
    const dry = { glue: "mrpc", train: at("mrpc.tsv"), dev: at("mrpc.tsv"), head: "mean", output: at("none"), threads: 1, dryRun: true } as const;
    await train(model, { ...dry, bestMetric: "f1" });
    await assert.rejects(train(model, { ...dry, bestMetric: "f1_macro" }), { code: "BEST_METRIC_UNKNOWN", message: /There are accuracy, f1, loss, precision/ });
    rmSync(folder, { recursive: true });
  });

  it("refuses what is no label of the task, by line", () => {
    assert.throws(() => read("rte", FILES.rte.train.replace("\tentailment", "\tneutral")), { code: "LABEL_UNKNOWN", message: /line 3: the label "neutral"/ });
    assert.throws(() => read("stsb", FILES.stsb.train.replace("3.8", "high")), { code: "LABEL_NUMBER_WRONG", message: /line 3/ });
  });
});
