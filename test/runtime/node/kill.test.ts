import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TrainOptions } from "../../../src/index.ts";
import { bundledProgram } from "../../cli/bundled.ts";
import { killRuns } from "./kill-runs.ts";
import { makeScenarios } from "./kill-scenarios.ts";
import { withoutTimes } from "./run-log.ts";

/** One of each verb; `npm run test:kill` has them all, and hundreds of kills. */
const CHOSEN = ["adapt elsewhere, over older files", "fold of external data to a folder, over an older one", "artifacts, over older ones", "train --overwrite over an older run"];
const BERT = "fixtures/cases/bert";

describe("a killed command", function () {
  this.timeout(300_000);
  let folder = "";
  let bundled: ReturnType<typeof bundledProgram>;
  const at = (...names: string[]): string => join(folder, ...names);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-kill-"));
    bundled = bundledProgram();
  });
  after(() => {
    rmSync(folder, { recursive: true });
    bundled[Symbol.dispose]();
  });

  it("leaves each output old or new, and the next run tidies up and ends as if nothing had been", async () => {
    const scenarios = (await makeScenarios({ inputs: at("inputs"), out: at("out") }, false)).filter(({ name }) => CHOSEN.includes(name));
    assert.equal(scenarios.length, CHOSEN.length);
    const killed = await killRuns(scenarios, { program: bundled.program, out: at("out"), kills: 12, seed: 1 });
    assert.deepEqual(killed.flatMap(({ scenario, phase, problems }) => problems.map((problem) => `${scenario}, killed ${phase}: ${problem}`)), []);
    assert.ok(new Set(killed.map(({ phase }) => phase)).size >= 2, "at more than one kind of moment");
  });

  it("was a training that wrote a checkpoint, or removed one: --resume ends with the bytes of an undisturbed run", async () => {
    const lines = readFileSync(join(BERT, "batch.jsonl"), "utf8").trim().split("\n");
    writeFileSync(at("train.jsonl"), Array.from({ length: 14 }, (_, i) => lines[i % lines.length]).join("\n"));
    const model = join(BERT, "model.ts.onnx");
    const dev = join(BERT, "batch.jsonl");
    const settings: TrainOptions = { output: at("whole"), train: at("train.jsonl"), dev, batchSize: 2, threads: 1, lr: 0.02, gradAccumulationSteps: 2, adapterDropout: 0.1, saveSteps: 2, evalSteps: 3, saveTotalLimit: 2, bestMetric: "loss", patience: 3 };
    const words = ["train", model, "--train", at("train.jsonl"), "--dev", dev, "--batch-size", "2", "--threads", "1", "--lr", "0.02", "--grad-accumulation-steps", "2", "--adapter-dropout", "0.1",
      "--save-steps", "2", "--eval-steps", "3", "--save-total-limit", "2", "--best-metric", "loss", "--patience", "3", "--quiet"];
    const whole = await train(model, settings);
    assert.deepEqual(whole.evaluations.map(({ step }) => step), [3, 6, 9, 12]);
    const files = (run: string): string[] => readdirSync(at(run), { recursive: true, encoding: "utf8" }).filter((name) => !name.includes("tfevents")).sort();
    // Step 3 has the first evaluation, and so the best until then. With step 6's checkpoint that of step 2 is gone and that of step 4 is kept.
    const points: readonly (readonly [killAt: string, left: (run: string) => void])[] = [
      ["writeSync checkpoint-6/.state.safetensors", (run) => {
        const [torn = "", ...others] = readdirSync(at(run, "checkpoint-6"));
        assert.match(torn, /^\.state\.safetensors\.onnx-hut-/);
        assert.deepEqual(others, []);
        assert.ok(statSync(at(run, "checkpoint-6", torn)).size < statSync(at(run, "checkpoint-4", "state.safetensors")).size);
      }],
      ["renameSync checkpoint-8/trainer_state.json", (run) => { assert.deepEqual(readdirSync(at(run, "checkpoint-8")).map((name) => name.replace(/\.onnx-hut-.*/, "")).sort(), [".trainer_state.json", "state.safetensors"]); }],
      ["rmSync checkpoint-4", (run) => { assert.deepEqual(readdirSync(at(run, "checkpoint-4")), ["state.safetensors"]); }],
    ];
    const signals = await Promise.all(points.map(([killAt], i) => new Promise<string | null>((resolve) => {
      const child = spawn(process.execPath, ["--import", "./test/runtime/node/kill-at.js", ...bundled.program, ...words, "-o", at(`run-${String(i)}`)], { stdio: "ignore", env: { ...process.env, KILL_AT: killAt } });
      child.once("exit", (_, signal) => { resolve(signal); });
    })));
    assert.deepEqual(signals, points.map(() => "SIGKILL"));
    for (const [i, [killAt, left]] of points.entries()) {
      const run = `run-${String(i)}`;
      left(run);
      const again = await train(model, { output: at(run), resume: true, threads: 1 });
      assert.deepEqual([again.steps, again.bestStep], [whole.steps, whole.bestStep], killAt);
      assert.deepEqual(files(run), files("whole"), killAt);
      for (const name of files("whole").filter((file) => /^(adapter|checkpoint-\d+)\/./.test(file))) assert.ok(readFileSync(at(run, name)).equals(readFileSync(at("whole", name))), `${killAt}: ${name}`);
      assert.deepEqual(withoutTimes(readFileSync(at(run, "metrics.jsonl"), "utf8")), withoutTimes(readFileSync(at("whole", "metrics.jsonl"), "utf8")), killAt);
    }
  });
});
