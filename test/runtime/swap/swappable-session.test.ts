/** What a swappable session refuses, and what it takes besides our own graphs: adapters of other exports, other forms of the model, Olive's graphs. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, fold, loadAdapter, openSwappable, type SwappableSession } from "../../../src/index.ts";
import { decodeModel } from "../../../src/ir/proto/decode.ts";
import { memorySource } from "../../../src/ir/source.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import { parseSwappableInfo, SWAPPABLE_KEY } from "../../../src/runtime/swap/swappable-info.ts";
import { readOnnxAdapter } from "../../../src/runtime/swap/read-onnx-adapter.ts";
import { writeOnnxAdapter } from "../../../src/runtime/swap/write-onnx-adapter.ts";
import { defaultRuntime } from "../../../src/runtime/node/default-runtime.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { failure } from "../../passes/workbench.ts";
import { largestDifference } from "./feeds.ts";

const CASES = "fixtures/cases";
const ids = async (session: SwappableSession): Promise<Float32Array> => {
  const { Tensor } = await defaultRuntime();
  const feeds = Object.fromEntries(session.inputNames.map((name) => [name, new Tensor("int64", BigInt64Array.from({ length: 10 }, (_, i) => BigInt(name === "input_ids" ? i + 5 : name.startsWith("position") ? i % 5 : Number(name.startsWith("attention")))), [2, 5])]));
  return new Float32Array((await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array);
};
const file = (parameters: Readonly<Record<string, readonly number[]>>): Uint8Array => new Uint8Array(writeOnnxAdapter({
  adapterVersion: 1, modelVersion: 1,
  parameters: Object.entries(parameters).map(([name, shape]) => ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1)) })),
}));

describe("a swappable session", () => {
  let folder = "";
  let session: SwappableSession;
  const at = (name: string): string => join(folder, name);
  const Q = "bert.encoder.layer.0.attention.self.query";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-swap-"));
    copyFileSync(`${CASES}/bert/model.ts.onnx`, at("model.onnx"));
    await adapt(at("model.onnx"), { output: at("swappable.onnx"), swappable: true });
    session = await openSwappable(at("swappable.onnx"));
  });
  after(async () => {
    await session[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("knows its inputs by what the graph tells of them", () => {
    assert.deepEqual(session.inputNames, ["input_ids", "attention_mask", "token_type_ids"].filter((name) => session.inputNames.includes(name)));
    assert.ok(session.adapterInputs.includes(`${Q}.hut_A`) && session.adapterInputs.includes("classifier.weight") && session.adapterInputs.includes("classifier.bias"));
    const proto = decodeModel(memorySource("s", new Uint8Array(readFileSync(at("swappable.onnx")))));
    const info = parseSwappableInfo(proto.metadataProps.find((e) => e.key === SWAPPABLE_KEY)?.value ?? "", "s");
    assert.deepEqual(info.inputs.map((i) => i.name), session.adapterInputs);
    assert.deepEqual(info.inputs.find((i) => i.name === `${Q}.hut_A`), { name: `${Q}.hut_A`, modulePath: Q, parameter: "hut_A", shape: [64, "lora_r"], role: "q", weight: 0, isPart: false });
  });

  it("serves adapters of different ranks in turn, each as its own merged model, and takes them back", async () => {
    const base = await ids(session);
    const adapters = await Promise.all([1, 3, 8, 20].map(async (rank) => {
      const path = at(`rank-${String(rank)}.onnx_adapter`);
      await adapt(at("model.onnx"), { output: at("other.onnx"), swappable: true, rank, seed: rank, saveAdapter: path });
      // B starts at 0, and would change nothing.
      const { parameters } = readOnnxAdapter(new Uint8Array(readFileSync(path)), path);
      writeFileSync(path, file(Object.fromEntries(parameters.map((p) => [p.name, p.shape]))));
      return path;
    }));
    const loaded = adapters.map((path) => loadAdapter(session, path));
    for (const [i, path] of adapters.entries()) {
      session.use(loaded[i] ?? null);
      const own = await ids(session);
      await fold(at("model.onnx"), { adapter: path, output: at("merged.onnx") });
      assert.ok(largestDifference(own, await logitsOf(at("merged.onnx"), session)) <= 1e-5, path);
      assert.ok(largestDifference(own, base) > 1e-3, path);
    }
    const [first] = loaded;
    assert.ok(first !== undefined && first.bytes > 0);
    session.use(first);
    session.unload(first);
    assert.equal(session.active, null);
    assert.deepEqual(await ids(session), base);
    assert.throws(() => { session.use(first); }, failure("SWAP_FOREIGN", /isn't one that this session holds/));
  });

  it("takes an adapter of the other export of its model", async () => {
    copyFileSync(`${CASES}/bert/model.dynamo.onnx`, at("dynamo.onnx"));
    await adapt(at("dynamo.onnx"), { output: at("other.onnx"), swappable: true, adapter: `${CASES}/bert/adapter-trained`, saveAdapter: at("dynamo.onnx_adapter") });
    session.use(loadAdapter(session, at("dynamo.onnx_adapter")));
    const own = await ids(session);
    session.use(loadAdapter(session, `${CASES}/bert/adapter-trained`));
    assert.deepEqual(own, await ids(session));
  });

  it("refuses, and names, a tensor without an input, another shape, a rank without its partner, another model", () => {
    const refuses = (parameters: Readonly<Record<string, readonly number[]>>, code: string, message: RegExp): void => {
      assert.throws(() => session.load(file(parameters), "a"), failure(code, message));
    };
    const pair = { [`${Q}.hut_A`]: [64, 2], [`${Q}.hut_B`]: [2, 64] };
    refuses({ ...pair, "pooler.weight": [64, 64] }, "SWAP_INPUT_MISSING", /"pooler\.weight", and the graph has no input for it/);
    refuses({ ...pair, [`${Q}.hut_A`]: [32, 2] }, "SWAP_SHAPE_MISMATCH", /query\.hut_A" is \[32, 2\], and the graph takes \[64, lora_r\]/);
    refuses({ ...pair, [`${Q}.hut_B`]: [3, 64] }, "SWAP_RANK_MISMATCH", /have the ranks 2 and 3/);
    refuses({ [`${Q}.hut_A`]: [64, 2] }, "SWAP_RANK_MISMATCH", /have the ranks 2 and 0/);
    refuses({ ...pair, "classifier.bias": [5] }, "SWAP_SHAPE_MISMATCH", /classifier\.bias/);
    refuses({ [`${Q}.lora_A.weight`]: [64, 2], [`${Q}.lora_B.weight`]: [2, 64] }, "SWAP_METHOD_DIFFERS", /is a lora adapter, and the graph computes hut/);
    assert.throws(() => loadAdapter(session, `${CASES}/gpt2/adapter`), failure("SWAP_INPUT_MISSING", /transformer\.h\.0\.attn/));
    assert.throws(() => session.load(new Uint8Array(8), "a"), failure("ONNX_ADAPTER_BROKEN", /^"a" is not a sound/));
  });

  it("refuses a graph that takes no adapters, and runs no more once it is given back", async () => {
    await assert.rejects(openSwappable(at("model.onnx")), failure("NOT_SWAPPABLE", /has no inputs for adapters\. Make such a graph with `onnx-hut adapt MODEL --swappable`\.$/));
    const other = await openSwappable(at("swappable.onnx"));
    await other[Symbol.asyncDispose]();
    await assert.rejects(ids(other), failure("SWAP_DISPOSED", /disposed of/));
  });

  it("runs Olive's names on a graph that has such inputs", async () => {
    const { Tensor } = await defaultRuntime();
    const expected = JSON.parse(readFileSync("fixtures/onnx-adapter/expected.json", "utf8")) as { x: number[][]; base: number[][]; adapted: number[][] };
    await using olive = await openSwappable("fixtures/onnx-adapter/olive.onnx");
    const feeds = { x: new Tensor("float32", Float32Array.from(expected.x.flat()), [2, 6]) };
    const y = async (): Promise<Float32Array> => (await olive.run(feeds))["y"]?.data as Float32Array;
    assert.ok(largestDifference(await y(), expected.base.flat()) <= 1e-6);
    olive.use(loadAdapter(olive, "fixtures/onnx-adapter/olive.onnx_adapter"));
    assert.ok(largestDifference(await y(), expected.adapted.flat()) <= 1e-6);
    assert.throws(() => loadAdapter(olive, `${CASES}/bert/adapter`), failure("SWAP_INPUT_MISSING", /and the graph has no input for it/));
  });
});

async function logitsOf(path: string, like: SwappableSession): Promise<Float32Array> {
  await using merged = await GraphSession.create(await defaultRuntime(), new Uint8Array(readFileSync(path)), { name: "merged" });
  const data = (name: string): BigInt64Array => BigInt64Array.from({ length: 10 }, (_, i) => BigInt(name === "input_ids" ? i + 5 : Number(name.startsWith("attention"))));
  const out = await merged.run(new Map(like.inputNames.map((name) => [name, { dataType: DataType.INT64, dims: [2, 5], data: data(name) }])), ["logits"]);
  return out.get("logits")?.data as Float32Array;
}
