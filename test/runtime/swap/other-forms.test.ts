/** Swappable graphs of other forms of a model: each answer is that of the model folded with the same adapter, and without one the base's. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, fold, loadAdapter, openSwappable } from "../../../src/index.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import { collate } from "../../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../../src/runtime/node/default-runtime.ts";
import { loadExamples } from "../../../src/runtime/node/load-examples.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { largestDifference, tensorFeeds } from "./feeds.ts";

/** Weights packed, in a function, in the branches of an If, stored as integers, decoded in the product, without names, in 16 bits, kernels of convolutions. */
const FORMS: readonly { readonly folder: string; readonly form: string; readonly folded?: number }[] = [
  { folder: "fused/bert", form: "attention" }, { folder: "fused/bert", form: "functions" }, { folder: "fused/bert", form: "stripped" },
  { folder: "fused/bert", form: "float16-stored", folded: 1e-2 }, { folder: "fused/gpt2", form: "merged" }, { folder: "fused/llama", form: "builder" },
  { folder: "fused/bert-int8", form: "qdq" }, { folder: "fused/llama-int4", form: "builder" }, { folder: "families/convnext", form: "ts" },
  { folder: "families/bart", form: "dynamo" }, { folder: "families/modernbert", form: "ts" },
];

for (const { folder: name, form, folded = 1e-5 } of FORMS) {
  const at = (file: string): string => join("fixtures", name, file);
  const { kind, exports } = JSON.parse(readFileSync(at("expected.json"), "utf8")) as { readonly kind: string; readonly exports: readonly string[] };
  assert.ok(exports.includes(form), form);
  it(`a swappable graph of ${name}, ${form}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-swap-forms-"));
    try {
      const [model, swappable, merged] = ["model.onnx", "swappable.onnx", "merged.onnx"].map((file) => join(folder, file)) as [string, string, string];
      copyFileSync(at(`model.${form}.onnx`), model);
      await adapt(model, { output: swappable, swappable: true, adapter: at("adapter") });
      await fold(model, { output: merged, adapter: at("adapter-trained") });
      const runtime = await defaultRuntime();
      using opened = openModel(model);
      const name = kind === "lm" ? "text-generation" : kind === "img" ? "image-classification" : "text-classification";
      const { examples, inputs, padding } = loadExamples({ task: taskNamed({ task: name }), file: at("batch.jsonl"), modelPath: model, graph: opened.load().graph, labels: "required", numLabels: undefined });
      const { feeds } = collate(examples, [0, 1, 2, 3], inputs, padding);
      const answerOf = async (path: string): Promise<Float32Array> => {
        await using session = await GraphSession.create(runtime, new Uint8Array(readFileSync(path)), { name: path });
        const logits = (await session.run(feeds, ["logits"])).get("logits");
        assert.equal(logits?.dataType, DataType.FLOAT);
        return logits.data as Float32Array;
      };
      await using session = await openSwappable(swappable);
      const tensors = tensorFeeds(runtime, feeds, session.inputNames);
      const answer = async (): Promise<Float32Array> => (await session.run(tensors, ["logits"]))["logits"]?.data as Float32Array;
      const base = await answer();
      assert.ok(largestDifference(base, await answerOf(model)) <= 1e-5);
      session.use(loadAdapter(session, at("adapter-trained")));
      const own = await answer();
      assert.ok(largestDifference(own, await answerOf(merged)) <= folded);
      assert.ok(largestDifference(own, base) > 1e-2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
