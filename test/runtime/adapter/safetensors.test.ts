import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { memorySource, readBytes, type Source } from "../../../src/ir/source.ts";
import { fromFloat32, MAX_HEADER_BYTES, readSafetensors, toFloat32, writeSafetensors, type SafeTensor } from "../../../src/runtime/adapter/safetensors.ts";

const fixture = "fixtures/cases/bert/adapter/adapter_model.safetensors";

/** A file of this header (text, or an object) and so many data bytes. */
function file(header: unknown, dataBytes = 0): Source {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return memorySource("x.safetensors", bytes);
}
const entry = (shape: unknown, begin: number, end: number, dtype = "F32"): object => ({ dtype, shape, data_offsets: [begin, end] });
const joined = (tensors: Map<string, SafeTensor>, metadata: Record<string, string>): Buffer =>
  Buffer.concat(writeSafetensors(tensors, metadata).map(readBytes));

describe("readSafetensors", () => {
  it("reads a file of PEFT's, and writes the same bytes again", () => {
    const bytes = readFileSync(fixture);
    const tensors = readSafetensors(memorySource(fixture, bytes));
    assert.equal(tensors.size, 10);
    const a = tensors.get("base_model.model.bert.encoder.layer.0.attention.self.query.hira_A");
    assert.deepEqual(a?.shape, [4, 64]);
    assert.ok(joined(new Map([...tensors].reverse()), { format: "pt" }).equals(bytes));
  });

  it("reads no data before it is asked for", () => {
    const source = file({ a: entry([1000], 0, 4000) }, 4000);
    let read = 0;
    const tensors = readSafetensors({ ...source, read: (offset, length) => ((read += length), source.read(offset, length)) });
    assert.ok(read < 100);
    assert.equal(readBytes(tensors.get("a")?.data ?? new Uint8Array(0)).length, 4000);
  });

  it("takes names as names", () => {
    const header = `{"__proto__":${JSON.stringify(entry([], 0, 4))},"constructor":${JSON.stringify(entry([0, 9], 4, 4, "U8"))}}`;
    const tensors = readSafetensors(file(header, 4));
    assert.deepEqual([...tensors.keys()], ["__proto__", "constructor"]);
    assert.equal(Object.hasOwn(Object.prototype, "dtype"), false);
  });

  it("knows every dtype by its size, and half bytes", () => {
    assert.equal(readSafetensors(file({ a: entry([4], 0, 2, "F4"), b: entry([4], 2, 5, "F6_E2M3"), c: entry([2], 5, 13, "U32") }, 13)).size, 3);
    assert.throws(() => readSafetensors(file({ a: entry([3], 0, 2, "F4") }, 2)), { code: "SAFETENSORS_BROKEN" });
  });

  const broken: [what: string, source: Source, message: RegExp][] = [
    ["no header length", memorySource("x", new Uint8Array(7)), /has 7 bytes/],
    ["a header past the end", memorySource("x", Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0x7b)), /more than the file has/],
    ["a header over the limit", memorySource("x", Uint8Array.of(1, 225, 245, 5, 0, 0, 0, 0, 0x7b)),
      new RegExp(`over the limit of ${String(MAX_HEADER_BYTES)}`)],
    ["a length of 2^64 - 1", memorySource("x", new Uint8Array(8).fill(255)), /over the limit/],
    ["a header that is no UTF-8", memorySource("x", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 255)), /not UTF-8/],
    ["a header that is a list", file([]), /not a JSON object/],
    ["broken JSON", file("{\"a\":"), /broken JSON/],
    ["a name twice", file("{\"a\":1,\"a\":2}"), /key "a" stands twice/],
    ["deep nesting", file(`{"a":${"[".repeat(50)}`), /nests deeper than 4/],
    ["an entry of another kind", file({ a: 1 }), /is not \{dtype, shape, data_offsets\}/],
    ["an unknown key in an entry", file({ a: { ...entry([1], 0, 4), x: 1 } }, 4), /is not \{dtype/],
    ["an unknown dtype", file({ a: entry([1], 0, 4, "F128") }, 4), /unknown dtype/],
    ["a negative size", file({ a: entry([-1], 0, 4) }, 4), /is not \{dtype/],
    ["a size that is no whole number", file({ a: entry([0.5], 0, 2) }, 2), /is not \{dtype/],
    ["a product that overflows", file({ a: entry([2 ** 40, 2 ** 40], 0, 4) }, 4), /impossible size/],
    ["offsets that don't fit the shape", file({ a: entry([2], 0, 4) }, 4), /has 4 bytes, and its shape and dtype need 8/],
    ["offsets upside down", file({ a: entry([1], 4, 0) }, 4), /has -4 bytes/],
    ["data past the end", file({ a: entry([2], 0, 8) }, 4), /ends at byte 8 of the data, which has 4/],
    ["a hole", file({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12), /a hole/],
    ["an overlap", file({ a: entry([2], 0, 8), b: entry([1], 4, 8) }, 8), /an overlap/],
    ["two tensors of one place", file({ a: entry([1], 0, 4), b: entry([1], 0, 4) }, 4), /an overlap/],
    ["data that belong to nobody", file({ a: entry([1], 0, 4) }, 5), /1 bytes of data belong to no tensor/],
    ["metadata that are no texts", file({ __metadata__: { n: 1 } }), /not a map of texts/],
    ["too many dimensions", file({ a: entry(Array.from({ length: 65 }, () => 1), 0, 4) }, 4), /impossible size/],
  ];
  for (const [what, source, message] of broken) {
    it(`refuses ${what}`, () => {
      assert.throws(() => readSafetensors(source),
        (error: Error & { code?: string }) => /^(SAFETENSORS|JSON)_BROKEN$/.test(error.code ?? "") && message.test(error.message));
    });
  }
});

describe("writeSafetensors", () => {
  it("writes what Python's library writes: widest dtype first, then by name", () => {
    const tensors = new Map<string, SafeTensor>([
      ["z", { dtype: "F16", shape: [1], data: Uint8Array.of(1, 2) }],
      ["é\"", fromFloat32([2], Float32Array.of(1, -2))],
      ["a", fromFloat32([], Float32Array.of(3))],
      ["i", { dtype: "I64", shape: [1], data: new Uint8Array(8) }],
    ]);
    const bytes = joined(tensors, { format: "pt" });
    const headerBytes = Number(bytes.readBigUInt64LE(0));
    // From Python: safetensors.torch.save of the same tensors.
    assert.equal(bytes.subarray(8, 8 + headerBytes).toString().trimEnd(),
      "{\"__metadata__\":{\"format\":\"pt\"},\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},"
      + "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]},"
      + "\"é\\\"\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]},\"z\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[20,22]}}");
    assert.equal(headerBytes % 8, 0);
    assert.equal(readSafetensors(memorySource("x", bytes)).size, 4);
  });

  it("refuses a tensor whose bytes don't fit", () => {
    const write = (tensor: SafeTensor, name = "a") => (): unknown => writeSafetensors(new Map([[name, tensor]]), {});
    assert.throws(write({ dtype: "F32", shape: [2], data: new Uint8Array(4) }), { code: "TENSOR_UNWRITABLE" });
    assert.throws(write({ dtype: "X", shape: [], data: new Uint8Array(4) }), { code: "TENSOR_UNWRITABLE" });
    assert.throws(write(fromFloat32([], Float32Array.of(1)), "__metadata__"), { code: "TENSOR_UNWRITABLE" });
  });
});

describe("toFloat32", () => {
  it("reads all float types, wherever the bytes lie", () => {
    const at = (hex: string): Uint8Array => new Uint8Array([0, ...Buffer.from(hex, "hex")]).subarray(1);
    const values = (dtype: string, hex: string): number[] => [...toFloat32({ dtype, shape: [2], data: at(hex) }, "f", "t")];
    assert.deepEqual(values("F32", "0000803f000000c0"), [1, -2]);
    assert.deepEqual(values("F16", "003c00c0"), [1, -2]);
    assert.deepEqual(values("BF16", "803f00c0"), [1, -2]);
    assert.deepEqual(values("F64", "000000000000f03f9a9999999999b93f"), [1, Math.fround(0.1)]);
    assert.throws(() => values("I32", "0000000000000000"), { code: "TENSOR_NOT_FLOAT", message: /has type "I32"/ });
  });
});
