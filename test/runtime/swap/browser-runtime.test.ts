/** The same session on the browser's ONNX Runtime: WASM, which runs in Node too. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt } from "../../../src/index.ts";
import { openSwappable, type AdapterFiles } from "../../../src/runtime/swap/swappable-session.ts";
import { WASM } from "../wasm-runtime.ts";
import { largestDifference } from "./feeds.ts";

const CASE = "fixtures/cases/bert";
const text = (name: string): string => readFileSync(join(CASE, name), "utf8");
const expected = JSON.parse(text("expected.json")) as { readonly logits: number[][]; readonly logits_trained: number[][] };
const records = text("batch.jsonl").trim().split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, number[]>>);
const filesOf = (folder: string): AdapterFiles => ({ config: readFileSync(join(folder, "adapter_config.json"), "utf8"), tensors: new Uint8Array(readFileSync(join(folder, "adapter_model.safetensors"))) });

describe("a swappable session on onnxruntime-web", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-swap-web-"));
    copyFileSync(join(CASE, "model.ts.onnx"), join(folder, "model.onnx"));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  for (const embed of [true, false]) {
    it(`has PyTorch's logits, from a graph that ${embed ? "holds its weights" : "points into the base's file"}`, async () => {
      const graph = join(folder, "swappable.onnx");
      await adapt(join(folder, "model.onnx"), { output: graph, swappable: true, embed });
      const bytes = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
      const session = { ...(embed ? {} : { externalData: [{ path: "model.onnx", data: bytes(join(folder, "model.onnx")) }] }) };
      await using swap = await openSwappable(WASM, bytes(graph), { session });
      const feeds = Object.fromEntries(swap.inputNames.map((name) => {
        const rows = records.map((r) => r[name] ?? []);
        return [name, new WASM.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0])];
      }));
      const logits = async (): Promise<Float32Array> => (await swap.run(feeds))["logits"]?.data as Float32Array;
      assert.ok(largestDifference(await logits(), expected.logits.flat()) <= 1e-5);
      swap.use(swap.load(filesOf(join(CASE, "adapter-trained"))));
      assert.ok(largestDifference(await logits(), expected.logits_trained.flat()) <= 1e-5);
      swap.use(null);
      assert.ok(largestDifference(await logits(), expected.logits.flat()) <= 1e-5);
    });
  }

  it("has PyTorch's logits for each row of a batch with its own adapter", async () => {
    const graph = join(folder, "rows.onnx");
    await adapt(join(folder, "model.onnx"), { output: graph, swappable: true, perRow: true, embed: true });
    await using swap = await openSwappable(WASM, new Uint8Array(readFileSync(graph)));
    const feeds = Object.fromEntries(swap.inputNames.map((name) => {
      const rows = records.map((r) => r[name] ?? []);
      return [name, new WASM.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]?.length ?? 0])];
    }));
    const logits = async (): Promise<Float32Array> => (await swap.run(feeds))["logits"]?.data as Float32Array;
    assert.ok(largestDifference(await logits(), expected.logits.flat()) <= 1e-5);
    const trained = swap.load(filesOf(join(CASE, "adapter-trained")));
    swap.useRows(records.map((_, i) => (i % 2 === 0 ? trained : null)));
    assert.ok(largestDifference(await logits(), expected.logits.flatMap((row, i) => (i % 2 === 0 ? expected.logits_trained[i] ?? [] : row))) <= 1e-5);
  });
});
