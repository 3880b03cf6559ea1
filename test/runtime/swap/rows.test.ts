/** Rows of one batch with adapters of their own: each row's logits are those of the model folded with its adapter, run on that row alone. */
import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Ort from "onnxruntime-common";
import { adapt, fold, loadAdapter, openSwappable, type SwapAdapter, type SwappableSession, type TaskName } from "../../../src/index.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import { collate, type Feed } from "../../../src/runtime/data/collate.ts";
import { onnxAdapterOf, writeOnnxAdapter } from "../../../src/runtime/swap/write-onnx-adapter.ts";
import { parametersOf, readOnnxAdapter } from "../../../src/runtime/swap/read-onnx-adapter.ts";
import { loadExamples } from "../../../src/runtime/node/load-examples.ts";
import { defaultRuntime } from "../../../src/runtime/node/default-runtime.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";
import { Random } from "../../../src/runtime/random.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { parseSwappableInfo, SWAPPABLE_KEY } from "../../../src/runtime/swap/swappable-info.ts";
import { decodeModel } from "../../../src/ir/proto/decode.ts";
import { memorySource } from "../../../src/ir/source.ts";
import { failure } from "../../passes/workbench.ts";
import { largestDifference, tensorFeeds } from "./feeds.ts";

/** Exports of the cases; weights in a function, in 16 bits, without names, as integers, decoded in the product; packed weights adapted by roles. */
const FORMS: readonly { readonly folder: string; readonly form: string; readonly folded?: number; readonly roles?: readonly string[] }[] = [
  ...["bert", "roberta", "gpt2", "llama", "vit"].flatMap((family) => ["ts", "dynamo"].map((form) => ({ folder: `cases/${family}`, form }))),
  { folder: "cases/gpt2", form: "ts", roles: ["q", "v"] }, { folder: "cases/gpt2", form: "dynamo", roles: ["v"] },
  { folder: "fused/bert", form: "functions" }, { folder: "fused/bert", form: "stripped" }, { folder: "fused/bert", form: "float16-stored", folded: 1e-2 },
  { folder: "fused/bert-int8", form: "qdq" }, { folder: "fused/llama", form: "builder" }, { folder: "fused/llama-int4", form: "builder" },
];
const TASK_OF: Readonly<Record<string, TaskName>> = { cls: "text-classification", lm: "text-generation", img: "image-classification" };

