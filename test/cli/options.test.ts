import assert from "node:assert/strict";
import { COMMANDS } from "../../src/cli/commands.ts";
import { EMBEDDING_POOLINGS as FLAG_POOLINGS, HEADS, LEARNING_RATES } from "../../src/cli/flags.ts";
import { METHODS } from "../../src/methods/registry.ts";
import { EMBEDDING_POOLINGS } from "../../src/passes/attach-contrastive.ts";
import { POOLINGS } from "../../src/passes/attach-head.ts";
import { DEFAULTS } from "../../src/runtime/options.ts";
import { run } from "./run.ts";

describe("what the library is given", () => {
  it("only the flags that were given: the library alone knows the defaults", async () => {
    const { code, calls } = await run(["train", "model", "--train", "t.tsv", "-o", "run"]);
    assert.equal(code, 0);
    assert.deepEqual(calls, [{ verb: "train", model: "model", options: { train: "t.tsv", output: "run" } }]);
  });

  it("every flag under its option's name, with its type", async () => {
    const { calls } = await run(["train", "model", "--train", "t.tsv", "--dev", "d.tsv", "-o", "run", "--task", "text-classification",
      "--target-modules", "q, v,/a{1,2}.*,b/ ,/x/", "--method", "hut", "--rank", "8", "--alpha", "16", "--modules-to-save", "head", "--head", "mean",
      "--num-labels", "2", "--adapter", "a", "--output", "logits", "--force", "--tokenizer", "t.json", "--batch-size", "4", "--max-seq-length", "64",
      "--lr", "1e-2", "--epochs", "2", "--max-steps", "5", "--weight-decay", ".01", "--max-grad-norm", "0", "--lr-scheduler", "constant",
      "--warmup-ratio", "0.1", "--no-shuffle", "--seed", "3", "--eval-steps", "5", "--save-steps", "7", "--save-total-limit", "2", "--best-metric", "f1", "--patience", "3", "--resume", "run/checkpoint-2", "--threads", "2", "--provider", "cpu", "--no-tensorboard", "--dry-run",
      "--grad-accumulation-steps", "4", "--label-smoothing", "0.1", "--class-weights", "0.5,2", "--decay-exempt", "--lr-groups", "b=16x,head=1e-4", "--adapter-dropout", "0.1", "--head-dropout", ".2"]);
    assert.deepEqual(calls[0]?.options, {
      train: "t.tsv", dev: "d.tsv", output: "run", task: "text-classification",
      targetModules: ["q", "v", "/a{1,2}.*,b/", "/x/"], method: "hut", rank: 8, alpha: 16, modulesToSave: ["head"], head: "mean", numLabels: 2,
      adapter: "a", outputName: "logits", force: true, tokenizer: "t.json", batchSize: 4, maxSeqLength: 64,
      lr: 0.01, epochs: 2, maxSteps: 5, weightDecay: 0.01, maxGradNorm: 0, lrScheduler: "constant", warmupRatio: 0.1,
      shuffle: false, seed: 3, evalSteps: 5, saveSteps: 7, saveTotalLimit: 2, bestMetric: "f1", patience: 3, resume: "run/checkpoint-2", threads: 2, provider: "cpu", tensorboard: false, dryRun: true,
      gradAccumulationSteps: 4, labelSmoothing: 0.1, classWeights: [0.5, 2], decayExempt: true, lrGroups: ["b=16x", "head=1e-4"], adapterDropout: 0.1, headDropout: 0.2,
    });
  });

  it("--learning-rate is --lr, --resume alone is true, = works, and a repeated list adds up", async () => {
    const { calls } = await run(["train", "m", "--train=t", "-o", "r", "--learning-rate", "0.1", "--resume", "--target-modules", "q", "--target-modules", "v"]);
    assert.deepEqual(calls[0]?.options, { train: "t", output: "r", lr: 0.1, resume: true, targetModules: ["q", "v"] });
  });

  it("--class-weights balanced, and what is no weight", async () => {
    const words = ["train", "m", "--train", "t", "-o", "r", "--class-weights"];
    assert.deepEqual((await run([...words, "balanced"])).calls[0]?.options, { train: "t", output: "r", classWeights: "balanced" });
    for (const wrong of ["balance", "1,-1", "1,,2", "1e999,1"]) assert.equal((await run([...words, wrong])).code, 2, wrong);
  });

  it("--requantize", async () => {
    const { calls } = await run(["fold", "m", "--adapter", "a", "-o", "o", "--requantize"]);
    assert.deepEqual(calls[0]?.options, { adapter: "a", output: "o", requantize: true });
  });

  it("flags may stand before MODEL, and MODEL after --", async () => {
    assert.equal((await run(["adapt", "-o", "a.onnx", "--embed", "m"])).calls[0]?.model, "m");
    assert.equal((await run(["inspect", "--", "--json"])).calls[0]?.model, "--json");
  });

  it("both formats of artifacts, and what is of one alone", async () => {
    const { code, calls } = await run(["artifacts", "m", "-o", "out", "--optimizer", "adamw", "--format", "step,ort-training", "--frozen-in-checkpoint"]);
    assert.equal(code, 0);
    assert.deepEqual(calls[0]?.options, { output: "out", optimizer: "adamw", format: ["step", "ort-training"], frozenInCheckpoint: true });
  });

  it("--checkpoint, with an adapter or without", async () => {
    assert.deepEqual((await run(["fold", "m", "--checkpoint", "c", "-o", "o"])).calls[0]?.options, { checkpoint: "c", output: "o" });
    const { calls } = await run(["evaluate", "m", "--checkpoint", "c", "--adapter", "a", "--data", "d"]);
    assert.deepEqual(calls[0]?.options, { checkpoint: "c", adapter: "a", data: "d" });
  });

  it("the runs of a report, as many as there are", async () => {
    const { code, calls, out } = await run(["report", "a", "b", "-o", "r.html", "--examples", "0"]);
    assert.equal(code, 0);
    assert.deepEqual(calls[0]?.options, { output: "r.html", examples: 0, runs: ["a", "b"] });
    assert.match(out, /hut r8 +2 +0\.8000 ± 0\.0100 +2\.5 TFLOP +30\.0 s/);
    const none = await run(["report", "-o", "r.html"]);
    assert.deepEqual([none.code, none.calls], [2, []]);
    assert.match(none.err, /`onnx-hut report` needs RUN, a folder that `onnx-hut train` wrote, or several\./);
  });

  it("every verb", async () => {
    const lines: Record<string, string[]> = {
      demo: [], inspect: ["m"], cost: ["m"], train: ["m", "--train", "t", "-o", "r"], evaluate: ["m", "--data", "d"], predict: ["m", "--data", "d", "-o", "p"], generate: ["m", "--data", "d", "-o", "g"],
      fold: ["m", "--adapter", "a", "-o", "o"], verify: ["m", "--adapter", "a", "--merged", "o"], report: ["r"], adapt: ["m", "-o", "o"], artifacts: ["m", "-o", "o"],
    };
    for (const { name, takes } of COMMANDS) {
      const { code, calls } = await run([name, ...(lines[name] ?? [])]);
      assert.equal(code, 0, name);
      assert.deepEqual([calls[0]?.verb, calls[0]?.model], [name, takes === "model" ? "m" : undefined]);
    }
  });
});

