/** A few thousand inputs that are made to break every reader; `npm run fuzz` reads a million and watches time and memory too. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HutError } from "../../src/errors/hut-error.ts";
import { inputOf, isPolluted, judge, Scratch } from "./judge.ts";
import type { Reader } from "./reader.ts";
import { readersOf } from "./readers.ts";
import { makeSeeds } from "./seeds.ts";

const SEED = 2026;
/** Inputs of all readers together. */
const INPUTS = 2000;

describe("readers of hostile files", function () {
  this.timeout(240_000);
  let folder = "";
  let readers: readonly Reader[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-fuzz-"));
    readers = readersOf(await makeSeeds());
  });
  after(() => { rmSync(folder, { recursive: true, force: true }); });

  it("read every seed that is sound", async () => {
    for (const name of ["model", "model-in-memory", "swappable", "safetensors", "adapter-folder", "tokenizer", "config", "manifest", "theta", "checkpoint", "onnx-adapter", "run-folder", "data-tsv", "data-csv", "data-jsonl"]) {
      const reader = readers.find((r) => r.name === name);
      const seed = reader?.seeds[name === "checkpoint" ? reader.seeds.length - 1 : 0];
      assert.ok(reader !== undefined && seed !== undefined, name);
      const scratch = new Scratch(join(folder, "sound", name));
      scratch.place(seed, true);
      assert.deepEqual(await judge(reader, scratch.folder), { kind: "accepted" }, name);
    }
  });

  it("refuse what is broken with an error of our own, and change no prototype", async () => {
    const weight = readers.reduce((sum, r) => sum + r.weight, 0);
    for (const reader of readers) {
      const scratch = new Scratch(join(folder, reader.name));
      for (let index = 0; index < (INPUTS * reader.weight) / weight; index++) {
        scratch.place(inputOf(reader, SEED, index), reader.writes === true);
        const verdict = await judge(reader, scratch.folder);
        assert.ok(verdict.kind !== "finding", `npx tsx scripts/fuzz.ts --seed ${String(SEED)} --reader ${reader.name} --from ${String(index)} --count 1: ${verdict.kind === "finding" ? verdict.what : ""}`);
      }
      assert.ok(!isPolluted(), `a prototype was changed by an input of ${reader.name}`);
    }
  });

  it("make the same input of the same number", () => {
    for (const reader of readers) assert.deepEqual(inputOf(reader, SEED, 7), inputOf(reader, SEED, 7), reader.name);
  });
});

describe("the judge of readers", () => {
  const reading = (read: () => void): Reader => ({ name: "a reader", weight: 1, seeds: [], read });

  it("sees an error that isn't ours", async () => {
    const verdict = await judge(reading(() => { throw new RangeError("Maximum call stack size exceeded"); }), "");
    assert.equal(verdict.kind, "finding");
  });

  it("sees a message that repeats a control character", async () => {
    const error = new HutError("SOME_CODE", {}, "a message");
    error.message = "a \u001b[31mred message";
    assert.equal((await judge(reading(() => { throw error; }), "")).kind, "finding");
  });

  it("sees a changed prototype", () => {
    Object.defineProperty(Object.prototype, "polluted", { value: true, configurable: true });
    try {
      assert.ok(isPolluted());
    } finally {
      delete (Object.prototype as { polluted?: boolean }).polluted;
    }
  });
});
