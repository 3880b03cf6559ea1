/** Weights wherever they stand: each way of storing an encoder's, from adapting to verifying. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, fold, inspect, train, verify } from "../../src/index.ts";
import { tensor as tensorAttribute } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Node } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { ByteRange, type Source } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { findWeights } from "../../src/passes/weights/find-weights.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { openFixture } from "../passes/workbench.ts";

const DATA = "fixtures/cases/bert/batch.jsonl";

/** The weights in 16 bits, each behind a Cast. */
function narrowed(model: Model, dataType: number): Uint8Array {
  for (const { constant, tensor, points } of findWeights(model.graph)) {
    const [use] = points[0]?.uses ?? [];
    constant.initializer = Tensor.fromFloat32(dataType, tensor.dims, Float32Array.from(tensor.toNumbers() ?? []));
    const cast = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test", before: use?.node }).Cast(constant, { to: DataType.FLOAT });
    for (const { node, index } of [...constant.uses]) if (node !== cast.producer) node.setInput(index, cast);
  }
  return serialized(model);
}

/** Every weight as the output of a Constant node. */
function asNodes(model: Model): Uint8Array {
  const { graph } = model;
  for (const { constant, tensor } of findWeights(graph)) {
    graph.initializers.delete(constant);
    constant.initializer = undefined;
    graph.insert([new Node({ opType: "Constant", name: graph.freshName("constant"), attributes: new Map([["value", tensorAttribute(new Tensor(tensor.dataType, tensor.dims, tensor.bytes()))]]) }, [], [constant])], graph.nodes[0]);
  }
  return serialized(model);
}

/** Every weight in a data file of its own beside the model. */
function outside(model: Model, file: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const source: Source = { name: "data", size: 0, read: () => new Uint8Array() };
  for (const { constant, tensor } of findWeights(model.graph)) {
    const bytes = tensor.bytes();
    constant.initializer = new Tensor(tensor.dataType, tensor.dims, new ByteRange(source, size, bytes.length));
    parts.push(bytes);
    size += bytes.length;
  }
  writeFileSync(file, Buffer.concat(parts));
  return serialized(model, { reference: (range) => (range.source === source ? { location: "weights.bin", offset: range.offset } : undefined) });
}

const WAYS: Readonly<Record<string, { readonly dtype: string; readonly bytes: (model: Model, folder: string) => Uint8Array }>> = {
  "float16 behind Cast": { dtype: "float16", bytes: (model) => narrowed(model, DataType.FLOAT16) },
  "bfloat16 behind Cast": { dtype: "bfloat16", bytes: (model) => narrowed(model, DataType.BFLOAT16) },
  "Constant nodes": { dtype: "float", bytes: asNodes },
  "external data": { dtype: "float", bytes: (model, folder) => outside(model, join(folder, "weights.bin")) },
};

for (const [name, { dtype, bytes }] of Object.entries(WAYS)) {
  describe(`weights stored as ${name}`, function () {
    this.timeout(120_000);
    let folder = "";
    before(() => { folder = mkdtempSync(join(tmpdir(), "hut-stored-")); });
    after(() => { rmSync(folder, { recursive: true }); });

    it("are adapted, trained, folded into the same form and verified", async () => {
      const at = (file: string): string => join(folder, file);
      writeFileSync(at("model.onnx"), bytes(openFixture("cases/bert/model.ts.onnx"), folder));
      const trained = await train(at("model.onnx"), { train: DATA, output: at("run"), batchSize: 4, maxSteps: 3, lr: 0.05, targetModules: ["q", "down"] });
      assert.ok(Number(trained.lastLoss) < Number(trained.firstLoss), "the loss falls");
      await fold(at("model.onnx"), { adapter: trained.adapter, output: at("merged.onnx") });
      const checked = await verify(at("model.onnx"), { adapter: trained.adapter, merged: at("merged.onnx") });
      assert.deepEqual(checked.problems, []);
      const { weights } = await inspect(at("merged.onnx"));
      assert.deepEqual([...new Set(weights.map((w) => w.dtype))], [dtype]);
      assert.equal(weights.length, 14);
    });
  });
}

describe("a tied language model head", function () {
  this.timeout(120_000);
  for (const [family, exporter] of [["gpt2", "dynamo"], ["gpt2", "ts"]] as const) {
    it(`adapted leaves the embedding as it was, and the notes say so (${family}, ${exporter})`, async () => {
      const folder = mkdtempSync(join(tmpdir(), "hut-tied-"));
      try {
        const model = `fixtures/cases/${family}/model.${exporter}.onnx`;
        const notices: string[] = [];
        const onNotice = (notice: string): void => { notices.push(notice); };
        await adapt(model, { targetModules: ["head"], output: join(folder, "adapted.onnx"), saveAdapter: join(folder, "adapter"), embed: true, onNotice });
        assert.deepEqual(notices.filter((n) => n.includes("keeps the base's values")).length, exporter === "dynamo" ? 1 : 0, notices.join("; "));
        await fold(model, { adapter: join(folder, "adapter"), output: join(folder, "merged.onnx"), onNotice });
        const checked = await verify(model, { adapter: join(folder, "adapter"), merged: join(folder, "merged.onnx") });
        assert.deepEqual(checked.problems, []);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
