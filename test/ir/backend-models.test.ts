/** Load then save, by a decoder that shares no table with ours: ONNX's backend test models and every export in fixtures/. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { differences } from "../../src/ir/compare.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { readBackendModels } from "./backend-models.ts";
import { readNodeTests } from "./node-tests.ts";
import { decodedElsewhere, differencesElsewhere } from "./second-decoder.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/", import.meta.url));

function savedAgain(name: string, bytes: Uint8Array): Uint8Array {
  const model = modelFromProto(decodeModel(memorySource(name, bytes)), { file: name, openExternal: undefined });
  assert.deepEqual(verifyGraph(model.graph), [], name);
  return Buffer.concat(encodeModel(modelToProto(model)).chunks.map(readBytes));
}

/** The nodes of the main graph by what they make: saving sorts them where a file has them out of order. */
function withSortedNodes(bytes: Uint8Array): unknown {
  const model = decodedElsewhere(bytes) as unknown as { graph: { node: { output: string[] }[] } };
  model.graph.node.sort((a, b) => (a.output.join() < b.output.join() ? -1 : 1));
  return model;
}

describe("load then save, by a second decoder", () => {
  const models = readBackendModels();

  it(`gives ONNX's other ${String(models.length)} backend models back byte for byte`, () => {
    assert.ok(models.length >= 149);
    for (const folder of ["light/", "simple/", "pytorch-converted/", "pytorch-operator/"]) assert.ok(models.some(({ name }) => name.startsWith(folder)), folder);
    for (const { name, model } of models) {
      const written = savedAgain(name, model);
      assert.deepEqual(differencesElsewhere(model, written), [], name);
      assert.ok(Buffer.compare(written, model) === 0, `${name} has other bytes`);
    }
  });

  it("gives ONNX's node tests with the same meaning", () => {
    for (const { name, model } of readNodeTests()) assert.deepEqual(differencesElsewhere(model, savedAgain(name, model)), [], name);
  });

  const exports = readdirSync(FIXTURES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".onnx")).sort();

  it(`gives all ${String(exports.length)} exports in fixtures/ byte for byte, but for nodes that a file has out of order`, () => {
    assert.ok(exports.length >= 101);
    const sorted: string[] = [];
    for (const name of exports) {
      const model = new Uint8Array(readFileSync(`${FIXTURES}${name}`));
      const written = savedAgain(name, model);
      if (Buffer.compare(written, model) === 0) continue;
      sorted.push(name.replaceAll("\\", "/"));
      assert.equal(written.length, model.length, name);
      assert.deepEqual(differences(withSortedNodes(written), withSortedNodes(model)), [], name);
    }
    assert.deepEqual(sorted, ["fused/bert/model.half-islands.onnx"]);
  });

  it("sees what a save would lose", () => {
    const { model = new Uint8Array() } = models.find(({ name }) => name.includes("single_relu")) ?? {};
    const proto = decodeModel(memorySource("m", model));
    const without = encodeModel({ ...proto, producerName: undefined }).chunks.map(readBytes);
    assert.deepEqual(differencesElsewhere(model, Buffer.concat(without)), ["producer_name"]);
  });
});
