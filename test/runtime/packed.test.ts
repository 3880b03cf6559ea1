/** Packed weights adapted by role, and one adapter on exports that pack and name their weights otherwise. */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, evaluate, fold, HutError, predict, train, verify } from "../../src/index.ts";
import { assertClose } from "../passes/workbench.ts";

let folder = "";
const at = (file: string): string => join(folder, file);
before(() => { folder = mkdtempSync(join(tmpdir(), "hut-packed-")); });
after(() => { rmSync(folder, { recursive: true }); });

const TASK = { task: "text-generation" } as const;
let count = 0;

/** All logits of a batch, as one list. */
async function logits(model: string, data: string, adapter?: string): Promise<number[]> {
  const output = at(`predictions-${String(count += 1)}.jsonl`);
  await predict(model, { task: data.includes("bert") ? "text-classification" : "text-generation", data, output, adapter });
  return readFileSync(output, "utf8").trim().split("\n").flatMap((line) => ((JSON.parse(line) as { logits: number[] | number[][] }).logits).flat());
}

async function loss(model: string, data: string, adapter?: string): Promise<number> {
  return (await evaluate(model, { ...TASK, data, adapter })).metrics["eval_loss"] ?? NaN;
}

for (const [family, path] of [["cases/gpt2", "attn.c_attn"], ["families/gpt-neox", "attention.query_key_value"]] as const) {
  describe(`q and v of ${family}, which packs them`, () => {
    const data = `fixtures/${family}/batch.jsonl`;
    const model = (): string => at(`${family.replace("/", "-")}.onnx`);
    let adapter = "";
    before(async () => {
      copyFileSync(`fixtures/${family}/model.ts.onnx`, model());
      const run = await train(model(), { ...TASK, train: data, targetModules: ["q", "v"], rank: 2, maxSteps: 8, lr: 0.05, output: at(`run-${family.replace("/", "-")}`) });
      assert.ok(Number(run.lastLoss) < Number(run.firstLoss));
      adapter = run.adapter;
    });

    it("are adapted each with its own A and B", async () => {
      const result = await adapt(model(), { output: at("adapted.onnx"), targetModules: ["q", "v"], rank: 2, embed: true });
      assert.deepEqual(result.adapted.map((m) => [m.modulePath.endsWith(path), m.role, m.rank]), [[true, "q", 2], [true, "v", 2], [true, "q", 2], [true, "v", 2]]);
      assertClose(await logits(at("adapted.onnx"), data), await logits(model(), data), 1e-6, "at the start nothing changes");
    });

    it("are one PEFT module of twice the rank, which computes the same", async () => {
      const config = JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8")) as { r: number; rank_pattern: Record<string, number>; target_modules: string[] };
      assert.equal(config.r, 4);
      assert.deepEqual(Object.values(config.rank_pattern), [4, 4]);
      assert.deepEqual(config.target_modules, [path.split(".").at(-1)]);
      // Without hut.json it is a HiRA folder like any other: the whole weight, rank 4. That road knows nothing of roles.
      const plain = at(`plain-${path}`);
      cpSync(adapter, plain, { recursive: true });
      unlinkSync(join(plain, "hut.json"));
      assertClose(await logits(model(), data, plain), await logits(model(), data, adapter), 2e-6, "logits");
    });

    it("fold to what was trained, and verify", async () => {
      const merged = at(`merged-${path}.onnx`);
      const folded = await fold(model(), { adapter, output: merged });
      assert.deepEqual(folded.folded.map((m) => m.role), ["q", "v", "q", "v"]);
      assertClose(await logits(merged, data), await logits(model(), data, adapter), 2e-6, "logits");
      assert.deepEqual((await verify(model(), { adapter, merged })).problems, []);
    });

    it("go on being trained, and fit the other export", async () => {
      const more = await train(model(), { ...TASK, train: data, adapter, maxSteps: 2, lr: 0.01, output: at(`more-${path}`) });
      assert.ok(Math.abs(Number(more.firstLoss) - await loss(model(), data, adapter)) < 1e-5);
      const other = at(`other-${path}.onnx`);
      copyFileSync(`fixtures/${family}/model.dynamo.onnx`, other);
      assertClose(await logits(other, data, adapter), await logits(model(), data, adapter), 1e-4, "logits");
    });

    it("are adapted whole where the module is named", async () => {
      const result = await adapt(model(), { output: at("whole.onnx"), targetModules: [path], rank: 2, embed: true });
      assert.deepEqual(result.adapted.map((m) => [m.role, m.shape[1] / m.shape[0]]), [[undefined, 3], [undefined, 3]]);
    });
  });
}

