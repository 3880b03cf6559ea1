/** Files that appear together, and large ones: streamed, or copied and written over. */
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HutError } from "../../../src/errors/hut-error.ts";
import { ByteRange, ComputedBytes, memorySource, type Bytes } from "../../../src/ir/source.ts";
import { openFileSource } from "../../../src/runtime/node/file-source.ts";
import { freeBytes } from "../../../src/runtime/node/free-space.ts";
import { Outputs } from "../../../src/runtime/node/outputs.ts";
import { SMALL_BYTES, twinOf } from "../../../src/runtime/node/write-chunks.ts";
import { adapt } from "../../../src/runtime/node/verbs/adapt.ts";
import { inspect } from "../../../src/runtime/node/verbs/inspect.ts";
import { Random } from "../../../src/runtime/random.ts";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const broken = new ByteRange({ name: "broken", size: 10, read() { throw new Error("no more"); } }, 0, 10);
/** So much that a thread writes it, and no whole number of pieces. */
const LONG = SMALL_BYTES + 3 * 1024 * 1024 + 17;
const random = new Random(1);
/** A length that no piece has: the same bytes never come at the same place of two pieces. */
const drawn = Uint8Array.from({ length: 999_983 }, () => random.below(256));
const long = Uint8Array.from({ length: LONG }, (_, i) => drawn[i % drawn.length] ?? 0);

