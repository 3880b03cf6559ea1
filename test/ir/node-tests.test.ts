/** The codec on every model of ONNX's own node tests: all operators, opsets, element types, attributes and nested graphs that ONNX has a test for. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import onnxProto from "onnx-proto";
import { differences } from "../../src/ir/compare.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { verifyGraph } from "../../src/ir/verify-graph.ts";
import { readNodeTests } from "./node-tests.ts";

describe("load then save, on ONNX's node tests", () => {
  const tests = readNodeTests();

  it(`gives all ${String(tests.length)} models back as onnx wrote them, byte for byte`, () => {
    assert.ok(tests.length >= 1884);
    for (const { name, model } of tests) {
      const proto = decodeModel(memorySource(name, model));
      const read = modelFromProto(proto, { file: name, openExternal: undefined });
      assert.deepEqual(verifyGraph(read.graph), [], name);
      const written = Buffer.concat(encodeModel(modelToProto(read)).chunks.map(readBytes));
      assert.ok(Buffer.compare(written, model) === 0, `${name} differs: ${differences(proto, decodeModel(memorySource(name, written))).join()}`);
    }
  });

  it("reads what onnx-proto's decoder reads", () => {
    for (const { name, model } of tests) {
      const theirs = onnxProto.onnx.ModelProto.decode(model);
      const ours = decodeModel(memorySource(name, model));
      assert.deepEqual(ours.graph?.node.map((n) => [n.name ?? "", n.opType, n.domain ?? "", n.input, n.output, n.attribute.map((a) => [a.name, a.type])]),
        theirs.graph?.node?.map((n) => [n.name, n.opType, n.domain, n.input, n.output, n.attribute?.map((a) => [a.name, a.type])]), name);
      assert.deepEqual(ours.opsetImport.map((o) => [o.domain ?? "", o.version]), theirs.opsetImport.map((o) => [o.domain, Number(o.version)]), name);
    }
  });
});
