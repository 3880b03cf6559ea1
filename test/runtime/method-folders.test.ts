/** What each method's folder says, roles of packed weights in it, and what only some methods can. */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, loadAdapter, openSwappable, predict, train, type TaskName, type TrainOptions } from "../../src/index.ts";
import { METHODS } from "../../src/methods/registry.ts";
import { readAdapterFolder } from "../../src/runtime/node/peft-folder.ts";
import { collate } from "../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { loadExamples } from "../../src/runtime/node/load-examples.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { taskNamed } from "../../src/runtime/tasks/registry.ts";
import { assertClose, failure } from "../passes/workbench.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { largestDifference, tensorFeeds } from "./swap/feeds.ts";

let folder = "";
const at = (file: string): string => join(folder, file);
const models: Readonly<Record<string, { readonly task: TaskName; readonly data: string }>> = {
  bert: { task: "text-classification", data: "fixtures/cases/bert/batch.jsonl" }, gpt2: { task: "text-generation", data: "fixtures/cases/gpt2/batch.jsonl" },
};
before(() => {
  folder = mkdtempSync(join(tmpdir(), "hut-method-folders-"));
  for (const family of Object.keys(models)) copyFileSync(`fixtures/cases/${family}/model.ts.onnx`, at(`${family}.onnx`));
});
after(() => { rmSync(folder, { recursive: true }); });

let count = 0;
async function logits(family: string, adapter?: string): Promise<number[]> {
  const output = at(`predictions-${String(count += 1)}.jsonl`);
  await predict(at(`${family}.onnx`), { task: models[family]?.task, data: models[family]?.data ?? "", output, adapter });
  return readFileSync(output, "utf8").trim().split("\n").flatMap((line) => ((JSON.parse(line) as { logits: number[] | number[][] }).logits).flat());
}

async function trained(family: string, options: Partial<TrainOptions>, notices: string[] = []): Promise<string> {
  const result = await train(at(`${family}.onnx`), { task: models[family]?.task, train: models[family]?.data, output: at(`run-${String(count += 1)}`), maxSteps: 3, lr: 0.02, ...options, onNotice: (n) => notices.push(n) });
  assert.ok(Number(result.lastLoss) < Number(result.firstLoss), `${String(result.firstLoss)} → ${String(result.lastLoss)}`);
  return result.adapter;
}

const configIn = (adapter: string): Record<string, unknown> => JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8")) as Record<string, unknown>;

describe("roles of a packed weight, by methods that PEFT can be told of", () => {
  for (const [method, more] of [["lora", { rank: 2, alpha: 3 }], ["lora", { rank: 2, alpha: 3, rslora: true }], ["loha", { rank: 2, alpha: 3 }], ["ia3", {}]] as const) {
    it(`${method}${"rslora" in more ? " with rank stabilization" : ""}: one PEFT module that computes the same without hut.json, and opens again by roles`, async () => {
      const adapter = await trained("gpt2", { method, targetModules: ["q", "v"], ...more });
      const plain = at(`plain-${String(count)}`);
      cpSync(adapter, plain, { recursive: true });
      unlinkSync(join(plain, "hut.json"));
      const own = await logits("gpt2", adapter);
      assertClose(await logits("gpt2", plain), own, 5e-6, "logits");
      const again = await trained("gpt2", { adapter });
      assert.deepEqual(Object.keys(readAdapterFolder(again).hut?.modules["transformer.h.0.attn.c_attn"]?.blocks ?? {}), ["q", "v"]);
      const base = await logits("gpt2");
      assert.ok(own.some((v, i) => Math.abs(v - (base[i] ?? NaN)) > 1e-3));
    });
  }

  for (const method of ["dora", "vera"]) {
    it(`${method} adapts it whole, and says so`, async () => {
      const notices: string[] = [];
      const adapter = await trained("gpt2", { method, targetModules: ["q", "v"], rank: 2 }, notices);
      assert.ok(notices.some((n) => n.includes(`whose parts ${method} can't adapt alone; they are adapted whole`)), notices.join("\n"));
      assert.deepEqual(configIn(adapter)["target_modules"], ["c_attn"]);
    });
  }
});

describe("the folder of each method", () => {
  for (const { name, peft, takes } of METHODS.filter((m) => m.trains === undefined)) {
    it(`${name}: PEFT's words, and numbers that it starts again from`, async () => {
      const adapter = await trained("bert", { method: name, targetModules: ["q", "down"], ...(takes.includes("rank") ? { rank: 3 } : {}), ...(takes.includes("alpha") ? { alpha: 5 } : {}) });
      const config = configIn(adapter);
      assert.equal(config["peft_type"], peft?.type);
      assert.equal(config["r"], takes.includes("rank") ? 3 : undefined);
      if (peft?.alpha !== undefined) assert.equal(config[peft.alpha], 5);
      for (const key of peft?.lacks ?? []) assert.ok(!(key in config), key);
      for (const [key, value] of Object.entries(peft?.variant ?? {})) assert.equal(config[key], value);
      const copy = at(`copy-${name}`);
      await adapt(at("bert.onnx"), { adapter, output: at(`${name}.onnx`), saveAdapter: copy });
      const [before, after] = [adapter, copy].map((dir) => tensorsOf(join(dir, "adapter_model.safetensors")));
      assert.deepEqual([...after?.keys() ?? []], [...before?.keys() ?? []]);
      for (const [tensor, values] of before ?? []) assertClose([...after?.get(tensor) ?? []], [...values], 1e-6, tensor);
      assert.deepEqual({ ...configIn(copy), task_type: null }, { ...config, task_type: null });
    });
  }

  it("(IA)³ names its feed-forward modules so that PEFT takes them and no other", async () => {
    const config = configIn(await trained("bert", { method: "ia3", targetModules: ["k", "v", "down"], maxSteps: 2 }));
    const down = ["bert.encoder.layer.0.output.dense", "bert.encoder.layer.1.output.dense"];
    assert.deepEqual(config["feedforward_modules"], down);
    assert.ok(down.every((path) => (config["target_modules"] as string[]).includes(path)));
    const packed = configIn(await trained("gpt2", { method: "ia3", targetModules: ["c_attn", "down"] }));
    assert.deepEqual(packed["feedforward_modules"], ["transformer.h.0.mlp.c_proj", "transformer.h.1.mlp.c_proj"]);
    assert.equal(packed["fan_in_fan_out"], true);
  });

  it("VeRA's frozen matrices are there once, as large as the largest weight needs", async () => {
    const { shared } = readAdapterFolder(await trained("bert", { method: "vera", targetModules: ["q", "down"], rank: 3 }));
    assert.deepEqual([...shared ?? []].map(([name, { shape }]) => [name, shape]), [["vera_A", [3, 128]], ["vera_B", [64, 3]]]);
  });
});

