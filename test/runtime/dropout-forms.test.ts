/** Dropout on every form of model: next to nothing dropped is what there is without, and something dropped is something else. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TaskName, type TrainOptions } from "../../src/index.ts";
import { closeTo } from "./close-to.ts";

interface Expected { readonly kind: string; readonly exports: readonly string[] }
const TASK_OF: Readonly<Record<string, TaskName>> = { cls: "text-classification", lm: "text-generation", img: "image-classification" };
/** HUT_CASES names other folders, as for pytorch-cases.test.ts. */
const OTHERS = process.env["HUT_CASES"] === undefined ? [{ family: "fixtures/fused/bert", exporter: "half" }, { family: "fixtures/fused/bert", exporter: "attention" }, { family: "fixtures/fused/gpt2", exporter: "merged" }] : [];
const FOLDERS = (process.env["HUT_CASES"] ?? "fixtures/cases").split(":").flatMap((root) => readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => join(root, e.name)));

describe("dropout", function () {
  this.timeout(60_000);
  let folder = "";
  before(() => { folder = mkdtempSync(join(tmpdir(), "hut-dropout-")); });
  after(() => { rmSync(folder, { recursive: true }); });

  const told = (family: string): Expected => JSON.parse(readFileSync(join(family, "expected.json"), "utf8")) as Expected;
  for (const { family, exporter } of [...FOLDERS.flatMap((f) => told(f).exports.slice(OTHERS.length === 0 ? 0 : -1).map((e) => ({ family: f, exporter: e }))), ...OTHERS]) {
    const { kind } = told(family);
    it(`${family}, ${exporter}: of next to nothing is none, of a third is another step`, async () => {
      const evaluated = new Set<number | undefined>();
      const figures = async (name: string, options: Partial<TrainOptions>): Promise<number[]> => {
        const run = join(folder, name);
        const { metrics } = await train(join(family, `model.${exporter}.onnx`), { task: TASK_OF[kind] ?? "text-classification", adapter: join(family, "adapter"), train: join(family, "batch.jsonl"), dev: join(family, "batch.jsonl"), output: run, lr: 0, overwrite: true, batchSize: 4, maxSteps: 1, shuffle: false, threads: 1, ...options });
        const record = JSON.parse(readFileSync(join(run, "metrics.jsonl"), "utf8").split("\n")[0] ?? "") as { loss: number; grad_norm: number };
        evaluated.add(metrics["eval_loss"]);
        return [record.loss, Math.log(record.grad_norm)];
      };
      const head = kind === "lm" ? {} : { headDropout: 1e-9 };
      const plain = await figures("plain", {});
      closeTo(await figures("next-to-none", { adapterDropout: 1e-9, ...head }), plain, 1e-4, "loss and norm");
      const other = await figures("third", { adapterDropout: 1 / 3 });
      assert.ok(other.every((v, i) => Math.abs(v - (plain[i] ?? NaN)) > 1e-7), `${other.join()} for ${plain.join()}`);
      assert.equal(evaluated.size, 1, "an evaluation drops nothing");
    });
  }
});
