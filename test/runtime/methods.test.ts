import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fold, predict, train, verify, type TaskName } from "../../src/index.ts";
import { memorySource } from "../../src/ir/source.ts";
import { readSafetensors, toFloat32 } from "../../src/runtime/adapter/safetensors.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { gradientOf } from "./gradient-of.ts";

interface Expected {
  readonly losses: readonly number[];
  readonly grad_norm: number;
  readonly lr: number;
  readonly weight_decay: number;
  readonly trainable: number;
  /** Trained by PyTorch alone, without an adapter: tensors are sampled. */
  readonly whole: boolean;
}

const FIXTURES = "fixtures/methods";
const TASK_OF: Readonly<Record<string, TaskName>> = { bert: "text-classification", gpt2: "text-generation" };
/** Those of the rows that were kept: every 25th of a vocabulary. */
const STRIDE: Readonly<Record<string, number>> = { bert: 1, gpt2: 25 };
/** As in pytorch-cases.test.ts. */
const TOLERANCE = { logits: 1e-5, gradient: 1e-4, loss: 1e-4, trained: 1e-3 };
/** A gradient that is 0 but for rounding, as of a bias that softmax doesn't see: Adam makes steps of any size of it. */
const NOTHING = 1e-5;

const norm = (v: ArrayLike<number>): number => Math.sqrt(Array.from(v).reduce((sum, x) => sum + x * x, 0));

/** The values that the fixtures keep of a larger tensor. */
function sampled(values: Float32Array, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => values[Math.floor((i * values.length) / count)] ?? NaN);
}

function floatsIn(file: string): Map<string, Float32Array> {
  return new Map([...readSafetensors(memorySource(file, readFileSync(file)))].map(([name, tensor]) => [name, toFloat32(tensor, file, name)]));
}

