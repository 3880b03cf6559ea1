import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cost, evaluate, report, train, type ReportResult, type TrainOptions } from "../../../src/index.ts";

const MODEL = "fixtures/demo/model.onnx";
const SEEDS = [0, 1, 2];

describe("report", function () {
  this.timeout(180_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  let common: Omit<TrainOptions, "output">;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-report-"));
    const head = (file: string, lines: number): string => `${readFileSync(join("fixtures/demo", file), "utf8").split("\n").slice(0, lines + 1).join("\n")}\n`;
    writeFileSync(at("train.tsv"), head("train.tsv", 48));
    writeFileSync(at("dev.tsv"), head("dev.tsv", 40).replace("\n", "\n<script>alert(1)</script> "));
    common = { head: "mean", numLabels: 2, train: at("train.tsv"), dev: at("dev.tsv"), epochs: 1, batchSize: 16, threads: 1, tensorboard: false };
    for (const seed of SEEDS) await train(MODEL, { ...common, rank: 4, seed, output: at(`hut-${String(seed)}`) });
    await train(MODEL, { ...common, method: "lora", rank: 2, seed: 0, output: at("lora") });
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("of one run has the figures that training wrote, the mistakes that evaluate counts, and operations that cost counts", async () => {
    const result = await report([at("hut-0")], { output: at("one.html"), threads: 1 });
    const results = JSON.parse(readFileSync(at("hut-0", "all_results.json"), "utf8")) as Record<string, number>;
    const [run] = result.runs;
    assert.ok(run !== undefined && result.runs.length === 1);
    assert.equal(run.metrics["eval_accuracy"], results["eval_accuracy"]);
    assert.deepEqual(result.metric, { name: "eval_accuracy", greaterIsBetter: true });
    assert.equal(run.curve.length, 3);
    assert.equal(run.steps, 3);

    const { confusion, worst } = result.examined[0] ?? {};
    const measured = await evaluate(MODEL, { adapter: at("hut-0", "adapter"), data: at("dev.tsv"), threads: 1 });
    const counts = confusion?.counts ?? [];
    assert.equal(counts.flat().reduce((a, b) => a + b, 0), 40);
    assert.equal(counts.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / 40, measured.metrics["eval_accuracy"]);
    assert.deepEqual(counts.map((row) => row.reduce((a, b) => a + b, 0)), measured.classes.map(({ support }) => support));
    assert.equal(worst?.length, 8);
    assert.ok(worst.every(({ loss }, i) => i === 0 || loss <= (worst[i - 1]?.loss ?? 0)));
    const lines = readFileSync(at("dev.tsv"), "utf8").split("\n");
    for (const { line, texts } of worst) assert.equal(lines[line - 1]?.split("\t")[0], texts[0]);

    const { correlations, attributions } = result.examined[0] ?? {};
    const paths = [0, 1, 2].flatMap((layer) => ["query", "value"].map((part) => `encoder.layer.${String(layer)}.attention.self.${part}`));
    assert.deepEqual(correlations?.map(({ module }) => module).sort(), ["classifier", ...paths]);
    for (const { correlation, relativeUpdate, sample } of correlations) {
      assert.ok(Math.abs((correlation.before ?? NaN) - 1) < 1e-6 && (correlation.after ?? NaN) < 1 && (relativeUpdate.after ?? NaN) > 0);
      assert.ok(sample.length > 100);
    }
    // The surest record is right, and the worst is that of the list.
    assert.equal(attributions?.length, 8);
    assert.equal(attributions[0]?.tuned.prediction, attributions[0]?.label);
    assert.deepEqual(attributions[1]?.tuned.words.join(""), worst[0]?.texts[0]?.replace(/\s/g, ""));
    for (const { tuned, original } of attributions) {
      assert.deepEqual(tuned.words, original.words);
      assert.ok([tuned, original].every(({ scores }) => scores.length === tuned.words.length && scores.every(Number.isFinite) && scores.some((score) => score !== 0)));
      assert.notDeepEqual(tuned.scores, original.scores);
    }

    const { costs } = await cost(MODEL, { head: "mean", numLabels: 2, methods: ["hut"], ranks: [4], batchSize: 16, maxSeqLength: Math.round(run.tokensPerRecord ?? NaN) });
    assert.equal(run.flops, 3 * (costs[0]?.stepFlops ?? NaN));
    const page = readFileSync(at("one.html"), "utf8");
    assert.equal(result.bytesWritten, Buffer.byteLength(page));
    assert.doesNotMatch(page, /<script/);
  });

  it("of several takes seeds together, and examines of each method its best run", async () => {
    const folders = [...SEEDS.map((seed) => at(`hut-${String(seed)}`)), at("lora"), `${at("lora")}/`];
    const result = await report(folders, { output: at("all.html"), threads: 1 });
    assert.deepEqual(result.groups.map(({ name, seeds }) => [name, seeds]), [["hut r4", SEEDS], ["lora r2", [0]]]);
    const losses = SEEDS.map((seed) => (JSON.parse(readFileSync(at(`hut-${String(seed)}`, "all_results.json"), "utf8")) as { eval_loss: number }).eval_loss);
    const mean = losses.reduce((a, b) => a + b, 0) / 3;
    const spread = result.groups[0]?.metrics["eval_loss"];
    assert.ok(Math.abs((spread?.mean ?? NaN) - mean) < 1e-12);
    assert.ok(Math.abs((spread?.deviation ?? NaN) - Math.sqrt(losses.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 2)) < 1e-12);
    assert.deepEqual([spread?.min, spread?.max], [Math.min(...losses), Math.max(...losses)]);
    const accuracy = (i: number): number => result.runs[i]?.metrics["eval_accuracy"] ?? NaN;
    assert.deepEqual(result.examined.map(({ run }) => result.runs[run]?.method), ["hut", "lora"]);
    assert.equal(accuracy(result.examined[0]?.run ?? NaN), Math.max(...SEEDS.map(accuracy)));
  });

  const noted = async (folders: readonly string[], options: Parameters<typeof report>[1]): Promise<ReportResult> => {
    const notices: string[] = [];
    const result = await report(folders, { output: at("noted.html"), threads: 1, ...options, onNotice: (notice) => { notices.push(notice); } });
    for (const note of result.notes) assert.ok(notices.includes(note), note);
    return result;
  };

  it("says what it leaves out where the model isn't there, and takes one that is named", async () => {
    const moved = at("moved");
    cpSync(at("hut-0"), moved, { recursive: true });
    const file = join(moved, "run.json");
    writeFileSync(file, readFileSync(file, "utf8").replace(JSON.stringify(MODEL), JSON.stringify("gone/model.onnx")));
    const without = await noted([moved], {});
    assert.deepEqual(without.notes, [`Operations, mistakes and weights of runs on "gone/model.onnx": the model isn't there. Say where it is with --model.`]);
    assert.deepEqual([without.runs[0]?.flops, without.examined], [null, []]);
    const given = await noted([moved], { model: MODEL });
    assert.deepEqual(given.notes, []);
    assert.equal(given.examined[0]?.confusion?.counts.length, 2);
    await assert.rejects(report([moved], { output: at("noted.html"), model: "gone/model.onnx" }), { code: "MODEL_MISSING" });
  });

  it("shows no mistakes on data that changed, and takes data that are named", async () => {
    const dev = at("dev.tsv");
    renameSync(dev, at("kept.tsv"));
    assert.match((await noted([at("hut-0")], {})).notes.join(), /Mistakes of hut-0: There is no file ".*dev\.tsv"/);
    writeFileSync(dev, "sentence\tlabel\nother\t1\n");
    assert.match((await noted([at("hut-0")], {})).notes.join(), /Mistakes of hut-0: ".*dev\.tsv" has changed since the run\. Name the data with --data\./);
    renameSync(at("kept.tsv"), dev);
    writeFileSync(at("other.tsv"), "sentence\tlabel\na fine film\t1\nbad\t0\n");
    const other = await noted([at("hut-0")], { data: at("other.tsv"), examples: 0 });
    assert.equal(other.examined[0]?.confusion?.counts.flat().reduce((a, b) => a + b, 0), 2);
    assert.deepEqual([other.examined[0].worst, other.examined[0].attributions], [[], null]);
    await assert.rejects(report([at("hut-0")], { output: at("noted.html"), data: at("none.tsv") }), { code: "FILE_MISSING" });
  });

  it("draws a run that was stopped", async () => {
    const stopper = new AbortController();
    const stopped = await train(MODEL, { ...common, rank: 4, seed: 5, evalSteps: 1, output: at("stopped"), signal: stopper.signal, onProgress: ({ phase, done }) => { if (phase === "training" && done === 2) stopper.abort(); } });
    assert.ok(stopped.interrupted);
    const result = await noted([at("stopped"), at("hut-0")], {});
    assert.deepEqual(result.groups.map(({ name }) => name), ["hut r4, evalSteps 1, unfinished", "hut r4, evalSteps –"]);
    assert.deepEqual([result.runs[0]?.finished, result.runs[0]?.curve.length, result.runs[0]?.seconds], [false, 2, null]);
    assert.deepEqual(result.examined.map(({ run }) => run), [1]);
  });

  it("refuses what is no run, and to write over what it reads", async () => {
    mkdirSync(at("empty"));
    await assert.rejects(report([at("empty")], { output: at("x.html") }), { code: "NO_RUN" });
    await assert.rejects(report([at("nowhere")], { output: at("x.html") }), { code: "FOLDER_MISSING" });
    await assert.rejects(report([at("dev.tsv")], { output: at("x.html") }), { code: "NOT_A_FOLDER" });
    await assert.rejects(report([at("hut-0")], { output: at("dev.tsv") }), { code: "OUTPUT_IS_INPUT" });
    await assert.rejects(report([at("hut-0")], { output: at("hut-0", "run.json") }), { code: "OUTPUT_IS_INPUT" });
    await assert.rejects(report([at("hut-0")], { output: at("none", "x.html") }), { code: "OUTPUT_FOLDER_MISSING" });
    assert.ok(!existsSync(at("x.html")));
  });
});
