/** Swappable graphs and their session: without an adapter the base exactly, with one PyTorch's logits, in Node's ONNX Runtime and in the browser's. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Ort from "onnxruntime-common";
import { adapt, loadAdapter, openSwappable, type SwappableSession, type TaskName } from "../../../src/index.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import { collate } from "../../../src/runtime/data/collate.ts";
import { loadExamples } from "../../../src/runtime/node/load-examples.ts";
import { defaultRuntime } from "../../../src/runtime/node/default-runtime.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { largestDifference, tensorFeeds } from "./feeds.ts";

interface Expected {
  readonly kind: string;
  readonly logits: unknown;
  readonly logits_adapted: unknown;
  readonly logits_trained: unknown;
  readonly exports: readonly string[];
}
const TASK_OF: Readonly<Record<string, TaskName>> = { cls: "text-classification", lm: "text-generation", img: "image-classification" };
const flat = (nested: unknown): number[] => (Array.isArray(nested) ? nested.flatMap(flat) : [Number(nested)]);

for (const family of ["bert", "roberta", "gpt2", "llama", "vit"]) {
  const at = (name: string): string => join("fixtures/cases", family, name);
  const expected = JSON.parse(readFileSync(at("expected.json"), "utf8")) as Expected;
  for (const exporter of expected.exports) {
    describe(`a swappable graph of ${family}, ${exporter} export`, () => {
      let folder = "";
      let session: SwappableSession;
      let feeds: Record<string, Ort.Tensor> = {};
      const model = (): string => join(folder, "model.onnx");
      const swappable = (): string => join(folder, "swappable.onnx");
      const logits = async (): Promise<Float32Array> => (await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array;
      before(async () => {
        folder = mkdtempSync(join(tmpdir(), "hut-swap-"));
        copyFileSync(at(`model.${exporter}.onnx`), model());
        await adapt(model(), { output: swappable(), swappable: true, ...(family === "gpt2" ? { adapter: at("adapter") } : {}) });
        session = await openSwappable(swappable());
        using opened = openModel(model());
        const { graph } = opened.load();
        const { examples, inputs, padding } = loadExamples({ task: taskNamed({ task: TASK_OF[expected.kind] }), file: at("batch.jsonl"), modelPath: model(), graph, labels: "required", numLabels: undefined });
        const batch = collate(examples, [0, 1, 2, 3], inputs, padding);
        feeds = tensorFeeds(await defaultRuntime(), batch.feeds, session.inputNames);
      });
      after(async () => {
        await session[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      });

      it("is exactly the base without an adapter, and kilobytes beside it", async () => {
        await using base = await GraphSession.create(await defaultRuntime(), new Uint8Array(readFileSync(model())), { name: "base" });
        const own = (await base.run(new Map(Object.entries(feeds).map(([name, t]) => [name, { dataType: t.type === "int64" ? 7 : 1, dims: t.dims, data: t.data as Float32Array }])), ["logits"])).get("logits");
        assert.deepEqual(await logits(), own?.data);
        assert.ok(statSync(swappable()).size < statSync(model()).size + 64_000, String(statSync(swappable()).size));
      });

      it("has PyTorch's logits with an adapter's folder, and the base's again after it", async () => {
        const base = await logits();
        for (const [name, wanted] of [["adapter-trained", expected.logits_trained], ["adapter", expected.logits_adapted]] as const) {
          session.use(loadAdapter(session, at(name)));
          assert.ok(largestDifference(await logits(), flat(wanted)) <= 1e-5, name);
        }
        session.use(null);
        assert.deepEqual(await logits(), base);
      });

      it("has the same logits with the adapter as .onnx_adapter", async () => {
        const file = join(folder, "trained.onnx_adapter");
        await adapt(model(), { output: join(folder, "other.onnx"), swappable: true, adapter: at("adapter-trained"), saveAdapter: file });
        assert.ok(existsSync(file));
        session.use(loadAdapter(session, file));
        assert.ok(largestDifference(await logits(), flat(expected.logits_trained)) <= 1e-5);
      });
    });
  }
}
