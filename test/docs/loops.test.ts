import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Manifest, TaskName } from "../../src/index.ts";
import { codeBlocks } from "./code-blocks.ts";
import { loopOf, LOOPS, parsePrinted, prepareLoops, runNode, runPython, runWasm, whyNoPython, type Printed } from "./loops.ts";

/** Losses of one step in two builds of ONNX Runtime. */
const TOLERANCE = 1e-4;

function sameNumbers(actual: Printed, expected: Printed): void {
  assert.equal(actual.losses.length, 20);
  actual.losses.forEach((loss, i) => { assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) <= TOLERANCE, `step ${String(i + 1)}: ${String(loss)} for ${String(expected.losses[i])}`); });
  assert.deepEqual(actual.logits.dims, expected.logits.dims);
  assert.ok(Math.abs(actual.logits.first - expected.logits.first) <= 1e-3);
}

const CASES: readonly { readonly family: string; readonly task: TaskName }[] = [
  { family: "bert", task: "text-classification" }, { family: "gpt2", task: "text-generation" }, { family: "vit", task: "image-classification" },
];

describe("the loops of docs/artifacts.md", function () {
  this.timeout(120_000);

  it("take less than 40 lines each", () => {
    for (const language of Object.keys(LOOPS) as (keyof typeof LOOPS)[]) assert.ok(loopOf(language).split("\n").length - 1 < 40, language);
  });

  for (const { family, task } of CASES) {
    describe(`on ${family}`, () => {
      let folder = "";
      let node: Printed;
      before(async () => {
        folder = mkdtempSync(join(tmpdir(), "hut-loops-"));
        await prepareLoops(folder, `fixtures/cases/${family}/model.ts.onnx`, `fixtures/cases/${family}/batch.jsonl`, { task });
        node = runNode(folder);
      });
      after(() => { rmSync(folder, { recursive: true }); });

      it("trains in Node", () => {
        const { losses } = node;
        assert.equal(losses.length, 20);
        assert.ok((losses.at(-1) ?? NaN) < (losses[0] ?? NaN) - 0.3);
        const trained = readFileSync(join(folder, "artifacts", "theta-trained.bin"));
        assert.equal(trained.length, readFileSync(join(folder, "artifacts/theta.bin")).length);
      });

      it("trains the same in WASM", () => { sameNumbers(runWasm(folder), node); });

      it("trains the same in Python", function () {
        const why = whyNoPython();
        if (why !== undefined) {
          process.stderr.write(`      skipped: ${why}\n`);
          this.skip();
        }
        sameNumbers(runPython(folder), node);
      });

      if (family === "bert") {
        it("prints what the page shows", () => {
          const [shown] = codeBlocks("docs/artifacts.md", "text", "## A whole loop");
          sameNumbers(parsePrinted(shown ?? ""), node);
        });
      }

      it("trains the same by grad.onnx and apply.onnx, a record at a time", async () => {
        const byParts = await trainByParts(folder, 3);
        byParts.forEach((loss, i) => { assert.ok(Math.abs(loss - (node.losses[i] ?? NaN)) <= TOLERANCE, `step ${String(i + 1)}: ${String(loss)} for ${String(node.losses[i])}`); });
      });
    });
  }
});

type Numbers = number | readonly Numbers[];

/** Gradient accumulation by the manifest alone: losses of as many steps, each on the whole batch, of which grad.onnx sees one record at a time. */
async function trainByParts(folder: string, steps: number): Promise<number[]> {
  const at = (name: string): string => join(folder, "artifacts", name);
  const manifest = JSON.parse(readFileSync(at("manifest.json"), "utf8")) as Manifest;
  const { grad, apply } = manifest.graphs;
  if (grad === undefined || apply === undefined) throw new Error("no grad.onnx and apply.onnx");
  const gradient = await InferenceSession.create(at(grad.file));
  const update = await InferenceSession.create(at(apply.file));
  const records = readFileSync(join(folder, "batch.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, Numbers>);

  const dims = (value: Numbers): number[] => (typeof value === "number" ? [] : [value.length, ...dims(value[0] ?? 0)]);
  const flat = (value: Numbers): number[] => (typeof value === "number" ? [value] : value.flatMap(flat));
  const float = (value: Numbers): Tensor => new Tensor("float32", Float32Array.from(flat(value)), dims(value));
  const int64 = (value: Numbers): Tensor => new Tensor("int64", BigInt64Array.from(flat(value), BigInt), dims(value));
  const vector = (data: Float32Array): Tensor => new Tensor("float32", data, [data.length]);
  const zeros = (): Tensor => vector(new Float32Array(manifest.trainableParams));
  const parts = records.map((record) => Object.fromEntries(grad.inputs.flatMap(({ name, dtype }) => {
    const value = record[name] ?? (name === "labels" ? record["label"] : undefined);
    return value === undefined ? [] : [[name, dtype === "int64" ? int64([value]) : float([value])]];
  })));
  const start = new Float32Array(new Uint8Array(readFileSync(at(manifest.thetaFile ?? ""))).buffer);
  const { lr, weightDecay, maxGradNorm } = manifest.optimizer;
  const settings = { lr: float(lr), weight_decay: float(weightDecay), max_grad_norm: float(maxGradNorm) };
  const output = (made: InferenceSession.OnnxValueMapType, name: string): Tensor => made[name] as Tensor;

  let state = { theta: vector(start), adam_m: zeros(), adam_v: zeros() };
  const losses: number[] = [];
  for (let step = 1; step <= steps; step += 1) {
    let sums = { grad_sum: zeros(), loss_sum: float(0), count: float(0) };
    for (const part of parts) {
      const made = await gradient.run({ ...part, theta: state.theta, ...sums });
      sums = { grad_sum: output(made, "grad_sum_next"), loss_sum: output(made, "loss_sum_next"), count: output(made, "count_next") };
    }
    const made = await update.run({ ...sums, ...state, ...settings, step: int64(step) });
    state = { theta: output(made, "theta_next"), adam_m: output(made, "adam_m_next"), adam_v: output(made, "adam_v_next") };
    losses.push(Number(output(made, "loss").data[0]));
  }
  return losses;
}
