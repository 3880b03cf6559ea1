import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { artifacts, evaluate, fold, HutError, verify } from "../../../src/index.ts";
import { DataType } from "../../../src/ir/data-type.ts";
import { bytesOf } from "../../../src/ir/tensor.ts";
import type { CheckpointTensor } from "../../../src/runtime/checkpoint/checkpoint.ts";
import { readCheckpoint } from "../../../src/runtime/checkpoint/read-checkpoint.ts";
import { writeCheckpoint } from "../../../src/runtime/checkpoint/write-checkpoint.ts";

const BERT = "fixtures/cases/bert";
const SAVED = "fixtures/ort-training/checkpoint";

describe("a checkpoint that doesn't fit", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-checkpoint-"));
    copyFileSync(join(BERT, "model.ts.onnx"), at("model.onnx"));
  });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  /** The saved checkpoint, changed. */
  const changed = (change: (tensors: readonly CheckpointTensor[]) => readonly CheckpointTensor[]): string => {
    const { trainable } = readCheckpoint(new Uint8Array(readFileSync(SAVED)), SAVED);
    writeFileSync(at("changed"), writeCheckpoint({ trainable: change(trainable), frozen: [] }, 1).file);
    return at("changed");
  };
  const refuses = async (checkpoint: string, code: string, message: RegExp, folderOf: string | null = join(BERT, "adapter")): Promise<void> => {
    const adapter = folderOf ?? undefined;
    const refused = (error: unknown): boolean => {
      assert.ok(error instanceof HutError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    };
    const before = readdirSync(folder);
    await assert.rejects(fold(at("model.onnx"), { checkpoint, adapter, output: at("merged.onnx") }), refused);
    await assert.rejects(evaluate(at("model.onnx"), { checkpoint, adapter, data: join(BERT, "batch.jsonl") }), refused);
    assert.deepEqual(readdirSync(folder), before, "nothing was written");
  };

  it("is of another model", async () => {
    await refuses(SAVED, "ORT_CHECKPOINT_OF_OTHER_MODEL", /it trains "bert\.[^,]*", .* which the adapter "[^"]*other" doesn't/, await otherAdapter());
    await refuses(changed((all) => all.map((t) => ({ ...t, name: `model.${t.name}` }))), "ORT_CHECKPOINT_OF_OTHER_MODEL", /it trains "model\.[^,]*", .* and 7 more, which the adapter/);
  });

  /** An adapter of one module less. */
  async function otherAdapter(): Promise<string> {
    await artifacts(at("model.onnx"), { format: ["ort-training"], targetModules: ["q"], rank: 4, output: folder });
    cpSync(at("adapter"), at("other"), { recursive: true });
    rmSync(at("adapter"), { recursive: true });
    return at("other");
  }

  it("lacks a tensor", async () => {
    await refuses(changed((all) => all.filter((t) => t.name !== "classifier.bias")), "ORT_CHECKPOINT_TENSOR_MISSING", /has no "classifier\.bias" among what it trains\./);
  });

  it("has a tensor of another shape or type, or one that is no number", async () => {
    const withBias = (bias: Partial<CheckpointTensor>): string => changed((all) => all.map((t) => (t.name === "classifier.bias" ? { ...t, ...bias } : t)));
    await refuses(withBias({ shape: [1, 2] }), "ORT_CHECKPOINT_SHAPE_MISMATCH", /"classifier\.bias" is \[1, 2\], and this model with this adapter has \[2\]\./);
    await refuses(withBias({ dataType: DataType.INT32 }), "ORT_CHECKPOINT_UNREADABLE", /its "classifier\.bias" is int32, and trained numbers are float\.$/);
    await refuses(withBias({ data: bytesOf(Float32Array.of(1, NaN)) }), "TENSOR_NOT_FINITE", /"classifier\.bias" .* holds NaN at element 1/);
  });

  it("is no checkpoint, or isn't there", async () => {
    await refuses(at("model.onnx"), "THETA_LENGTH_WRONG", /is no checkpoint of ONNX Runtime's training API, and no theta either/);
    await refuses(at("nothing"), "FILE_MISSING", /nothing/);
  });

  it("stands alone: nothing tells what its parameters are", async () => {
    copyFileSync(SAVED, at("checkpoint"));
    await refuses(at("checkpoint"), "ORT_CHECKPOINT_ALONE", /or name the adapter with --adapter\.$/, null);
  });

  it("and no adapter either is a usage error", async () => {
    for (const verb of [fold(at("model.onnx"), { output: at("merged.onnx") }), verify(at("model.onnx"), { merged: at("model.onnx") })]) {
      await assert.rejects(verb, (error) => error instanceof HutError && error.code === "FLAG_NOT_GIVEN" && error.exitCode === 2 && error.message.includes("--checkpoint <file>"));
    }
  });
});
