import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { CommonOptions } from "../../src/runtime/options.ts";
import { fakeVerbs, run } from "./run.ts";

const train = ["train", "m", "--train", "t", "-o", "run"];
/** Resolves once Ctrl-C was seen. */
const untilAborted = (options: CommonOptions): Promise<void> => new Promise((resolve) => {
  options.signal?.addEventListener("abort", () => { resolve(); });
});

describe("Ctrl-C, or SIGTERM", () => {
  for (const name of ["SIGINT", "SIGTERM"]) it(`lets train save a checkpoint, ends with 130, and tells how to go on: ${name}`, async () => {
    const signals = new EventEmitter();
    const verbs = { train: async (model: string, options: Parameters<ReturnType<typeof fakeVerbs>["train"]>[1]) => {
      queueMicrotask(() => signals.emit(name));
      await untilAborted(options);
      return { ...await fakeVerbs([]).train(model, options), interrupted: true };
    } };
    const { code, out, err } = await run(train, { signals, verbs });
    assert.equal(code, 130);
    assert.equal(err, "stopping: saving a checkpoint; Ctrl-C again stops without it\n");
    assert.match(out, /\nInterrupted\. The same command with --resume goes on from the checkpoint in run\.\n$/);
    assert.doesNotMatch(out, /run\/adapter/);
    assert.equal(signals.listenerCount(name), 0);

    const json = await run([...train, "--json"], { signals, verbs });
    assert.equal(json.code, 130);
    assert.equal((JSON.parse(json.out) as { interrupted: boolean }).interrupted, true);
  });

  it("aborts other verbs: 130, one sentence, no report of a fault; SIGTERM is left to the system there", async () => {
    const signals = new EventEmitter();
    await run(["inspect", "m"], { signals, verbs: { inspect: (model, options) => {
      assert.deepEqual([signals.listenerCount("SIGINT"), signals.listenerCount("SIGTERM")], [1, 0]);
      return fakeVerbs([]).inspect(model, options);
    } } });
    for (const fail of [(o: CommonOptions) => { o.signal?.throwIfAborted(); }, () => { throw new DOMException("aborted", "AbortError"); }]) {
      const verbs = { inspect: async (_: string, options: CommonOptions) => {
        queueMicrotask(() => signals.emit("SIGINT"));
        await untilAborted(options);
        fail(options);
        throw new Error("not reached");
      } };
      const plain = await run(["inspect", "m"], { signals, verbs });
      assert.deepEqual(plain, { code: 130, out: "", err: "stopping\nerror: Interrupted before it was done.\n", calls: [] });
      const json = await run(["inspect", "m", "--json", "--quiet"], { signals, verbs });
      assert.equal(json.code, 130);
      assert.equal(json.err, "");
      assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, "INTERRUPTED");
    }
  });

  it("ends with 130 also where the work was done by then, and with 1 where stopping itself failed", async () => {
    const signals = new EventEmitter();
    const done = await run(["inspect", "m"], { signals, verbs: { inspect: (model, options) => {
      signals.emit("SIGINT");
      return fakeVerbs([]).inspect(model, options);
    } } });
    assert.equal(done.code, 130);
    assert.match(done.out, /numbers/);
    const failed = await run(train, { signals, verbs: { train: () => {
      signals.emit("SIGINT");
      return Promise.reject(new Error("the disk is full"));
    } } });
    assert.equal(failed.code, 1);
    assert.match(failed.err, /the disk is full/);
  });

  it("a second time ends the process at once with 130", async () => {
    const signals = new EventEmitter();
    const exits: number[] = [];
    await run(train, { signals, exit: (code) => { exits.push(code); }, verbs: { train: (model, options) => {
      signals.emit("SIGINT");
      assert.deepEqual(exits, []);
      signals.emit("SIGINT");
      assert.deepEqual(exits, [130]);
      return fakeVerbs([]).train(model, options);
    } } });
    assert.deepEqual(exits, [130]);
  });
});
