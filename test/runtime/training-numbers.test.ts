/** What a step of the optimizer can be told, against 50 steps of PyTorch's and PEFT's: fixtures/training. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TrainOptions } from "../../src/index.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { closeTo } from "./close-to.ts";

interface Run {
  readonly case: "bert" | "gpt2";
  readonly adapter: string | null;
  readonly options: Partial<TrainOptions>;
  readonly losses: number[];
  readonly grad_norms: number[];
  readonly learning_rates: number[];
}

const FOLDER = "fixtures/training";
const RUNS = JSON.parse(readFileSync(join(FOLDER, "runs.json"), "utf8")) as Record<string, Run>;
const ENDS = tensorsOf(join(FOLDER, "end.safetensors"));

/** What a run ends with, by our names. */
function endOf(run: string): Map<string, Float32Array> {
  const before = `${run}/base_model.model.`;
  return new Map([...ENDS].filter(([name]) => name.startsWith(before)).map(([name, values]) => [name.slice(before.length), values]));
}

describe("fifty steps against PyTorch", function () {
  this.timeout(60_000);
  let folder = "";
  before(() => { folder = mkdtempSync(join(tmpdir(), "hut-numbers-")); });
  after(() => { rmSync(folder, { recursive: true }); });

  for (const [name, run] of Object.entries(RUNS)) {
    it(`${name}: losses, norms, rates and what is trained`, async () => {
      const base = join("fixtures/cases", run.case);
      const output = join(folder, name);
      const adapter = run.adapter === null ? join(base, "adapter") : join(FOLDER, run.adapter);
      const { adapter: trained } = await train(join(base, "model.dynamo.onnx"), {
        // Checkpoints of each epoch would take as long as the steps.
        ...run.options, saveSteps: 50, tensorboard: false, adapter, output, train: join(FOLDER, `${run.case}.jsonl`), threads: 1, task: run.case === "gpt2" ? "text-generation" : "text-classification",
      });
      const records = readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number>);
      const column = (key: string): number[] => records.map((record) => record[key] ?? NaN);
      closeTo(column("learning_rate"), run.learning_rates, 1e-12, "learning_rate");
      closeTo(column("loss"), run.losses, 1e-5, "loss");
      closeTo(column("grad_norm").map((norm, i) => norm / (run.grad_norms[i] ?? NaN)), run.grad_norms.map(() => 1), 1e-5, "grad_norm");
      const ours = tensorsOf(join(trained, "adapter_model.safetensors"));
      const theirs = endOf(name);
      assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
      for (const [tensor, values] of theirs) closeTo(ours.get(tensor) ?? [], values, 1e-4, tensor);
    });
  }
});
