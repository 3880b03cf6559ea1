import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Builder } from "flatbuffers";
import { HutError } from "../../../src/errors/hut-error.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { ByteRange, memorySource, readBytes, type Source } from "../../../src/ir/source.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import { FIELD_COUNTS, FIELDS, IDENTIFIER, VERSION, type CheckpointTensor } from "../../../src/runtime/checkpoint/checkpoint.ts";
import { readCheckpoint } from "../../../src/runtime/checkpoint/read-checkpoint.ts";
import { writeCheckpoint } from "../../../src/runtime/checkpoint/write-checkpoint.ts";
import { withWordsOverwritten } from "../damaged.ts";

const floats = (name: string, shape: readonly number[]): CheckpointTensor =>
  ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5)) });
const SMALL = { trainable: [floats("a.hut_A", [2, 3]), floats("é", [4])], frozen: [floats("scalar", [])] };
const small = (): Uint8Array => new Uint8Array(writeCheckpoint(SMALL, 0.01).file);
const saved = (name: string): Uint8Array => new Uint8Array(readFileSync(`fixtures/ort-training/${name}`));

function refuses(bytes: Uint8Array, code: string, message: RegExp): void {
  assert.throws(() => readCheckpoint(bytes, "c"), (error) => {
    assert.ok(error instanceof HutError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

/** A checkpoint of no tensors with a version and marks of one's own. */
function marked(version: number, marks: { readonly nominal?: boolean; readonly external?: boolean; readonly state?: boolean }): Uint8Array {
  const builder = new Builder(64);
  builder.startObject(FIELD_COUNTS.moduleState);
  builder.addFieldInt8(FIELDS.moduleState.isNominalState, Number(marks.nominal ?? false), 0);
  builder.addFieldInt8(FIELDS.moduleState.hasExternalData, Number(marks.external ?? false), 0);
  const state = builder.endObject();
  builder.startObject(FIELD_COUNTS.checkpoint);
  builder.addFieldInt32(FIELDS.checkpoint.version, version, 0);
  if (marks.state !== false) builder.addFieldOffset(FIELDS.checkpoint.moduleState, state, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return builder.asUint8Array();
}

describe("a checkpoint of ONNX Runtime's training API", () => {
  it("is read as it was written", () => {
    assert.deepEqual(readCheckpoint(small(), "c"), { ...SMALL, optimizer: undefined });
  });

  it("is read as the official runtime saves it, with moments and without", () => {
    const [plain, more] = [readCheckpoint(saved("checkpoint"), "c"), readCheckpoint(saved("checkpoint-with-moments"), "c")];
    const sorted = (list: readonly CheckpointTensor[]): CheckpointTensor[] => [...list].sort((a, b) => a.name.localeCompare(b.name));
    assert.equal(plain.trainable.length, 10);
    assert.deepEqual(sorted(plain.trainable), sorted(more.trainable));
    assert.ok(plain.trainable.some((t) => t.name === "classifier.weight" && t.shape.join() === "2,64"));
  });

  for (const [what, bytes] of [["ours", small()], ["the official runtime's", saved("checkpoint")]] as const) {
    it(`cut short anywhere is refused, ${what}`, () => {
      for (let length = 0; length < bytes.length; length += 1) refuses(bytes.slice(0, length), "ORT_CHECKPOINT_BROKEN", /^"c" is not a sound checkpoint of ONNX Runtime's training API: .* (Fetch it again, or save it anew)\.$/);
    });

    it(`with any of its words out of range is refused or read, and nothing else, ${what}`, () => {
      let refused = 0;
      for (const { at, damaged } of withWordsOverwritten(bytes)) {
        try {
          readCheckpoint(damaged, "c");
        } catch (error) {
          assert.ok(error instanceof HutError && /^ORT_CHECKPOINT_(BROKEN|UNREADABLE)$/.test(error.code), `word ${String(at)}: ${String(error)}`);
          refused += 1;
        }
      }
      assert.ok(refused > 300, String(refused));
    });
  }

  it("of another kind is refused by its identifier", () => {
    const other = small();
    other.set(new TextEncoder().encode("ORTM"), 4);
    refuses(other, "ORT_CHECKPOINT_BROKEN", /its identifier is "ORTM", not "ODTC"/);
    refuses(new Uint8Array(readFileSync("fixtures/cases/bert/model.ts.onnx")), "ORT_CHECKPOINT_BROKEN", /is not a sound checkpoint/);
    refuses(new Uint8Array(), "ORT_CHECKPOINT_BROKEN", /its head at byte 0 ends beyond its 0 bytes/);
  });

  it("whose root lies beyond its end is refused", () => {
    const damaged = small();
    new DataView(damaged.buffer).setUint32(0, 1_000_000, true);
    refuses(damaged, "ORT_CHECKPOINT_BROKEN", /the checkpoint at byte 1000000 ends beyond its \d+ bytes/);
  });

  it("of another version, without numbers, or with numbers elsewhere is refused", () => {
    refuses(marked(1, {}), "ORT_CHECKPOINT_UNREADABLE", /because its format has version 1, and only 2 is known\.$/);
    refuses(marked(VERSION, { nominal: true }), "ORT_CHECKPOINT_UNREADABLE", /nominal/);
    refuses(marked(VERSION, { external: true }), "ORT_CHECKPOINT_UNREADABLE", /because its numbers are in "c\.data", which is not there\.$/);
    refuses(marked(VERSION, { state: false }), "ORT_CHECKPOINT_BROKEN", /no module state/);
  });

  it("with a tensor twice, or one whose bytes don't fit its shape, is refused", () => {
    const file = (trainable: readonly CheckpointTensor[]): Uint8Array => new Uint8Array(writeCheckpoint({ trainable, frozen: [] }, 1).file);
    refuses(file([floats("a", [1]), floats("a", [1])]), "ORT_CHECKPOINT_BROKEN", /tensor "a" stands in it twice/);
    refuses(file([{ ...floats("a", [2]), shape: [3] }]), "ORT_CHECKPOINT_BROKEN", /tensor "a" has 8 bytes, and its shape and type need 12/);
    refuses(file([{ ...floats("a", [2]), shape: [-2] }]), "ORT_CHECKPOINT_BROKEN", /impossible shape/);
    refuses(file([{ ...floats("a", [2]), shape: [2 ** 40, 2 ** 40] }]), "ORT_CHECKPOINT_BROKEN", /impossible shape/);
    refuses(file([{ ...floats("a", [2]), dataType: 99 }]), "ORT_CHECKPOINT_BROKEN", /unknown type/);
    refuses(file([floats("", [1])]), "ORT_CHECKPOINT_BROKEN", /has no name/);
    refuses(file([floats("n".repeat(5000), [1])]), "ORT_CHECKPOINT_BROKEN", /has 5000 bytes, over the limit of 4096/);
    refuses(file([floats("a", Array.from({ length: 65 }, () => 1))]), "ORT_CHECKPOINT_BROKEN", /has 65 entries, over the limit of 64/);
  });

  it("keeps its numbers in a second file where they are many, as the official runtime does", () => {
    const long = { trainable: [floats("long", [16]), floats("short", [15])], frozen: [floats("frozen", [4, 8])] };
    const { file, external } = writeCheckpoint(long, 0.01, 100);
    const data = Buffer.concat((external ?? []).map(readBytes));
    assert.deepEqual([data.length, external?.length], [64 + 128, 2]);
    const read = readCheckpoint(new Uint8Array(file), "c", memorySource("c.data", data));
    const values = (list: readonly CheckpointTensor[]): unknown => list.map((t) => ({ ...t, data: Buffer.from(readBytes(t.data)) }));
    assert.deepEqual([values(read.trainable), values(read.frozen)], [values(long.trainable), values(long.frozen)]);
    refuses(new Uint8Array(file), "ORT_CHECKPOINT_UNREADABLE", /its numbers are in "c\.data", which is not there/);
    assert.throws(() => readCheckpoint(new Uint8Array(file), "c", memorySource("c.data", data.subarray(1))), { code: "ORT_CHECKPOINT_BROKEN", message: /tensor "frozen" ends beyond the 191 bytes of "c\.data"/ });
    assert.equal(writeCheckpoint(long, 0.01).external, undefined);
  });

  it("with external data is read as the official runtime wrote it", () => {
    // The head of a checkpoint whose second file has 1.9 GB: two tensors of [240, 1000, 1000], one of [4, 16] before them, and [8] in the file itself.
    const size = 256 + 2 * 240_000_000 * 4;
    const source: Source = { name: "checkpoint-external.data", size, read: (_, length) => new Uint8Array(length) };
    const { trainable, frozen } = readCheckpoint(saved("checkpoint-external"), "c", source);
    const places = [...trainable, ...frozen].map(({ name, shape, data }) => [name, shape.join(), data instanceof ByteRange ? data.offset : "inside"]);
    assert.deepEqual(places.sort(), [["a", "8", "inside"], ["b1", "240,1000,1000", 256], ["b2", "240,1000,1000", 960_000_256], ["m", "4,16", 0]]);
  });

  it("tells the optimizer's state as the official runtime saved it", () => {
    const { optimizer, trainable } = readCheckpoint(saved("checkpoint-with-moments"), "c");
    assert.equal(optimizer?.step, 5);
    assert.deepEqual([...optimizer.moments.keys()].sort(), trainable.map((t) => t.name).sort());
    for (const { name, shape } of trainable) {
      assert.deepEqual([...optimizer.moments.get(name) ?? []].map(([moment, t]) => [moment, t.shape]).sort(), [["momentum0", shape], ["momentum1", shape]], name);
    }
    assert.equal(readCheckpoint(saved("checkpoint"), "c").optimizer, undefined);
  });
});
