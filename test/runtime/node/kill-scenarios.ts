/** Commands that write, in both cases: where there is nothing yet, and over what an older command wrote. Small models; the words are the command line's. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { EventEmitter } from "node:events";
import { runCli } from "../../../src/cli/run-cli.ts";
import * as verbs from "../../../src/index.ts";
import { Captured } from "../../cli/run.ts";
import { makeExternal } from "./external-model.ts";

const BERT = "fixtures/cases/bert";
const DEMO = "fixtures/demo";

/** Files of a run's checkpoints. */
const CHECKPOINT = /^run\/checkpoint-\d+\//;

/** A command that is killed. `out` is the folder that is emptied before each run, all else is input. */
export interface Scenario {
  readonly name: string;
  readonly verb: "adapt" | "train" | "fold" | "artifacts";
  /** What makes an older state of the same outputs; undefined where there is none. */
  readonly older: readonly string[] | undefined;
  readonly words: readonly string[];
  /** Goes on after a kill; the same words where left out. */
  readonly again?: readonly string[];
  /** The files in whose making it is killed more often than elsewhere, by path; any file of its own where left out. */
  readonly aim?: RegExp | undefined;
  /** Files put into `out` beforehand: inputs that lie beside the outputs. */
  readonly beside?: (out: string) => void;
}

/** Where the inputs are made, and what is written. */
export interface Workplace {
  readonly inputs: string;
  readonly out: string;
}

/** Makes the inputs, and the commands on them; `large` adds those on the demo's 19 MB. */
export async function makeScenarios({ inputs, out }: Workplace, large: boolean): Promise<Scenario[]> {
  const at = (name: string): string => join(inputs, name);
  const to = (name: string): string => join(out, name);
  mkdirSync(inputs, { recursive: true });
  cpSync(join(BERT, "model.ts.onnx"), at("model.onnx"));
  cpSync(join(BERT, "adapter"), at("adapter"), { recursive: true });
  cpSync(join(BERT, "adapter-trained"), at("trained"), { recursive: true });
  makeExternal(at("model.onnx"), at("external"));
  const lines = readFileSync(join(BERT, "batch.jsonl"), "utf8").trim().split("\n");
  writeFileSync(at("train.jsonl"), Array.from({ length: 20 }, () => lines).flat().join("\n"));
  cpSync(join(BERT, "batch.jsonl"), at("dev.jsonl"));
  const external = join(at("external"), "model.onnx");

  const adaptElsewhere = (...more: string[]): string[] => ["adapt", external, "-o", to("adapted.onnx"), "--save-adapter", to("adapter"), ...more];
  const artifacts = (...more: string[]): string[] => ["artifacts", external, "-o", to("artifacts"), "--format", "step,ort-training", ...more];
  const folded = (base: string, adapter: string, target: string): string[] => ["fold", base, "--adapter", at(adapter), "-o", to(target)];
  const often = ["--lr", "0.05", "--grad-accumulation-steps", "2", "--adapter-dropout", "0.1", "--save-steps", "2", "--eval-steps", "3", "--save-total-limit", "2"];
  const training = (...more: string[]): string[] => ["train", at("model.onnx"), "--train", at("train.jsonl"), "--dev", at("dev.jsonl"), "-o", to("run"), "--batch-size", "2", "--threads", "1", "--epochs", "4", ...more];
  const small: Scenario[] = [
    { name: "adapt elsewhere", verb: "adapt", older: undefined, words: adaptElsewhere() },
    { name: "adapt elsewhere, over older files", verb: "adapt", older: adaptElsewhere("--rank", "4", "--target-modules", "q"), words: adaptElsewhere() },
    { name: "adapt beside the base, over an older file", verb: "adapt", older: ["adapt", to("model.onnx"), "-o", to("adapted.onnx"), "--rank", "4"], words: ["adapt", to("model.onnx"), "-o", to("adapted.onnx")],
      beside: (folder) => { cpSync(at("model.onnx"), join(folder, "model.onnx")); } },
    { name: "fold to a file", verb: "fold", older: undefined, words: folded(at("model.onnx"), "trained", "merged.onnx") },
    { name: "fold of external data to a folder", verb: "fold", older: undefined, words: folded(external, "trained", "model") },
    { name: "fold of external data to a folder, over an older one", verb: "fold", older: folded(external, "adapter", "model"), words: folded(external, "trained", "model") },
    { name: "artifacts", verb: "artifacts", older: undefined, words: artifacts() },
    { name: "artifacts, over older ones", verb: "artifacts", older: artifacts("--rank", "4", "--lr", "0.1"), words: artifacts() },
    { name: "train", verb: "train", older: undefined, words: training("--lr", "0.01"), again: training("--lr", "0.01", "--resume") },
    { name: "train --overwrite over an older run", verb: "train", older: training("--lr", "0.02"), words: training("--lr", "0.01", "--overwrite"), again: training("--lr", "0.01", "--resume") },
    ...[["--best-metric", "loss"], ["--patience", "3"]].map((best): Scenario => ({
      name: `train that evaluates and saves often, ${best.join(" ")}`, verb: "train", older: undefined, words: training(...often, ...best), again: training(...often, ...best, "--resume"), aim: CHECKPOINT,
    })),
  ];
  if (!large) return small;
  cpSync(DEMO, at("demo"), { recursive: true });
  for (const [seed, name] of [["1", "demo-old"], ["2", "demo-new"]] as const) {
    const { code, err } = await inProcess(["adapt", at("demo"), "--head", "mean", "--num-labels", "2", "--seed", seed, "-o", join(at("demo"), "adapted.onnx"), "--save-adapter", at(name)]);
    if (code !== 0) throw new Error(err);
  }
  return [
    ...small,
    { name: "fold of 19 MB to a file, over an older one", verb: "fold", older: folded(at("demo"), "demo-old", "merged.onnx"), words: folded(at("demo"), "demo-new", "merged.onnx") },
    { name: "fold of 19 MB to a folder, over an older one", verb: "fold", older: folded(at("demo"), "demo-old", "model"), words: folded(at("demo"), "demo-new", "model") },
    { name: "adapt of 19 MB elsewhere, over older files", verb: "adapt", older: ["adapt", at("demo"), "-o", to("adapted.onnx"), "--rank", "4"], words: ["adapt", at("demo"), "-o", to("adapted.onnx"), "--target-modules", "q,k,v"] },
  ];
}

/** Runs the command line in this process. */
export async function inProcess(words: readonly string[]): Promise<{ code: number; err: string }> {
  const [stdout, stderr] = [new Captured(), new Captured()];
  const code = await runCli([...words, "--quiet"], { verbs, stdout, stderr, signals: new EventEmitter(), version: "test", exit: () => undefined });
  return { code, err: stderr.text };
}