describe("one adapter on every form of its base", () => {
  const forms = ["stripped", "attention", "mask2d", "mha", "norms-ts", "norms-dynamo", "opset11", "opset23", "function", "functions"];

  it("gives the same logits, folded, to 1e-4", async () => {
    const data = "fixtures/fused/bert/batch.jsonl";
    const copy = at("fused-bert.jsonl");
    copyFileSync(data, copy);
    const all: number[][] = [];
    for (const form of forms) {
      const model = at(`${form}.onnx`);
      copyFileSync(`fixtures/fused/bert/model.${form}.onnx`, model);
      const notices: string[] = [];
      await fold(model, { adapter: "fixtures/fused/bert/adapter", output: at(`${form}-merged.onnx`), onNotice: (notice) => notices.push(notice) });
      assert.equal(notices.some((n) => n.includes("by role and layer")), ["stripped", "attention", "mask2d"].includes(form), form);
      all.push(await logits(at(`${form}-merged.onnx`), copy));
    }
    const [first = []] = all;
    for (const [i, other] of all.entries()) assertClose(other, first, 1e-4, forms[i] ?? "");
  });

  it("an adapter of packed q and v fits where they stand apart", async () => {
    const data = "fixtures/fused/llama/batch.jsonl";
    const [packed, apart] = [at("packed.onnx"), at("apart.onnx")];
    copyFileSync("fixtures/fused/llama/model.builder.onnx", packed);
    copyFileSync("fixtures/fused/llama/model.norms-ts.onnx", apart);
    const { adapter } = await train(packed, { ...TASK, train: data, targetModules: ["q", "v"], rank: 2, maxSteps: 6, lr: 0.05, output: at("run-packed") });
    assert.ok(Math.abs(await loss(packed, data, adapter) - await loss(packed, data)) > 1e-3, "the adapter changes something");
    assert.ok(Math.abs(await loss(apart, data, adapter) - await loss(packed, data, adapter)) < 1e-4);
    await fold(apart, { adapter, output: at("apart-merged.onnx") });
    assert.ok(Math.abs(await loss(at("apart-merged.onnx"), data) - await loss(packed, data, adapter)) < 1e-4);
  });

  it("is refused where the weights are others, by name or not", async () => {
    const model = at("gpt2.onnx");
    copyFileSync("fixtures/fused/gpt2/model.past.onnx", model);
    await assert.rejects(fold(model, { adapter: "fixtures/fused/bert/adapter", output: at("no.onnx") }), (error) => error instanceof HutError && error.code === "ADAPTER_MODULE_MISSING");
  });

  it("with blocks that no weight has, or written wrong, is an error", async () => {
    const model = at("blocks.onnx");
    copyFileSync("fixtures/cases/gpt2/model.ts.onnx", model);
    const { adapter } = await train(model, { ...TASK, train: "fixtures/cases/gpt2/batch.jsonl", targetModules: ["q"], rank: 2, maxSteps: 1, output: at("run-blocks") });
    const file = join(adapter, "hut.json");
    const text = readFileSync(file, "utf8");
    for (const [from, to] of [['"q": [0, 64]', '"q": [64, 0]'], ['"q": [0, 64]', '"q": [0, 999]'], ['"q": [0, 64]', '"x": [0, 64]'], ['"q": [0, 64]', '"q": []']] as const) {
      assert.ok(text.includes(from));
      writeFileSync(file, text.replace(from, to));
      await assert.rejects(fold(model, { adapter, output: at("no.onnx") }), (error) => error instanceof HutError && error.code === "FIELD_WRONG", to);
    }
  });
});
