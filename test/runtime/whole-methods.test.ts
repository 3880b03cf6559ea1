/** Methods that adapt nothing: what is trained of which export, tied weights, folders that PyTorch loads by name, and runs that go on. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fold, predict, train, verify, type TaskName } from "../../src/index.ts";
import { memorySource } from "../../src/ir/source.ts";
import { readSafetensors } from "../../src/runtime/adapter/safetensors.ts";
import { findTied } from "../../src/passes/weights/find-tied.ts";
import { findParameters } from "../../src/passes/weights/find-parameters.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { storedFloats } from "../../src/passes/weights/weight-values.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { readAdapterFolder } from "../../src/runtime/node/peft-folder.ts";
import { assertClose, failure } from "../passes/workbench.ts";

let folder = "";
const at = (file: string): string => join(folder, file);
before(() => { folder = mkdtempSync(join(tmpdir(), "hut-whole-")); });
after(() => { rmSync(folder, { recursive: true }); });

let count = 0;
async function logits(model: string, task: TaskName, data: string, adapter?: string): Promise<number[]> {
  const output = at(`predictions-${String(count += 1)}.jsonl`);
  await predict(model, { task, data, output, adapter });
  return readFileSync(output, "utf8").trim().split("\n").flatMap((line) => ((JSON.parse(line) as { logits: number[] | number[][] }).logits).flat());
}

/** Families with a tied head, encoder and decoder with one embedding, what PyTorch counts as a buffer, convolutions, 16 bits, integers. */
const CASES: readonly { readonly dir: string; readonly forms: readonly string[]; readonly task: TaskName; readonly tied: boolean }[] = [
  { dir: "cases/gpt2", forms: ["ts", "dynamo"], task: "text-generation", tied: true },
  { dir: "families/bloom", forms: ["ts", "dynamo"], task: "text-generation", tied: true },
  { dir: "families/gemma", forms: ["ts", "dynamo"], task: "text-generation", tied: true },
  { dir: "families/t5", forms: ["ts", "dynamo"], task: "text-generation", tied: true },
  { dir: "families/convnext", forms: ["ts"], task: "image-classification", tied: false },
  { dir: "fused/gpt2", forms: ["past", "merged"], task: "text-generation", tied: true },
  { dir: "fused/bert", forms: ["half", "float16-stored", "functions"], task: "text-classification", tied: false },
  { dir: "fused/bert-int8", forms: ["qdq"], task: "text-classification", tied: false },
];

for (const { dir, forms, task, tied } of CASES) {
  describe(`full fine-tuning of ${dir}`, () => {
    const data = `fixtures/${dir}/batch.jsonl`;
    const last: number[] = [];
    for (const form of forms) {
      it(`${form}: trains, and folds to what was trained${tied ? ", tied weights with one another" : ""}`, async () => {
        const [model, merged] = [at(`${String(count += 1)}.onnx`), at(`merged-${String(count)}.onnx`)];
        copyFileSync(`fixtures/${dir}/model.${form}.onnx`, model);
        const run = await train(model, { task, train: data, method: "full", lr: 1e-3, maxSteps: 3, shuffle: false, output: at(`run-${String(count)}`) });
        assert.ok(Number(run.lastLoss) < Number(run.firstLoss), `${String(run.firstLoss)} → ${String(run.lastLoss)}`);
        last.push(Number(run.lastLoss));
        await fold(model, { adapter: run.adapter, output: merged });
        assert.deepEqual((await verify(model, { adapter: run.adapter, merged, data })).problems, []);
        if (!tied) return;
        using opened = openModel(merged);
        const { graph } = opened.loadInlined();
        const sites = findWeights(graph);
        assert.ok(findTied(sites, findParameters(graph, sites)).length >= 1, "no weight is tied any more");
        assert.notDeepEqual(storedFloats(sites.at(-1) ?? assert.fail()), undefined);
      });
    }
    it("comes to one loss from every export", () => {
      if (tied) assert.ok(Math.max(...last) - Math.min(...last) < (dir.startsWith("fused") ? 1e-3 : 1e-4) * Math.max(...last), last.join());
    });
  });
}