describe("what one command writes", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-outputs-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);
  const seen = (): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

  it("appears all at once, in new folders too", async () => {
    writeFileSync(at("b"), "old");
    await using outputs = new Outputs();
    outputs.folder(at("new/deep"));
    outputs.write(at("new/deep/a"), [text("a")]);
    await outputs.writeLarge(at("b"), [text("new "), new ByteRange(memorySource("memory", text("..b..")), 2, 1)], {});
    assert.equal(readFileSync(at("b"), "utf8"), "old");
    outputs.commit();
    assert.deepEqual(seen(), ["b", "new", "new/deep", "new/deep/a"]);
    assert.deepEqual([readFileSync(at("b"), "utf8"), readFileSync(at("new/deep/a"), "utf8")], ["new b", "a"]);
  });

  it("leaves everything as it was when the last of it fails, folders too", async () => {
    mkdirSync(at("mine"));
    writeFileSync(at("a"), "old");
    await assert.rejects(async () => {
      await using outputs = new Outputs();
      outputs.folder(at("mine/new/deep"));
      outputs.write(at("a"), [text("new")]);
      outputs.write(at("mine/new/deep/b"), [text("b")]);
      outputs.remove(at("a"));
      await outputs.writeLarge(at("c"), [text("c"), broken], {});
    }, /^Error: no more$/);
    assert.deepEqual(seen(), ["a", "mine"]);
    assert.equal(readFileSync(at("a"), "utf8"), "old");
  });

  it("removes what the others replace only with them", () => {
    writeFileSync(at("old"), "");
    using outputs = new Outputs();
    outputs.remove(at("old"));
    outputs.remove(at("never there"));
    assert.deepEqual(seen(), ["old"]);
    outputs.commit();
    assert.deepEqual(seen(), []);
  });

  it("says how many bytes are wanted and free before it writes what has no room", async () => {
    const free = freeBytes(folder);
    if (free === undefined) return;
    // A range that nobody reads: that much would not be there.
    const huge = new ByteRange({ name: "huge", size: Number.MAX_SAFE_INTEGER, read: () => assert.fail("read") }, 0, free + 2 ** 40);
    await using outputs = new Outputs();
    const refused = (error: unknown): boolean => error instanceof HutError && error.code === "DISK_FULL" && error.details["bytes"] === huge.length && /can't be written: it takes [\d.]+ GB \([\d,]+ bytes\), and the disk has /.test(error.message);
    assert.throws(() => outputs.write(at("a"), [huge]), refused);
    await assert.rejects(outputs.writeLarge(at("b"), [huge], {}), refused);
    outputs[Symbol.dispose]();
    assert.deepEqual(seen(), []);
  });

  /** Chunks of a file like `base`, in which two weights are computed. */
  function likeBase(source: ReturnType<typeof openFileSource>, head: Uint8Array): { chunks: Bytes[]; expected: Buffer } {
    const [first, second] = [text("FIRST"), new Uint8Array(200_000).fill(9)];
    const computed = (bytes: Uint8Array): ComputedBytes => new ComputedBytes("w", bytes.length, (room) => {
      if (room === undefined) return Promise.resolve(bytes);
      room.set(bytes);
      return Promise.resolve(room);
    });
    const [a, b] = [1_000_000, 2_000_000];
    const chunks = [head, new ByteRange(source, 100, a - 100), computed(first), new ByteRange(source, a + 5, b - a - 5), computed(second), new ByteRange(source, b + 200_000, LONG - b - 200_000), text("tail")];
    const expected = Buffer.concat([head, long.subarray(100, a), first, long.subarray(a + 5, b), second, long.subarray(b + 200_000), text("tail")]);
    return { chunks, expected };
  }

  for (const [name, head, isCopy] of [["a copy, where bytes stand as they stood", new Uint8Array(100), true], ["streamed, where they moved", new Uint8Array(101), false]] as const) {
    it(`is ${name}, and in both it is the same bytes`, async () => {
      writeFileSync(at("base"), long);
      chmodSync(at("base"), 0o444);
      using source = openFileSource(at("base"));
      const { chunks, expected } = likeBase(source, head);
      assert.equal(twinOf(chunks), isCopy ? source : undefined);
      const overlapping = [{ offset: 3_000_000, length: 2_000_000 }, { offset: 50, length: 999_000 }, { offset: 4_000_000, length: 5_000_000 }, { offset: LONG, length: 0 }, { offset: 999_050, length: 7 }];
      for (const begin of [undefined, {}, { spans: overlapping }, { spans: [] }, { spans: overlapping, ahead: 50 }, { ahead: 200 }]) {
        await using outputs = new Outputs();
        if (begin !== undefined) outputs.beginCopy(at("out"), source, begin);
        // So long the thread copies what it guesses to be wanted.
        await new Promise((resolve) => { setTimeout(resolve, begin?.ahead ?? 0); });
        const told: number[] = [];
        assert.equal(await outputs.writeLarge(at("out"), chunks, { onBytes: (done, total) => { assert.equal(total, expected.length); told.push(done); } }), expected.length);
        assert.equal(told.at(-1), expected.length);
        outputs.commit();
        assert.ok(readFileSync(at("out")).equals(expected));
        assert.deepEqual(seen(), ["base", "out"]);
        assert.ok((statSync(at("out")).mode & 0o200) !== 0, "the copy can be written again");
        rmSync(at("out"));
      }
      assert.ok(readFileSync(at("base")).equals(long));
    });
  }

  it("is told of once where a file that is copied ends early, and nothing of it stays", async () => {
    writeFileSync(at("base"), long);
    using source = openFileSource(at("base"));
    truncateSync(at("base"), LONG - 5);
    await assert.rejects(async () => {
      await using outputs = new Outputs();
      await outputs.writeLarge(at("out"), [text("head"), new ByteRange(source, 0, LONG)], {});
    }, { code: "FILE_TOO_SHORT" });
    assert.deepEqual(seen(), ["base"]);
  });

  it("is no copy of a file that took the place of the one that is open, nor of a link itself", async function () {
    if (process.platform === "win32") this.skip();
    writeFileSync(at("base"), long);
    symlinkSync("base", at("link"));
    using source = openFileSource(at("link"));
    const whole = [new ByteRange(source, 0, LONG)];
    assert.equal(twinOf(whole), source);
    await using outputs = new Outputs();
    await outputs.writeLarge(at("out"), whole, {});
    outputs.commit();
    assert.ok(lstatSync(at("out")).isFile() && readFileSync(at("out")).equals(long));
    rmSync(at("base"));
    writeFileSync(at("base"), new Uint8Array(LONG));
    assert.equal(twinOf(whole), undefined);
  });

  it("refers to no base that has hard links: nobody would read it", async function () {
    if (process.platform === "win32") this.skip();
    const demo = new URL("../../../fixtures/demo/model.onnx", import.meta.url);
    copyFileSync(demo, at("model.onnx"));
    linkSync(at("model.onnx"), at("second.onnx"));
    const notices: string[] = [];
    await adapt(at("model.onnx"), { output: at("adapted.onnx"), onNotice: (n) => notices.push(n) });
    assert.deepEqual(seen(), ["adapted.onnx", "adapted.onnx_data", "model.onnx", "second.onnx"]);
    assert.match(notices.join(), /has hard links, and external data with such are refused/);
    assert.ok((await inspect(at("adapted.onnx"))).weights.length > 0);
    rmSync(at("second.onnx"));
    await adapt(at("model.onnx"), { output: at("adapted.onnx") });
    assert.ok(statSync(at("adapted.onnx")).size < 1e6);
  });

  it("replaces no other model's weights, and tells of old ones that nobody needs any more", async () => {
    const demo = fileURLToPath(new URL("../../../fixtures/demo/model.onnx", import.meta.url));
    const notices: string[] = [];
    writeFileSync(at("out.onnx_data"), "another model's");
    await assert.rejects(adapt(demo, { output: at("out.onnx") }), { code: "OUTPUT_DATA_IN_THE_WAY", message: /may be another model's: no ".*out\.onnx" refers to it/ });
    assert.deepEqual(seen(), ["out.onnx_data"]);
    rmSync(at("out.onnx_data"));
    for (const rank of [2, 4]) await adapt(demo, { output: at("out.onnx"), rank });
    await adapt(demo, { output: at("out.onnx"), embed: true, onNotice: (n) => notices.push(n) });
    assert.match(notices.join(), /out\.onnx_data is left from the model that was there before/);
  });

  it("leaves nothing of a copy that was begun when computing fails or is interrupted", async () => {
    writeFileSync(at("base"), long);
    using source = openFileSource(at("base"));
    const failing = new ComputedBytes("w", 10, () => Promise.reject(new Error("no numbers")));
    for (const [options, message] of [[{}, /no numbers/], [{ signal: AbortSignal.abort() }, /Stopped before it was done/]] as const) {
      await assert.rejects(async () => {
        await using outputs = new Outputs();
        outputs.beginCopy(at("out"), source);
        await outputs.writeLarge(at("out"), [new ByteRange(source, 0, LONG - 10), failing], options);
      }, message);
      assert.deepEqual(seen(), ["base"]);
    }
    {
      await using outputs = new Outputs();
      outputs.beginCopy(at("out"), source);
      outputs.commit();
    }
    assert.deepEqual(seen(), ["base"], "a copy that nobody made a file of");
    await assert.rejects(async () => {
      await using outputs = new Outputs();
      outputs.beginCopy(at("out"), source);
      throw new Error("something else");
    }, /something else/);
    assert.deepEqual(seen(), ["base"]);
  });
});
