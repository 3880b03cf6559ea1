import assert from "node:assert/strict";
import { ProgressDisplay } from "../../src/cli/progress.ts";
import type { Progress } from "../../src/runtime/options.ts";
import { Captured, run } from "./run.ts";

/** A display and the hand that moves its clock, in seconds. */
function display(columns?: number): { stream: Captured; at: (seconds: number, event: Progress) => void; display: ProgressDisplay } {
  let now = 0;
  const stream = new Captured(columns);
  const shown = new ProgressDisplay(stream, () => now);
  return { stream, display: shown, at: (seconds, event) => { now = seconds * 1000; shown.report(event); } };
}
const step = (done: number, total = 100, figures: Record<string, number> = {}): Progress => ({ phase: "training", done, total, unit: "steps", figures });
/** What a terminal shows in the end, line by line. */
const onScreen = (text: string): string[] => text.split("\n").map((line) => {
  const parts = line.split(/\u001b\[1G/);
  return (parts.at(-1) ?? "").replace(/\u001b\[[02]?K/g, "");
});

describe("progress in a pipe", () => {
  it("is plain lines, seconds apart, and the last state", () => {
    const { stream, at, display: shown } = display();
    at(0.5, step(0));
    for (let done = 1; done <= 100; done += 1) at(0.5 + done / 10, step(done, 100, { loss: 0.5, learning_rate: 0.00012, tokens_per_second: 12345.6 }));
    shown.finish();
    assert.deepEqual(stream.text.split("\n"), [
      "training  5/100 steps  10 steps/s  0:10 left  loss 0.5000  learning rate 1.2e-4  12,346 tokens/s",
      "training  55/100 steps  10 steps/s  0:05 left  loss 0.5000  learning rate 1.2e-4  12,346 tokens/s",
      "training  100/100 steps  10 steps/s  in 0:10  loss 0.5000  learning rate 1.2e-4  12,346 tokens/s", "",
    ]);
  });

  it("doesn't say the last state twice, nor anything of work within a second", () => {
    const long = display();
    long.at(0, step(0));
    long.at(2, step(100));
    long.display.finish();
    assert.equal(long.stream.text.split("\n").length, 2);
    const short = display();
    for (let done = 0; done <= 9; done += 1) short.at(done / 10, step(done, 9));
    short.display.finish();
    assert.equal(short.stream.text, "");
  });

  it("ends a phase when another begins, and counts the rate from where a resumed run began", () => {
    const { stream, at, display: shown } = display();
    at(0, step(50));
    at(2, step(52));
    at(3, step(54));
    at(3.1, { phase: "evaluating", done: 1, total: 0, unit: "batches" });
    shown.finish();
    assert.deepEqual(stream.text.split("\n"), ["training  52/100 steps  1 steps/s  0:48 left", "training  54/100 steps  1.3 steps/s  0:35 left", ""]);
  });
});

describe("progress on a terminal", () => {
  it("is one line, redrawn at most ten times a second, with a bar", () => {
    const { stream, at, display: shown } = display(100);
    for (let i = 0; i <= 3000; i += 1) at(i / 1000, step(i, 6000));
    const drawn = stream.text.split("\u001b[1G").length - 1;
    assert.ok(drawn >= 18 && drawn <= 21, String(drawn));
    assert.equal(stream.text.split("\n").length, 1);
    assert.match(onScreen(stream.text)[0] ?? "", /^training {2}\[#{10}-{10}\] {2}3,000\/6,000 steps {2}1,000 steps\/s {2}0:03 left$/);
    shown.finish();
    assert.deepEqual(onScreen(stream.text), ["training  3,000/6,000 steps  1,000 steps/s  0:03 left", ""]);
  });

  it("never wraps: what doesn't fit is left out whole", () => {
    const { stream, at } = display(60);
    at(0, step(0));
    at(2, step(10, 100, { loss: 0.5, tokens_per_second: 1000 }));
    assert.match(onScreen(stream.text)[0] ?? "", /^training {2}\[.*\] {2}10\/100 steps {2}5 steps\/s$/);
    const narrow = display(5);
    narrow.at(2, step(1));
    assert.equal(onScreen(narrow.stream.text)[0], "trai");
  });

  it("keeps other lines above it", () => {
    const { stream, at, display: shown } = display(100);
    at(0, step(0));
    at(2, step(10));
    shown.writeLine("note: x");
    at(2.01, step(11));
    assert.deepEqual(onScreen(stream.text).map((line) => line.slice(0, 9)), ["note: x", "training "]);
  });
});

describe("progress of a command", () => {
  const verbs = { evaluate: (_: string, { onProgress }: { onProgress?: ((p: Progress) => void) | undefined }) => {
    onProgress?.(step(1));
    onProgress?.(step(2));
    return Promise.resolve({ examples: 1, metrics: {}, classes: [], seconds: 2 });
  } };
  const ticking = (): (() => number) => {
    let now = 0;
    return () => (now += 3000);
  };
  const evaluate = ["evaluate", "m", "--data", "d"];

  it("goes to stderr; --quiet and --json silence it, --json --verbose doesn't", async () => {
    const plain = await run(evaluate, { verbs, now: ticking() });
    assert.match(plain.err, /^training {2}1\/100 steps\n/);
    assert.doesNotMatch(plain.out, /training/);
    assert.equal((await run([...evaluate, "--quiet"], { verbs, now: ticking() })).err, "");
    assert.equal((await run([...evaluate, "--json"], { verbs, now: ticking() })).err, "");
    const verbose = await run([...evaluate, "--json", "--verbose"], { verbs, now: ticking() });
    assert.match(verbose.err, /training/);
    assert.equal(verbose.out, "{\"examples\":1,\"metrics\":{},\"classes\":[],\"seconds\":2}\n");
  });

  it("leaves an error a line of its own on a terminal", async () => {
    const stderr = new Captured(100);
    await run(evaluate, { stderr, now: ticking(), verbs: { evaluate: (_, { onProgress }) => {
      onProgress?.(step(1));
      return Promise.reject(new Error("no"));
    } } });
    assert.match(onScreen(stderr.text.replace(/\u001b\[\d+m/g, "")).at(-2) ?? "", /^error: Something unexpected/);
  });
});
