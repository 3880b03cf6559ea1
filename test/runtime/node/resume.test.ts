/** Runs that were stopped at every kind of moment, and what --resume makes of what they left. */
import assert from "node:assert/strict";
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TrainOptions, type TrainResult } from "../../../src/index.ts";
import { bundledProgram } from "../../cli/bundled.ts";
import { LOCK_FILE } from "../../../src/runtime/node/lock-folder.ts";
import { curves } from "./event-files.ts";
import { withoutTimes } from "./run-log.ts";

const BERT = "fixtures/cases/bert";
const MODEL = join(BERT, "model.ts.onnx");
const SAVED = "fixtures/ort-training/checkpoint-with-moments";
const ADAPTER_FILES = ["adapter_config.json", "adapter_model.safetensors", "hut.json", "README.md"];

describe("train --resume", function () {
  this.timeout(120_000);
  let folder = "";
  let settings: Omit<TrainOptions, "output"> & { readonly train: string };
  const at = (...names: string[]): string => join(folder, ...names);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-resume-"));
    const lines = readFileSync(join(BERT, "batch.jsonl"), "utf8").trim().split("\n");
    writeFileSync(at("train.jsonl"), [...lines, ...lines].slice(0, 7).join("\n"));
    cpSync(join(BERT, "batch.jsonl"), at("dev.jsonl"));
    // Four steps in each of two epochs.
    settings = { train: at("train.jsonl"), dev: at("dev.jsonl"), batchSize: 2, epochs: 2, threads: 1, lr: 0.01 };
    // What a kill at each moment that is told of would leave: a lock, which a dead process doesn't keep, is none of it.
    let seen = 0;
    await train(MODEL, { ...settings, output: at("whole"), onProgress: ({ phase, done }) => {
      cpSync(at("whole"), at("seen", `${String(seen)}-${phase}-${String(done)}`), { recursive: true });
      rmSync(at("seen", `${String(seen)}-${phase}-${String(done)}`, LOCK_FILE));
      seen += 1;
    } });
  });
  after(() => { rmSync(folder, { recursive: true }); });
  beforeEach(() => { rmSync(at("run"), { recursive: true, force: true }); });

  const resume = (options: Partial<TrainOptions> = {}): Promise<TrainResult> => train(MODEL, { output: at("run"), resume: true, threads: 1, ...options });
  const metrics = (run: string): string[] => withoutTimes(readFileSync(at(run, "metrics.jsonl"), "utf8"));
  const results = (run: string): Record<string, number> => JSON.parse(readFileSync(at(run, "all_results.json"), "utf8")) as Record<string, number>;

  /** The run's folder has what the undisturbed run's has, and nothing else. */
  function isWhole(run = "run", than = "whole"): void {
    for (const name of ADAPTER_FILES) assert.ok(readFileSync(at(run, "adapter", name)).equals(readFileSync(at(than, "adapter", name))), name);
    assert.deepEqual(metrics(run), metrics(than));
    const { eval_loss: loss, eval_accuracy: accuracy, steps } = results(than);
    assert.deepEqual({ ...results(run), eval_loss: loss, eval_accuracy: accuracy, steps }, results(run));
    assert.deepEqual(filesOf(run), filesOf(than));
    // TensorBoard shows each step once.
    const points = curves(at(run, "runs")).filter(({ tag }) => tag === "train/loss" || tag === "eval/accuracy");
    const logged = metrics(run).filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, number>);
    assert.deepEqual(points, logged.map(({ step, loss, eval_accuracy }) => ({ tag: loss === undefined ? "eval/accuracy" : "train/loss", step, value: Math.fround(loss ?? eval_accuracy ?? NaN) })));
  }

  /** Event files have the time in their names, and a run that goes on begins another. */
  function filesOf(run: string): string[] {
    return readdirSync(at(run), { recursive: true, encoding: "utf8" }).filter((name) => !name.includes("tfevents")).sort();
  }

  it("ends with the bytes of an undisturbed run, whichever step or evaluation it was stopped after", async () => {
    const seen = readdirSync(at("seen"));
    assert.ok(seen.length >= 10 && seen.some((name) => name.includes("evaluating")), seen.join(" "));
    for (const name of seen) {
      rmSync(at("run"), { recursive: true, force: true });
      cpSync(at("seen", name), at("run"), { recursive: true });
      // As if it had been in the middle of the next line.
      appendFileSync(at("run", "metrics.jsonl"), '{"step":9,"epoch":2.2');
      await resume();
      isWhole();
    }
  });

  it("begins at the first step where the run had no checkpoint yet", async () => {
    mkdirSync(at("run"));
    cpSync(at("whole", "run.json"), at("run", "run.json"));
    await resume();
    isWhole();
  });

  it("begins the run where there is none yet, and says so", async () => {
    const notices: string[] = [];
    await resume({ ...settings, onNotice: (notice) => notices.push(notice) });
    isWhole();
    assert.deepEqual(notices, [`there is no run in ${JSON.stringify(at("run"))} yet: it begins`]);
  });

  it("is an error where it names nothing that is there, or nothing says what to begin", async () => {
    await assert.rejects(resume({ ...settings, resume: at("run", "checkpoint-4") }), { code: "NO_CHECKPOINT", message: /checkpoint-4" holds no checkpoint/ });
    await assert.rejects(resume(), { code: "NO_CHECKPOINT", message: /run" holds no checkpoint to resume from/ });
    mkdirSync(at("run", "checkpoint-4"), { recursive: true });
    await assert.rejects(resume({ ...settings, resume: at("run", "checkpoint-4") }), { code: "NO_CHECKPOINT" });
    assert.deepEqual(readdirSync(at("run"), { recursive: true }), ["checkpoint-4"]);
  });

  it("evaluates where the run was stopped between an epoch's last step and its evaluation", async () => {
    for (const step of [4, 8]) {
      rmSync(at("run"), { recursive: true, force: true });
      const lastOf = readdirSync(at("seen")).filter((name) => existsSync(at("seen", name, `checkpoint-${String(step)}`)))[0];
      // The last step's checkpoint is written after its evaluation; one that was written by Ctrl-C is not.
      cpSync(lastOf === undefined ? at("whole") : at("seen", lastOf), at("run"), { recursive: true });
      const lines = readFileSync(at("run", "metrics.jsonl"), "utf8").trim().split("\n");
      const kept = lines.filter((line) => { const r = JSON.parse(line) as Record<string, number>; return (r["step"] ?? 0) < step || (r["step"] === step && "loss" in r); });
      writeFileSync(at("run", "metrics.jsonl"), `${kept.join("\n")}\n`);
      writeFileSync(at("run", `checkpoint-${String(step)}`, "trainer_state.json"), JSON.stringify({ global_step: step }));
      await resume();
      isWhole();
    }
  });

  it("passes over checkpoints that were half written or half removed, and cleans them up", async () => {
    const middle = readdirSync(at("seen")).find((name) => existsSync(at("seen", name, "checkpoint-4")));
    assert.ok(middle !== undefined);
    cpSync(at("seen", middle), at("run"), { recursive: true });
    mkdirSync(at("run", "checkpoint-6"));
    writeFileSync(at("run", "checkpoint-6", "state.safetensors"), "half");
    mkdirSync(at("run", "checkpoint-2"));
    writeFileSync(at("run", "checkpoint-2", "trainer_state.json"), '{"global_step": 2}');
    await resume();
    isWhole();
  });

  it("writes the adapter that a run was stopped in the middle of writing", async () => {
    cpSync(at("whole"), at("run"), { recursive: true });
    rmSync(at("run", "all_results.json"));
    rmSync(at("run", "adapter", "adapter_config.json"));
    await resume();
    isWhole();
  });

  it("of a run that is done gives the same again, without a step and with the speed it had", async () => {
    cpSync(at("whole"), at("run"), { recursive: true });
    const phases: string[] = [];
    const result = await resume({ onProgress: ({ phase }) => phases.push(phase) });
    isWhole();
    assert.deepEqual(phases, []);
    assert.deepEqual(results("run"), results("whole"));
    assert.ok(result.train_runtime > 0);
    assert.equal(result.metrics["eval_loss"], results("whole")["eval_loss"]);
  });

  it("from an older checkpoint forgets what came after it", async () => {
    const middle = readdirSync(at("seen")).find((name) => existsSync(at("seen", name, "checkpoint-4")));
    assert.ok(middle !== undefined);
    cpSync(at("whole"), at("run"), { recursive: true });
    cpSync(at("seen", middle, "checkpoint-4"), at("run", "checkpoint-4"), { recursive: true });
    const stop = new AbortController();
    stop.abort();
    const stopped = await resume({ resume: at("run", "checkpoint-4"), signal: stop.signal });
    assert.deepEqual([stopped.steps, stopped.interrupted], [4, true]);
    assert.deepEqual(readdirSync(at("run")).filter((name) => name.startsWith("checkpoint-")), ["checkpoint-4"]);
    await resume();
    isWhole();
  });

  it("begins anew with what a training elsewhere saved, where the run was stopped before its own first checkpoint", async () => {
    const begin = { ...settings, adapter: join(BERT, "adapter"), resume: SAVED, epochs: 3 };
    await train(MODEL, { ...begin, output: at("from"), onProgress: ({ done }) => { if (done === 6 && !existsSync(at("run"))) cpSync(at("from"), at("run"), { recursive: true }); } });
    rmSync(at("run", LOCK_FILE));
    assert.deepEqual(readdirSync(at("run")).sort(), ["metrics.jsonl", "run.json", "runs"]);
    await resume();
    isWhole("run", "from");
  });

  it("is refused while the run still runs, as is a second run in its folder; the first goes on undisturbed", async () => {
    const others: Promise<string>[] = [];
    await train(MODEL, { ...settings, output: at("run"), onProgress: ({ done }) => {
      for (const again of [{ resume: true }, { ...settings, overwrite: true }, settings]) if (done === 2) others.push(train(MODEL, { output: at("run"), ...again }).then(() => "went on", (error: unknown) => (error as { code: string }).code));
    } });
    assert.ok(others.length >= 3);
    assert.deepEqual(new Set(await Promise.all(others)), new Set(["OUTPUT_FOLDER_BUSY"]));
    isWhole();
  });

  it("does nothing to a folder in a dry run", async () => {
    assert.equal((await train(MODEL, { ...settings, output: at("run"), dryRun: true })).steps, 8);
    assert.ok(!existsSync(at("run")));
    cpSync(at("whole"), at("run"), { recursive: true });
    const listed = readdirSync(at("run"), { recursive: true });
    await resume({ dryRun: true });
    assert.deepEqual(readdirSync(at("run"), { recursive: true }), listed);
  });

  describe("of a run that somebody edited", () => {
    const edited = (file: string, edit: (value: Record<string, unknown>) => unknown) => (): void => {
      const path = at("run", file);
      writeFileSync(path, JSON.stringify(edit(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)));
    };
    const setting = (name: string, value: unknown): (() => void) => edited("run.json", (run) => ({ ...run, settings: { ...(run["settings"] as object), [name]: value } }));
    const cases: readonly (readonly [what: string, edit: () => void, code: string, message: RegExp])[] = [
      ["run.json that is cut short", () => { writeFileSync(at("run", "run.json"), '{"settings": {"train'); }, "JSON_BROKEN", /run\.json/],
      ["run.json that is a list", edited("run.json", () => []), "RUN_FILE_BROKEN", /run\.json" can't be resumed: it is no object/],
      ["no settings", edited("run.json", () => ({})), "RUN_FILE_BROKEN", /it has no settings/],
      ["settings that are null", edited("run.json", () => ({ settings: null })), "RUN_FILE_BROKEN", /it has no settings/],
      ["settings without data", edited("run.json", () => ({ settings: {} })), "RUN_FILE_BROKEN", /name no training data/],
      ["a batch size of 0", setting("batchSize", 0), "RUN_FILE_BROKEN", /its setting batchSize is "0", and should be a whole number of at least 1/],
      ["a rate in words", setting("lr", "fast"), "RUN_FILE_BROKEN", /its setting lr is ".*fast.*", and should be a number of at least 0/],
      ["targets that are no list", setting("targetModules", "q"), "RUN_FILE_BROKEN", /targetModules.*a list of texts/],
      ["an unknown schedule", setting("lrScheduler", "zigzag"), "RUN_FILE_BROKEN", /one of constant, constant_with_warmup, linear, cosine/],
      ["fewer steps than were made", setting("epochs", 1), "CHECKPOINT_BROKEN", /it has 8 steps behind it, and the whole run is 4 long/],
      ["a start that is no file", edited("run.json", (run) => ({ ...run, begunWith: 1 })), "RUN_FILE_BROKEN", /its begunWith is no file/],
      ["data that are gone", setting("train", "gone.jsonl"), "FILE_MISSING", /there is no file "gone\.jsonl"/i],
      ["other data", edited("run.json", (run) => ({ ...run, hashes: { train: "sha256:0" } })), "RESUME_DATA_CHANGED", /train\.jsonl" has changed since the run/],
      ["a checkpoint without its step", edited("checkpoint-8/trainer_state.json", () => ({})), "CHECKPOINT_BROKEN", /trainer_state\.json has no global_step/],
      ["a checkpoint of another step", edited("checkpoint-8/trainer_state.json", () => ({ global_step: 7 })), "CHECKPOINT_BROKEN", /the global_step in trainer_state\.json is 7/],
      ["a best step after its own", edited("checkpoint-8/trainer_state.json", (state) => ({ ...state, best_metric: 1, best_global_step: 9 })), "CHECKPOINT_BROKEN", /its best_global_step is "9"/],
      ["a best figure in words", edited("checkpoint-8/trainer_state.json", (state) => ({ ...state, best_metric: "high" })), "CHECKPOINT_BROKEN", /its best_metric is ".*high.*"/],
      ["a state that is cut short", () => { writeFileSync(at("run", "checkpoint-8", "state.safetensors"), "half"); }, "SAFETENSORS_BROKEN", /state\.safetensors/],
    ];
    for (const [what, edit, code, message] of cases) {
      it(`says what is wrong: ${what}`, async () => {
        cpSync(at("whole"), at("run"), { recursive: true });
        edit();
        await assert.rejects(resume(), { code, message });
      });
    }
  });
});

describe("train --resume of a run that looks for its best evaluation", function () {
  this.timeout(120_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  const copyAtEach = async (options: TrainOptions, names: string): Promise<TrainResult> => {
    let seen = 0;
    return await train(MODEL, { ...options, onProgress: ({ phase, done }) => {
      const copy = at(names, `${String(seen += 1).padStart(2, "0")}-${phase}-${String(done)}`);
      cpSync(options.output, copy, { recursive: true });
      rmSync(join(copy, LOCK_FILE));
    } });
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-best-"));
    const lines = readFileSync(join(BERT, "batch.jsonl"), "utf8").trim().split("\n");
    writeFileSync(at("train.jsonl"), [...lines, ...lines].slice(0, 7).join("\n"));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("ends with the bytes and the choice of an undisturbed run, whatever it was stopped after", async () => {
    const settings = { train: at("train.jsonl"), dev: join(BERT, "batch.jsonl"), batchSize: 2, epochs: 8, threads: 1, lr: 0.3, lrScheduler: "constant" as const, seed: 3, evalSteps: 3, saveSteps: 4, saveTotalLimit: 2, bestMetric: "loss", patience: 3 };
    const whole = await copyAtEach({ ...settings, output: at("whole") }, "seen");
    const { bestStep, steps, evaluations } = whole;
    assert.ok(bestStep !== null && bestStep < steps, "the case is one where an earlier evaluation was the best");
    assert.deepEqual([bestStep, steps], [evaluations.reduce((best, e) => ((e["eval_loss"] ?? NaN) < (best["eval_loss"] ?? NaN) ? e : best))["step"], bestStep + 3 * 3], "three evaluations without a better one end it");
    assert.equal(whole.metrics["eval_loss"], evaluations.find((e) => e["step"] === bestStep)?.["eval_loss"]);
    const kept = readdirSync(at("whole")).filter((name) => name.startsWith("checkpoint-")).sort();
    assert.ok(kept.length <= 3 && kept.includes(`checkpoint-${String(bestStep)}`) && kept.includes(`checkpoint-${String(steps)}`), kept.join());
    const adapter = readFileSync(at("whole", "adapter", "adapter_model.safetensors"));
    const seen = readdirSync(at("seen"));
    assert.ok(seen.some((name) => name.includes("evaluating")));
    for (const name of seen.filter((_, i) => i % 3 === 1)) {
      rmSync(at("run"), { recursive: true, force: true });
      cpSync(at("seen", name), at("run"), { recursive: true });
      const again = await train(MODEL, { output: at("run"), resume: true, threads: 1 });
      assert.deepEqual([again.steps, again.bestStep, again.evaluations.length], [steps, bestStep, evaluations.length], name);
      assert.ok(readFileSync(at("run", "adapter", "adapter_model.safetensors")).equals(adapter), name);
      assert.deepEqual(withoutTimes(readFileSync(at("run", "metrics.jsonl"), "utf8")), withoutTimes(readFileSync(at("whole", "metrics.jsonl"), "utf8")), name);
    }
  });

  it("stops at Ctrl-C in a terminal, or at SIGTERM, at three points, and goes on to the same bytes", async () => {
    using bundled = bundledProgram();
    const dev = join(BERT, "batch.jsonl");
    const words = ["train", MODEL, "--train", at("train.jsonl"), "--dev", dev, "--batch-size", "2", "--epochs", "3", "--threads", "1", "--save-steps", "2", "--quiet"];
    await train(MODEL, { train: at("train.jsonl"), dev, batchSize: 2, epochs: 3, threads: 1, saveSteps: 2, output: at("calm") });
    for (const [i, steps] of [1, 4, 7].entries()) {
      const run = at(`stopped-${String(i)}`);
      const child = spawn(process.execPath, [...bundled.program, ...words, "-o", run], { stdio: "ignore" });
      const ended = new Promise<number | null>((resolve) => { child.once("exit", resolve); });
      const lines = (): number => (existsSync(join(run, "metrics.jsonl")) ? readFileSync(join(run, "metrics.jsonl"), "utf8").split("\n").length - 1 : 0);
      while (child.exitCode === null && lines() < steps) await new Promise((resolve) => { setTimeout(resolve, 1); });
      child.kill(i === 1 ? "SIGTERM" : "SIGINT");
      const code = await ended;
      // It may have been done before the signal came.
      assert.ok(code === 130 || (code === 0 && steps > 1), String(code));
      assert.equal(existsSync(join(run, "adapter")), code === 0);
      await train(MODEL, { output: run, resume: true, threads: 1 });
      assert.ok(readFileSync(join(run, "adapter", "adapter_model.safetensors")).equals(readFileSync(at("calm", "adapter", "adapter_model.safetensors"))));
    }
  });

  it("needs a --dev to go by, and a figure that there is", async () => {
    const settings = { train: at("train.jsonl"), batchSize: 2, threads: 1, output: at("none") };
    await assert.rejects(train(MODEL, { ...settings, patience: 1 }), { code: "DEV_NEEDED", message: /^--patience goes by evaluations/, exitCode: 2 });
    await assert.rejects(train(MODEL, { ...settings, bestMetric: true }), { code: "DEV_NEEDED" });
    await assert.rejects(train(MODEL, { ...settings, dev: settings.train, bestMetric: "acuracy" }), { code: "BEST_METRIC_UNKNOWN", message: /There are loss, accuracy/ });
    assert.ok(!existsSync(at("none")));
  });
});

describe("train into a folder that is not empty", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  const settings = { train: join(BERT, "batch.jsonl"), batchSize: 2, threads: 1, maxSteps: 2 };
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-begin-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  it("keeps an older run's adapter until the new one is whole", async () => {
    await train(MODEL, { ...settings, output: at("run") });
    const old = readFileSync(at("run", "adapter", "adapter_model.safetensors"));
    const stop = new AbortController();
    await train(MODEL, { ...settings, lr: 0.1, output: at("run"), overwrite: true, signal: stop.signal, onProgress: () => { stop.abort(); } });
    assert.ok(readFileSync(at("run", "adapter", "adapter_model.safetensors")).equals(old));
    assert.deepEqual(readdirSync(at("run")).sort(), ["adapter", "checkpoint-1", "metrics.jsonl", "run.json", "runs"]);
    await train(MODEL, { output: at("run"), resume: true, threads: 1 });
    assert.ok(!readFileSync(at("run", "adapter", "adapter_model.safetensors")).equals(old));
  });

  it("replaces no adapter without --overwrite", async () => {
    cpSync(join(BERT, "adapter"), at("run", "adapter"), { recursive: true });
    await assert.rejects(train(MODEL, { ...settings, output: at("run") }), { code: "RUN_FOLDER_IN_USE", exitCode: 2, message: /holds a run already, or an adapter/ });
    await assert.rejects(train(MODEL, { ...settings, output: at("run"), resume: true }), { code: "RUN_FOLDER_IN_USE" });
  });

  it("never takes another trainer's checkpoints for its own", async () => {
    mkdirSync(at("run", "checkpoint-500"), { recursive: true });
    for (const name of ["trainer_state.json", "optimizer.pt"]) writeFileSync(at("run", "checkpoint-500", name), "{}");
    for (const overwrite of [false, true]) {
      await assert.rejects(train(MODEL, { ...settings, output: at("run"), overwrite }), { code: "RUN_FOLDER_FOREIGN", exitCode: 2, message: /checkpoint of another program, ".*checkpoint-500"/ });
    }
    assert.deepEqual(readdirSync(at("run"), { recursive: true }).sort(), ["checkpoint-500", "checkpoint-500/optimizer.pt", "checkpoint-500/trainer_state.json"]);
  });
});