for (const { folder: name, form, folded = 1e-5, roles } of FORMS) {
  const at = (file: string): string => join("fixtures", name, file);
  const { kind } = JSON.parse(readFileSync(at("expected.json"), "utf8")) as { readonly kind: string };
  describe(`a swappable graph by the row of ${name}, ${form}${roles === undefined ? "" : `, its ${roles.join(" and ")}`}`, () => {
    let folder = "";
    let session: SwappableSession;
    let batch: ReadonlyMap<string, Feed>;
    let feeds: Record<string, Ort.Tensor> = {};
    const own = (file: string): string => join(folder, file);
    const logits = async (): Promise<Float32Array> => Float32Array.from((await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array);
    const answerOf = async (file: string, from: ReadonlyMap<string, Feed>): Promise<Float32Array> => {
      await using model = await GraphSession.create(await defaultRuntime(), new Uint8Array(readFileSync(own(file))), { name: file });
      return (await model.run(from, ["logits"])).get("logits")?.data as Float32Array;
    };
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "hut-rows-"));
      copyFileSync(at(`model.${form}.onnx`), own("model.onnx"));
      const chosen = roles === undefined ? { adapter: at("adapter") } : { targetModules: roles };
      await adapt(own("model.onnx"), { output: own("rows.onnx"), swappable: true, perRow: true, ...chosen });
      session = await openSwappable(own("rows.onnx"));
      await adapt(own("model.onnx"), { output: own("other.onnx"), swappable: true, ...chosen, saveAdapter: own("start.onnx_adapter") });
      for (const rank of [3, 5]) writeFileSync(own(`rank-${String(rank)}.onnx_adapter`), ofRank(rank, new Uint8Array(readFileSync(own("start.onnx_adapter")))));
      using opened = openModel(own("model.onnx"));
      const { examples, inputs, padding } = loadExamples({ task: taskNamed({ task: TASK_OF[kind] }), file: at("batch.jsonl"), modelPath: own("model.onnx"), graph: opened.load().graph, labels: "required", numLabels: undefined });
      batch = collate(examples, [0, 1, 2, 3], inputs, padding).feeds;
      feeds = tensorFeeds(await defaultRuntime(), batch, session.inputNames);
    });
    after(async () => {
      await session[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    });

    it("is exactly the base without an adapter, and kilobytes beside it", async () => {
      assert.deepEqual(await logits(), await answerOf("model.onnx", batch));
      assert.ok(statSync(own("rows.onnx")).size < statSync(own("model.onnx")).size + 100_000);
    });

    it("gives each row the logits of its own merged model, and all rows one adapter's", async () => {
      const [first, second] = [roles === undefined ? at("adapter-trained") : own("rank-5.onnx_adapter"), own("rank-3.onnx_adapter")];
      const [trained, other] = [loadAdapter(session, first), loadAdapter(session, second)];
      const rows: readonly (readonly [SwapAdapter | null, string | undefined])[] = [[trained, first], [null, undefined], [other, second], [trained, first]];
      const before = await logits();
      session.useRows(rows.map(([adapter]) => adapter));
      const all = await logits();
      const size = all.length / rows.length;
      for (const [i, [, adapter]] of rows.entries()) {
        copyFileSync(own("model.onnx"), own("merged.onnx"));
        if (adapter !== undefined) await fold(own("model.onnx"), { adapter, output: own("merged.onnx") });
        const alone = await answerOf("merged.onnx", new Map([...batch].map(([input, feed]) => [input, rowOf(feed, i)])));
        const mine = all.subarray(i * size, (i + 1) * size);
        assert.ok(largestDifference(mine, alone) <= folded, `row ${String(i)}: ${String(largestDifference(mine, alone))}`);
        if (adapter !== undefined) assert.ok(largestDifference(mine, before.subarray(i * size, (i + 1) * size)) > 1e-3, `row ${String(i)}`);
      }
      session.use(trained);
      await fold(own("model.onnx"), { adapter: first, output: own("merged.onnx") });
      assert.ok(largestDifference(await logits(), await answerOf("merged.onnx", batch)) <= folded);
      session.use(null);
      assert.deepEqual(await logits(), before);
    });
  });
}

