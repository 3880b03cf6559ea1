/** ONNX Runtime's adapter file: Olive's and ONNX Runtime's own are read, ours are what they write, damage is refused. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Builder } from "flatbuffers";
import { HutError } from "../../../src/errors/hut-error.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import type { FlatTensor } from "../../../src/runtime/flatbuffers/flat-tensor.ts";
import { FIELD_COUNTS, FIELDS, IDENTIFIER, type OnnxAdapter } from "../../../src/runtime/swap/onnx-adapter.ts";
import { parametersOf, readOnnxAdapter } from "../../../src/runtime/swap/read-onnx-adapter.ts";
import { MAX_ADAPTER_BYTES, onnxAdapterOf, writeOnnxAdapter } from "../../../src/runtime/swap/write-onnx-adapter.ts";
import { withWordsOverwritten } from "../damaged.ts";

const FOLDER = "fixtures/onnx-adapter";
const saved = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FOLDER}/${name}`));
const expected = JSON.parse(readFileSync(`${FOLDER}/expected.json`, "utf8")) as { readonly parameters: Readonly<Record<string, number[][]>> };
const floats = (name: string, shape: readonly number[]): FlatTensor =>
  ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5)) });
const SMALL: OnnxAdapter = { adapterVersion: 7, modelVersion: 2, parameters: [floats("q.hut_A", [2, 3]), floats("é.hut_B", [3, 4]), floats("none", [5, 0])] };
const file = (parameters: readonly FlatTensor[]): Uint8Array => new Uint8Array(writeOnnxAdapter({ ...SMALL, parameters }));

function refuses(bytes: Uint8Array, code: string, message: RegExp): void {
  assert.throws(() => parametersOf(readOnnxAdapter(bytes, "a"), "a"), (error) => {
    assert.ok(error instanceof HutError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

describe("an .onnx_adapter file", () => {
  it("is read as it was written", () => {
    assert.deepEqual(readOnnxAdapter(new Uint8Array(writeOnnxAdapter(SMALL)), "a"), SMALL);
  });

  it("is read as Olive writes it, and written with the same contents", () => {
    const read = readOnnxAdapter(saved("olive.onnx_adapter"), "a");
    const parameters = parametersOf(read, "a");
    const names = Object.keys(expected.parameters);
    assert.deepEqual([...parameters.keys()].sort(), names.sort());
    for (const name of names) assert.deepEqual([...parameters.get(name)?.data ?? []], expected.parameters[name]?.flat());
    const again = readOnnxAdapter(new Uint8Array(writeOnnxAdapter(onnxAdapterOf(parameters))), "a");
    assert.deepEqual(parametersOf(again, "a"), parameters);
  });

  it("is read as ONNX Runtime writes it, versions and half precision too", () => {
    const read = readOnnxAdapter(saved("half.onnx_adapter"), "a");
    assert.deepEqual([read.adapterVersion, read.modelVersion], [3, 2]);
    for (const [name, { data }] of parametersOf(read, "a")) {
      const wanted = expected.parameters[name]?.flat() ?? [];
      assert.ok(wanted.length > 0 && wanted.every((v, i) => Math.abs(v - (data[i] ?? NaN)) < 1e-3), name);
    }
  });

  for (const [what, bytes] of [["ours", file(SMALL.parameters)], ["Olive's", saved("olive.onnx_adapter")]] as const) {
    it(`cut short anywhere is refused, ${what}`, () => {
      for (let length = 0; length < bytes.length; length += 1) refuses(bytes.slice(0, length), "ONNX_ADAPTER_BROKEN", /^"a" is not a sound \.onnx_adapter file: .* (Fetch it again, or write it anew)/);
    });

    it(`with any of its words out of range is refused or read, and nothing else, ${what}`, () => {
      let refused = 0;
      for (const { at, damaged } of withWordsOverwritten(bytes)) {
        try {
          parametersOf(readOnnxAdapter(damaged, "a"), "a");
        } catch (error) {
          assert.ok(error instanceof HutError && /^(ONNX_ADAPTER_(BROKEN|UNREADABLE)|TENSOR_NOT_FINITE)$/.test(error.code), `word ${String(at)}: ${String(error)}`);
          refused += 1;
        }
      }
      assert.ok(refused > 150, String(refused));
    });
  }

  it("of another kind or version is refused", () => {
    refuses(new Uint8Array(readFileSync("fixtures/ort-training/checkpoint")), "ONNX_ADAPTER_BROKEN", /its identifier is "ODTC", not "TORT"/);
    const builder = new Builder(64);
    builder.startObject(FIELD_COUNTS.adapter);
    builder.addFieldInt32(FIELDS.adapter.formatVersion, 2, 0);
    builder.finish(builder.endObject(), IDENTIFIER);
    refuses(builder.asUint8Array(), "ONNX_ADAPTER_UNREADABLE", /because its format has version 2, and only 1 is known\.$/);
  });

  it("with a parameter twice, none, or one that is misshapen is refused", () => {
    refuses(file([]), "ONNX_ADAPTER_BROKEN", /it has no parameters/);
    refuses(file([floats("a", [1]), floats("a", [1])]), "ONNX_ADAPTER_BROKEN", /tensor "a" stands in it twice/);
    refuses(file([{ ...floats("a", [2]), shape: [3] }]), "ONNX_ADAPTER_BROKEN", /tensor "a" has 8 bytes, and its shape and type need 12/);
    refuses(file([{ ...floats("a", [2]), shape: [-2] }]), "ONNX_ADAPTER_BROKEN", /impossible shape/);
    refuses(file([{ ...floats("a", [2]), dataType: 99 }]), "ONNX_ADAPTER_BROKEN", /unknown type/);
    refuses(file([floats("", [1])]), "ONNX_ADAPTER_BROKEN", /has no name/);
  });

  it("with numbers that are no floats, or not finite, is refused", () => {
    refuses(file([{ ...floats("a", [2]), dataType: DataType.INT32 }]), "ONNX_ADAPTER_UNREADABLE", /because its "a" is int32, and an adapter's numbers are floats\.$/);
    refuses(file([{ ...floats("a", [2]), data: bytesOf(Float32Array.of(1, NaN)) }]), "TENSOR_NOT_FINITE", /"a" in "a" holds NaN at element 1/);
  });

  it("is not written larger than its format can address", () => {
    const large = { ...floats("a", [1]), data: { length: MAX_ADAPTER_BYTES + 1 } as Uint8Array };
    assert.throws(() => writeOnnxAdapter({ ...SMALL, parameters: [large] }), (error) => error instanceof HutError && error.code === "ONNX_ADAPTER_TOO_LARGE");
  });
});