for (const family of Object.keys(TASK_OF)) {
  const task = TASK_OF[family] ?? "text-classification";
  const base = join("fixtures/cases", family);
  const data = join(base, "batch.jsonl");
  const records = readFileSync(data, "utf8").trim().split("\n").map((line) => JSON.parse(line) as { attention_mask: number[] });
  for (const method of readdirSync(join(FIXTURES, family))) {
    const at = (name: string): string => join(FIXTURES, family, method, name);
    const expected = JSON.parse(readFileSync(at("expected.json"), "utf8")) as Expected;
    const logits = floatsIn(at("logits.safetensors"));
    const start = expected.whole ? { method } : { adapter: at("adapter") };
    for (const exporter of ["ts", "dynamo"]) {
      describe(`${method} on ${family}, ${exporter} export, against PyTorch${expected.whole ? "" : " and PEFT"}`, () => {
        let folder = "";
        let model = "";
        before(() => {
          folder = mkdtempSync(join(tmpdir(), "hut-methods-"));
          model = join(folder, "model.onnx");
          copyFileSync(join(base, `model.${exporter}.onnx`), model);
        });
        after(() => { rmSync(folder, { recursive: true }); });

        /** The largest difference of the logits that were kept, of tokens that count. */
        const differ = async (path: string, adapter: string | undefined, which: "adapted" | "trained"): Promise<number> => {
          const output = join(folder, "predictions.jsonl");
          await predict(path, { task, data, output, adapter, batchSize: 4 });
          const rows = readFileSync(output, "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: number[] | number[][] }).logits);
          const want = logits.get(which) ?? new Float32Array();
          const tokens = Array.isArray(rows[0]?.[0]) ? records[0]?.attention_mask.length ?? 0 : 1;
          const width = want.length / rows.length / tokens;
          let largest = 0;
          rows.forEach((row, i) => {
            (Array.isArray(row[0]) ? row as number[][] : [row as number[]]).forEach((token, t) => {
              if (tokens > 1 && records[i]?.attention_mask[t] !== 1) return;
              for (let j = 0; j < width; j += 1) largest = Math.max(largest, Math.abs((token[j * (STRIDE[family] ?? 1)] ?? NaN) - (want[(i * tokens + t) * width + j] ?? NaN)));
            });
          });
          return largest;
        };
        const close = (difference: number, tolerance: number): void => {
          const limit = tolerance * Math.max(1, ...(logits.get("trained") ?? []).map(Math.abs));
          assert.ok(difference <= limit, `logits differ by ${String(difference)}, more than ${String(limit)}`);
        };

        if (!expected.whole) it("predicts the adapted logits, folds to them, and folds what PEFT trained", async () => {
          close(await differ(model, at("adapter"), "adapted"), TOLERANCE.logits);
          for (const [adapter, which] of [["adapter", "adapted"], ["adapter-trained", "trained"]] as const) {
            const merged = join(folder, `${which}.onnx`);
            await fold(model, { adapter: at(adapter), output: merged });
            close(await differ(merged, undefined, which), TOLERANCE.logits);
            const checked = await verify(model, { adapter: at(adapter), merged });
            assert.deepEqual(checked.problems, []);
          }
        });

        it("has the gradients", async () => {
          const ours = await gradientOf(model, data, task, start);
          const theirs = tensorsOf(at("gradients.safetensors"));
          assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
          assert.equal([...ours.values()].reduce((sum, { length }) => sum + length, 0), expected.trainable);
          for (const [name, want] of theirs) {
            const all = ours.get(name) ?? new Float32Array();
            const have = expected.whole ? sampled(all, want.length) : all;
            const off = norm(want.map((v, i) => v - (have[i] ?? NaN)));
            assert.ok(off <= TOLERANCE.gradient * norm(want) + 1e-7 * expected.grad_norm, `${name}: off by ${String(off)} of ${String(norm(want))}`);
          }
        });

        it("trains to the losses, and what is trained comes out, folds and opens again", async () => {
          const steps = expected.losses.length - 1;
          const output = join(folder, "run");
          const result = await train(model, { task, ...start, train: data, output, batchSize: 4, maxSteps: steps, lr: expected.lr, weightDecay: expected.weight_decay, maxGradNorm: 0, lrScheduler: "constant", shuffle: false });
          const log = readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { loss: number; grad_norm: number });
          log.forEach(({ loss }, i) => { assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) <= TOLERANCE.loss, `loss ${String(i)}: ${String(loss)} for ${String(expected.losses[i])}`); });
          assert.equal(log.length, steps);
          assert.ok(Math.abs((log[0]?.grad_norm ?? NaN) - expected.grad_norm) <= TOLERANCE.gradient * expected.grad_norm);
          const ours = tensorsOf(join(result.adapter, "adapter_model.safetensors"));
          const gradients = tensorsOf(at("gradients.safetensors"));
          for (const [name, want] of tensorsOf(at(expected.whole ? "trained.safetensors" : "adapter-trained/adapter_model.safetensors"))) {
            const gradient = gradients.get(name) ?? new Float32Array();
            const have = expected.whole ? sampled(ours.get(name) ?? new Float32Array(), want.length) : ours.get(name) ?? new Float32Array();
            want.forEach((v, i) => {
              const isNothing = Math.abs(gradient[i] ?? NaN) <= NOTHING * norm(gradient) || Math.abs(gradient[i] ?? NaN) <= NOTHING * expected.grad_norm;
              assert.ok(isNothing || Math.abs(v - (have[i] ?? NaN)) <= TOLERANCE.trained, `${name} at ${String(i)}: ${String(have[i])} for ${String(v)}`);
            });
          }
          close(await differ(model, result.adapter, "trained"), TOLERANCE.trained);
          const merged = join(folder, "merged.onnx");
          await fold(model, { adapter: result.adapter, output: merged });
          close(await differ(merged, undefined, "trained"), TOLERANCE.trained);
          assert.deepEqual((await verify(model, { adapter: result.adapter, merged })).problems, []);
          assert.ok(existsSync(join(result.adapter, "hut.json")));
        });
      });
    }
  }
}