describe("adapters of LoRA swapped", () => {
  for (const [family, method] of [["bert", "lora"], ["bert", "rslora"], ["gpt2", "lora"]] as const) {
    for (const perRow of [false, true]) {
      it(`${method} on ${family}${perRow ? ", by the row" : ""}: the base without one, PEFT's logits with its folder`, async () => {
        const own = (name: string): string => join("fixtures/methods", family, method, name);
        const { task, data } = models[family] ?? { task: "text-classification", data: "" };
        const path = at(`swappable-${family}-${method}-${String(perRow)}.onnx`);
        await adapt(at(`${family}.onnx`), { output: path, swappable: true, perRow, adapter: own("adapter") });
        await using session = await openSwappable(path);
        using opened = openModel(at(`${family}.onnx`));
        const { examples, inputs, padding } = loadExamples({ task: taskNamed({ task }), file: data, modelPath: at(`${family}.onnx`), graph: opened.load().graph, labels: "required", numLabels: undefined });
        const feeds = tensorFeeds(await defaultRuntime(), collate(examples, [0, 1, 2, 3], inputs, padding).feeds, session.inputNames);
        const answer = async (): Promise<Float32Array> => Float32Array.from((await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array);
        const base = await answer();
        session.use(loadAdapter(session, own("adapter")));
        const wanted = tensorsOf(own("logits.safetensors")).get(".adapted") ?? new Float32Array();
        const kept = family === "gpt2" ? 25 : 1;
        const changed = await answer();
        assert.ok(largestDifference(changed.filter((_, i) => i % (family === "gpt2" ? 400 : 2) % kept === 0), wanted) <= 2e-5);
        session.use(null);
        assert.deepEqual(await answer(), base);
        assert.ok(largestDifference(changed, base) > 1e-2);
      });
    }
  }

  it("other methods say that they can't", async () => {
    for (const method of ["dora", "loha", "ia3", "vera"]) {
      await assert.rejects(adapt(at("bert.onnx"), { output: at("never.onnx"), swappable: true, method }), failure("SWAPPABLE_METHOD_UNSUPPORTED", new RegExp(`method "${method}" can't be swapped`)));
      await assert.rejects(adapt(at("bert.onnx"), { output: at("never.onnx"), saveAdapter: at("never.onnx_adapter"), method }), failure("SWAPPABLE_METHOD_UNSUPPORTED", /can't be swapped/));
    }
  });
});

describe("flags that say nothing to a method", () => {
  for (const [method, flag, options] of [["ia3", "--rank", { rank: 4 }], ["ia3", "--alpha", { alpha: 4 }], ["vera", "--alpha", { alpha: 2 }], ["hut", "--rslora", { rslora: true }], ["loha", "--rslora", { rslora: true }]] as const) {
    it(`${flag} with ${method}`, async () => {
      await assert.rejects(adapt(at("bert.onnx"), { output: at("never.onnx"), method, ...options }), failure("FLAG_NOT_OF_METHOD", new RegExp(`^${flag} says nothing to the method "${method}"`)));
    });
  }
});

describe("a convolution's kernel", () => {
  it("takes LoRA as PEFT has it, LoHa flat, and neither DoRA, (IA)³ nor VeRA", async () => {
    copyFileSync("fixtures/cases/vit/model.ts.onnx", at("vit.onnx"));
    const options = { output: at("vit-adapted.onnx"), targetModules: ["projection"], modulesToSave: [], saveAdapter: at("vit-adapter") };
    for (const method of ["lora", "loha"]) {
      rmSync(at("vit-adapter"), { recursive: true, force: true });
      await adapt(at("vit.onnx"), { ...options, method, rank: 2 });
      const [first] = [...readAdapterFolder(at("vit-adapter")).modules.values()].map((tensors) => [...tensors.values()].map(({ shape }) => shape.length));
      assert.deepEqual(first, method === "lora" ? [4, 4] : [2, 2, 2, 2]);
      await adapt(at("vit.onnx"), { output: at("vit-again.onnx"), adapter: at("vit-adapter") });
    }
    for (const method of ["dora", "ia3", "vera"]) await assert.rejects(adapt(at("vit.onnx"), { ...options, method }), failure("KERNEL_UNSUPPORTED", /adapts no kernels of convolutions/));
  });
});