describe("what the flags repeat of the library", () => {
  it("the methods and their learning rates", () => {
    assert.deepEqual(LEARNING_RATES, Object.fromEntries(METHODS.map((m) => [m.name, m.defaultLearningRate])));
  });

  it("the poolings", () => {
    assert.deepEqual(HEADS, POOLINGS);
    assert.deepEqual(FLAG_POOLINGS, EMBEDDING_POOLINGS);
  });

  it("the defaults, as help shows them", async () => {
    const { out } = await run(["train", "--help"]);
    const shown = {
      "--rank": DEFAULTS.rank, "--target-modules": DEFAULTS.targetModules.join(","), "--epochs": DEFAULTS.epochs, "--batch-size": DEFAULTS.batchSize,
      "--seed": DEFAULTS.seed, "--max-seq-length": DEFAULTS.maxSeqLength, "--warmup-ratio": DEFAULTS.warmupRatio, "--lr-scheduler": DEFAULTS.lrScheduler,
      "--method": DEFAULTS.method,
    };
    for (const [flag, value] of Object.entries(shown)) {
      const text = out.slice(out.indexOf(`\n  ${flag} `)).split(/\n {2}-/, 2)[1] ?? "";
      assert.ok(text.replace(/\s+/g, " ").includes(`(default: ${String(value)})`), `${flag}: ${text}`);
    }
  });
});
