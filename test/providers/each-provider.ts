/**
 * What can only run where the hardware is: the whole road on each provider of ONNX Runtime that this machine has, against PyTorch's numbers.
 * `npm run test:providers`. With PROVIDER=cuda that one must be there.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate, fold, HutError, predict, train, verify, type Provider } from "../../src/index.ts";
import { PROVIDERS } from "../../src/runtime/options.ts";
import { closeTo } from "../runtime/close-to.ts";

interface Expected { readonly kind: string; readonly losses: number[]; readonly logits_trained: number[][] }

const CASES = "fixtures/cases";
/** Providers round otherwise, some to ten bits of mantissa in products. */
const TOLERANCE: Readonly<Record<Provider, number>> = { cpu: 1e-4, cuda: 1e-3, webgpu: 1e-3, dml: 1e-3, coreml: 1e-2 };
const required = process.env["PROVIDER"];

for (const provider of PROVIDERS) {
  describe(`provider ${provider}`, function () {
    this.timeout(300_000);
    let folder = "";
    before(async function () {
      try {
        await evaluate(join(CASES, "bert", "model.ts.onnx"), { provider, data: join(CASES, "bert", "batch.jsonl") });
      } catch (error) {
        if (provider === required || !(error instanceof HutError) || error.code !== "PROVIDER_MISSING") throw error;
        console.log(`    not here: ${error.message}`);
        this.skip();
      }
      folder = mkdtempSync(join(tmpdir(), "hut-provider-"));
    });
    after(() => { if (folder !== "") rmSync(folder, { recursive: true }); });

    for (const family of ["bert", "roberta", "gpt2", "llama"]) {
      for (const exporter of ["ts", "dynamo"]) {
        it(`${family}, ${exporter} export: trains to PyTorch's losses, folds and verifies`, async () => {
          const [model, data, tolerance] = [join(CASES, family, `model.${exporter}.onnx`), join(CASES, family, "batch.jsonl"), TOLERANCE[provider]];
          const expected = JSON.parse(readFileSync(join(CASES, family, "expected.json"), "utf8")) as Expected;
          const task = expected.kind === "lm" ? "text-generation" as const : "text-classification" as const;
          const run = join(folder, `${family}-${exporter}`);
          const { metrics } = await train(model, {
            provider, task, train: data, dev: data, adapter: join(CASES, family, "adapter"), output: run, batchSize: 4, maxSteps: 5, lr: 0.01, weightDecay: 0.01, maxGradNorm: 0,
            lrScheduler: "constant", warmupRatio: 0, shuffle: false,
          });
          const records = readFileSync(join(run, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, number>);
          closeTo([...records.flatMap((r) => r["loss"] ?? []), metrics["eval_loss"] ?? NaN], expected.losses, tolerance, "losses");
          const merged = join(run, "merged.onnx");
          await fold(model, { adapter: join(run, "adapter"), output: merged });
          assert.deepEqual((await verify(model, { provider, adapter: join(run, "adapter"), merged, data })).problems, []);
          await predict(merged, { provider, task, data, output: join(run, "predictions.jsonl") });
        });
      }
    }
  });
}
