/** Commands on a disk that is full, or nearly: one sentence, what was there stays as it was, and nothing is left behind. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, artifacts, fold, HutError, predict, train } from "../../../src/index.ts";
import { LargeFile } from "../../../src/runtime/node/large-file.ts";

const BERT = "fixtures/cases/bert";
const MODEL = join(BERT, "model.ts.onnx");
const FILLER = "filler";

describe("a full disk", function () {
  this.timeout(60_000);
  let folder = "";
  let disk = "";
  const at = (...names: string[]): string => join(disk, ...names);

  before(function () {
    folder = mkdtempSync(join(tmpdir(), "hut-full-"));
    disk = join(folder, "disk");
    mkdirSync(disk);
    // A small disk of memory takes Linux, and somebody who may mount it.
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).status === 0) return;
    rmSync(folder, { recursive: true });
    folder = "";
    this.skip();
  });
  after(() => {
    if (folder === "") return;
    assert.equal(spawnSync("umount", [disk]).status, 0);
    rmSync(folder, { recursive: true });
  });
  afterEach(() => { for (const name of folder === "" ? [] : readdirSync(disk)) rmSync(at(name), { recursive: true }); });

  /** Fills the disk up to a number of bytes. */
  function leave(bytes: number): void {
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(at(FILLER), new Uint8Array(Math.max(0, bavail * bsize - bytes)));
  }
  const options = { train: join(BERT, "batch.jsonl"), batchSize: 2, threads: 1, maxSteps: 6 };
  const adapter = join(BERT, "adapter-trained");

  /** A command in the state before it, the bytes that are left, and what it writes. */
  const ROWS: readonly { readonly what: string; readonly older?: () => Promise<unknown>; readonly left: number; readonly run: () => Promise<unknown> }[] = [
    { what: "adapt elsewhere", older: () => adapt(MODEL, { output: at("a.onnx"), rank: 4 }), left: 100_000, run: () => adapt(MODEL, { output: at("a.onnx") }) },
    { what: "adapt with --save-adapter", left: 12_000, run: () => adapt(MODEL, { output: at("a.onnx"), saveAdapter: at("adapter") }) },
    { what: "fold to a file", older: () => fold(MODEL, { adapter: join(BERT, "adapter"), output: at("m.onnx") }), left: 100_000, run: () => fold(MODEL, { adapter, output: at("m.onnx") }) },
    { what: "fold to a folder", older: () => fold(MODEL, { adapter: join(BERT, "adapter"), output: at("model") }), left: 300_000, run: () => fold(MODEL, { adapter, output: at("model") }) },
    { what: "fold to a folder that isn't there", left: 300_000, run: () => fold(MODEL, { adapter, output: at("model") }) },
    { what: "artifacts", older: () => artifacts(MODEL, { output: at("artifacts"), rank: 4 }), left: 300_000, run: () => artifacts(MODEL, { output: at("artifacts"), format: ["step", "ort-training"] }) },
    { what: "predict", older: async () => { await Promise.resolve(); writeFileSync(at("p.jsonl"), "old\n"); }, left: 0, run: () => predict(MODEL, { data: join(BERT, "batch.jsonl"), output: at("p.jsonl") }) },
    { what: "train into a new folder", left: 0, run: () => train(MODEL, { ...options, output: at("run") }) },
  ];

  for (const { what, older, left, run } of ROWS) {
    it(`is told of once, and changes nothing: ${what}`, async () => {
      await older?.();
      leave(left);
      const before = snapshot(disk);
      await assert.rejects(run(), isFull);
      assert.deepEqual(snapshot(disk), before);
      rmSync(at(FILLER));
      await run();
    });
  }

  it("is told of by the thread that writes a large file, where others took what was free", async () => {
    const file = LargeFile.begin(at("large"), { bytes: 0 });
    await assert.rejects(file.write([{ bytes: new Uint8Array(5_000_000), position: 0 }], 5_000_000, {}), { code: "ENOSPC", syscall: "write" });
    await file.close();
  });

  it("in the middle of training leaves the last checkpoint and the older adapter, and --resume goes on once there is room", async () => {
    await train(MODEL, { ...options, output: join(folder, "whole"), maxSteps: 6 });
    await train(MODEL, { ...options, lr: 0.1, output: at("run") });
    const adapterBefore = snapshot(at("run", "adapter"));
    let filled = false;
    // Two steps make an epoch; the disk is full from the fourth on.
    await assert.rejects(train(MODEL, { ...options, output: at("run"), overwrite: true, onProgress: ({ done }) => {
      if (done === 3 && !filled) leave(8192);
      filled ||= done === 3;
    } }), isFull);
    assert.deepEqual(readdirSync(at("run")).sort(), ["adapter", "checkpoint-2", "metrics.jsonl", "run.json", "runs"]);
    assert.deepEqual(readdirSync(at("run", "checkpoint-2")).sort(), ["state.safetensors", "trainer_state.json"]);
    assert.deepEqual(snapshot(at("run", "adapter")), adapterBefore);
    await assert.rejects(train(MODEL, { output: at("run"), resume: true, threads: 1 }), isFull);
    rmSync(at(FILLER));
    await train(MODEL, { output: at("run"), resume: true, threads: 1 });
    assert.ok(readFileSync(at("run", "adapter", "adapter_model.safetensors")).equals(readFileSync(join(folder, "whole", "adapter", "adapter_model.safetensors"))));
    assert.equal(readFileSync(at("run", "metrics.jsonl"), "utf8"), readFileSync(join(folder, "whole", "metrics.jsonl"), "utf8"));
  });
});

/** The one error, which says that the disk is full, or what is free and what is needed. */
function isFull(error: unknown): boolean {
  assert.ok(error instanceof HutError, String(error));
  assert.match(error.message, /can't be written: (the disk is full|it takes .* and the disk (is full|has .* left))/);
  assert.ok(["OUTPUT_UNWRITABLE", "DISK_FULL"].includes(error.code), error.code);
  return true;
}

/** Every entry below a folder, files with size, time and bytes. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const stats = statSync(join(folder, name));
    return stats.isFile() ? `${name} ${String(stats.size)} ${String(stats.mtimeMs)} ${name === FILLER ? "" : readFileSync(join(folder, name)).toString("base64")}` : `${name}/`;
  });
}