describe("useRows", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const Q = "bert.encoder.layer.0.attention.self.query";
  const ids = (rows: number): BigInt64Array => BigInt64Array.from({ length: rows * 5 }, (_, i) => BigInt(i + 5));
  const answer = async (session: SwappableSession, rows: number): Promise<Float32Array> => {
    const { Tensor } = await defaultRuntime();
    const feeds = Object.fromEntries(session.inputNames.map((name) => [name, new Tensor("int64", name === "input_ids" ? ids(rows) : new BigInt64Array(rows * 5).fill(name === "attention_mask" ? 1n : 0n), [rows, 5])]));
    return Float32Array.from((await session.run(feeds, ["logits"]))["logits"]?.data as Float32Array);
  };
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-use-rows-"));
    copyFileSync("fixtures/cases/bert/model.ts.onnx", at("model.onnx"));
    await adapt(at("model.onnx"), { output: at("rows.onnx"), swappable: true, perRow: true });
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("stands in the metadata, and the inputs have rows", async () => {
    const { inputs } = await adapt(at("model.onnx"), { output: at("other.onnx"), swappable: true, perRow: true });
    assert.deepEqual(inputs.find((i) => i.name === `${Q}.hut_A`)?.shape, ["hut_rows", 64, "lora_r"]);
    assert.deepEqual(inputs.find((i) => i.name === "classifier.bias")?.shape, ["hut_rows", 2]);
    const proto = decodeModel(memorySource("s", new Uint8Array(readFileSync(at("other.onnx")))));
    const info = parseSwappableInfo(proto.metadataProps.find((e) => e.key === SWAPPABLE_KEY)?.value ?? "", "s");
    assert.deepEqual(info.rows, ["input_ids", "attention_mask", "token_type_ids"]);
    assert.deepEqual(info.inputs.find((i) => i.name === `${Q}.hut_A`)?.shape, [64, "lora_r"]);
  });

  it("stacks one list once, goes back to one adapter for all, and lets an adapter go", async () => {
    await using session = await openSwappable(at("rows.onnx"));
    const adapter = loadAdapter(session, "fixtures/cases/bert/adapter-trained");
    const base = await answer(session, 2);
    session.useRows([adapter, null]);
    const first = await answer(session, 2);
    assert.deepEqual([session.active, session.activeRows], [null, [adapter, null]]);
    assert.ok(largestDifference(first.subarray(0, 2), base.subarray(0, 2)) > 1e-3);
    assert.ok(largestDifference(first.subarray(2), base.subarray(2)) <= 1e-6);
    session.useRows([null, adapter]);
    assert.ok(largestDifference((await answer(session, 2)).subarray(0, 2), base.subarray(0, 2)) <= 1e-6);
    session.useRows([adapter, null]);
    assert.deepEqual(await answer(session, 2), first);
    const rows = session.activeRows;
    session.useRows([adapter, null]);
    assert.equal(session.activeRows, rows);
    session.useRows([null, null]);
    assert.ok(largestDifference(await answer(session, 2), base) <= 1e-6);
    session.useRows([adapter, null]);
    session.unload(adapter);
    assert.deepEqual([session.active, session.activeRows], [null, null]);
    assert.deepEqual(await answer(session, 2), base);
    assert.throws(() => { session.useRows([adapter, null]); }, failure("SWAP_FOREIGN", /isn't one that this session holds/));
    assert.equal(session.activeRows, null);
  });

  it("refuses a batch of another size, and leaves use alone", async () => {
    await using session = await openSwappable(at("rows.onnx"));
    session.useRows([null, null, null]);
    await assert.rejects(answer(session, 2), failure("ROWS_DIFFER", /"input_ids" has 2 rows, and adapters are in use for 3\. Call useRows with one for each row/));
    session.use(null);
    assert.equal((await answer(session, 2)).length, 4);
  });

  it("refuses a graph that takes one adapter for all rows", async () => {
    await adapt(at("model.onnx"), { output: at("other.onnx"), swappable: true });
    await using session = await openSwappable(at("other.onnx"));
    assert.throws(() => { session.useRows([null]); }, failure("ROWS_NOT_TAKEN", /`onnx-hut adapt MODEL --swappable --per-row`\.$/));
  });

  it("refuses to make one of products that have one weight for all rows", async () => {
    copyFileSync("fixtures/fused/bert/model.attention.onnx", at("fused.onnx"));
    await assert.rejects(adapt(at("fused.onnx"), { output: at("other.onnx"), swappable: true, perRow: true, adapter: "fixtures/fused/bert/adapter" }),
      failure("ROWS_IMPOSSIBLE", /Attention has one weight for all rows/));
  });
});

/** The same parameters with another rank, and numbers that all do something. */
function ofRank(rank: number, bytes: Uint8Array): Uint8Array {
  const random = new Random(5);
  const parameters = [...parametersOf(readOnnxAdapter(bytes, "start"), "start")].map(([name, { shape }]) => {
    const own = name.endsWith("hut_A") ? [shape[0] ?? 0, rank] : name.endsWith("hut_B") ? [rank, shape[1] ?? 0] : shape;
    return [name, { shape: own, data: Float32Array.from({ length: own.reduce((a, b) => a * b, 1) }, () => random.uniform(-0.3, 0.3)) }] as const;
  });
  return writeOnnxAdapter(onnxAdapterOf(new Map(parameters)));
}

function rowOf({ dataType, dims, data }: Feed, row: number): Feed {
  const size = dims.slice(1).reduce((a, b) => a * b, 1);
  return { dataType, dims: [1, ...dims.slice(1)], data: data.slice(row * size, (row + 1) * size) };
}