describe("a folder of full fine-tuning", () => {
  const data = "fixtures/cases/gpt2/batch.jsonl";
  let adapter = "";
  before(async () => {
    for (const form of ["ts", "dynamo"]) copyFileSync(`fixtures/cases/gpt2/model.${form}.onnx`, at(`gpt2-${form}.onnx`));
    adapter = (await train(at("gpt2-ts.onnx"), { task: "text-generation", train: data, method: "full", lr: 1e-3, maxSteps: 2, output: at("run-full") })).adapter;
  });

  it("has PyTorch's names and shapes, the tied head once", () => {
    const file = join(adapter, "adapter_model.safetensors");
    const tensors = readSafetensors(memorySource(file, readFileSync(file)));
    assert.deepEqual(tensors.get("transformer.wte.weight")?.shape, [400, 64]);
    assert.deepEqual(tensors.get("transformer.h.0.attn.c_attn.weight")?.shape, [64, 192], "Conv1D keeps [in, out]");
    assert.ok(!tensors.has("lm_head.weight"));
    assert.equal(tensors.size, 28);
    assert.match(readFileSync(join(adapter, "README.md"), "utf8"), /trained whole: all weights[^]*PEFT has no such type[^]*load_state_dict/i);
    assert.equal((JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8")) as { peft_type: string }).peft_type, "FULL");
  });

  it("opens on another export, and goes on there", async () => {
    const [own, other] = [await logits(at("gpt2-ts.onnx"), "text-generation", data, adapter), await logits(at("gpt2-dynamo.onnx"), "text-generation", data, adapter)];
    assertClose(other, own, 1e-5, "logits");
    const more = await train(at("gpt2-dynamo.onnx"), { task: "text-generation", train: data, adapter, lr: 1e-3, maxSteps: 2, output: at("run-more") });
    assert.equal(more.trainableParams, 129_792);
    assert.equal(readAdapterFolder(more.adapter).method, "full");
  });
});

describe("runs of methods that adapt nothing or take no rank", () => {
  for (const method of ["full", "bitfit", "head", "ia3"]) {
    it(`${method} resumes to the losses of a run without a break`, async () => {
      const model = at("bert.onnx");
      copyFileSync("fixtures/cases/bert/model.ts.onnx", model);
      const options = { train: "fixtures/cases/bert/batch.jsonl", batchSize: 2, maxSteps: 4, method, saveSteps: 2 } as const;
      const whole = await train(model, { ...options, output: at(`whole-${method}`) });
      const stop = new AbortController();
      const output = at(`broken-${method}`);
      const broken = await train(model, { ...options, output, signal: stop.signal, onProgress: ({ done, phase }) => { if (phase === "training" && done === 2) stop.abort(); } });
      assert.ok(broken.interrupted);
      const resumed = await train(model, { resume: true, output });
      assert.equal(resumed.lastLoss, whole.lastLoss);
    });
  }

  it("say what is missing", async () => {
    copyFileSync("fixtures/cases/llama/model.ts.onnx", at("llama.onnx"));
    const options = { task: "text-generation", train: "fixtures/cases/llama/batch.jsonl", output: at("never") } as const;
    await assert.rejects(train(at("llama.onnx"), { ...options, method: "bitfit" }), failure("NOTHING_TO_TRAIN", /"bitfit" finds nothing to train here: the model has no biases/));
    await assert.rejects(train(at("llama.onnx"), { ...options, method: "full", adapterDropout: 0.1 }), failure("DROPOUT_HAS_NO_PRODUCT", /--adapter-dropout/));
    copyFileSync("fixtures/families/albert/model.dynamo.onnx", at("albert.onnx"));
    await assert.rejects(train(at("albert.onnx"), { ...options, task: "text-classification", train: "fixtures/families/albert/batch.jsonl", method: "full" }), failure("WHOLE_TWICE", /albert_layers\.0\.ffn\.weight" twice/));
    await assert.rejects(train(at("llama.onnx"), { ...options, method: "full", targetModules: ["q"] }), failure("FLAG_NOT_OF_METHOD", /--target-modules says nothing to the method "full"/));
  });

  it("the head alone can be trained of a language model", async () => {
    const run = await train(at("llama.onnx"), { task: "text-generation", train: "fixtures/cases/llama/batch.jsonl", output: at("run-head"), method: "head", maxSteps: 3, lr: 1e-2 });
    assert.deepEqual([...readAdapterFolder(run.adapter).saved.keys()], ["lm_head.weight"]);
    assert.ok(Number(run.lastLoss) < Number(run.firstLoss));
  });
});
