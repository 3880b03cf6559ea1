import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Builder } from "flatbuffers";
import { HutError } from "../../../src/errors/hut-error.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import { FIELD_COUNTS, FIELDS, IDENTIFIER, VERSION, type CheckpointTensor } from "../../../src/runtime/checkpoint/checkpoint.ts";
import { readCheckpoint } from "../../../src/runtime/checkpoint/read-checkpoint.ts";
import { MAX_CHECKPOINT_BYTES, writeCheckpoint } from "../../../src/runtime/checkpoint/write-checkpoint.ts";

const floats = (name: string, shape: readonly number[]): CheckpointTensor =>
  ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5)) });
const SMALL = { trainable: [floats("a.hut_A", [2, 3]), floats("é", [4])], frozen: [floats("scalar", [])] };
const small = (): Uint8Array => new Uint8Array(writeCheckpoint(SMALL, 0.01));
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
    assert.deepEqual(readCheckpoint(small(), "c"), SMALL);
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
      for (let at = 0; at + 4 <= bytes.length; at += 2) {
        for (const word of [0xffffffff, 0x7fffffff, 0x80000000, bytes.length, 0]) {
          const damaged = bytes.slice();
          new DataView(damaged.buffer).setUint32(at, word, true);
          try {
            readCheckpoint(damaged, "c");
          } catch (error) {
            assert.ok(error instanceof HutError && /^ORT_CHECKPOINT_(BROKEN|UNREADABLE)$/.test(error.code), `word ${String(at)}: ${String(error)}`);
            refused += 1;
          }
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
    refuses(marked(VERSION, { external: true }), "ORT_CHECKPOINT_UNREADABLE", /in a second file/);
    refuses(marked(VERSION, { state: false }), "ORT_CHECKPOINT_BROKEN", /no module state/);
  });

  it("with a tensor twice, or one whose bytes don't fit its shape, is refused", () => {
    const file = (trainable: readonly CheckpointTensor[]): Uint8Array => new Uint8Array(writeCheckpoint({ trainable, frozen: [] }, 1));
    refuses(file([floats("a", [1]), floats("a", [1])]), "ORT_CHECKPOINT_BROKEN", /tensor "a" stands in it twice/);
    refuses(file([{ ...floats("a", [2]), shape: [3] }]), "ORT_CHECKPOINT_BROKEN", /tensor "a" has 8 bytes, and its shape and type need 12/);
    refuses(file([{ ...floats("a", [2]), shape: [-2] }]), "ORT_CHECKPOINT_BROKEN", /impossible shape/);
    refuses(file([{ ...floats("a", [2]), shape: [2 ** 40, 2 ** 40] }]), "ORT_CHECKPOINT_BROKEN", /impossible shape/);
    refuses(file([{ ...floats("a", [2]), dataType: 99 }]), "ORT_CHECKPOINT_BROKEN", /unknown type/);
    refuses(file([floats("", [1])]), "ORT_CHECKPOINT_BROKEN", /has no name/);
    refuses(file([floats("n".repeat(5000), [1])]), "ORT_CHECKPOINT_BROKEN", /has 5000 bytes, over the limit of 4096/);
    refuses(file([floats("a", Array.from({ length: 65 }, () => 1))]), "ORT_CHECKPOINT_BROKEN", /has 65 entries, over the limit of 64/);
  });

  it("is not written larger than its format can address", () => {
    const large = { name: "a", shape: [1], dataType: DataType.FLOAT, data: { length: MAX_CHECKPOINT_BYTES + 1 } as Uint8Array };
    assert.throws(() => writeCheckpoint({ trainable: [], frozen: [large] }, 1), (error) => error instanceof HutError && error.code === "ORT_CHECKPOINT_TOO_LARGE");
  });
});
