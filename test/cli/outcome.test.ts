import assert from "node:assert/strict";
import { HutError } from "../../src/errors/hut-error.ts";
import type { FoldResult } from "../../src/runtime/results.ts";
import { fakeVerbs, run, VERIFIED, type RunWith } from "./run.ts";

const inspectFails = (error: Error): RunWith => ({ verbs: { inspect: () => Promise.reject(error) } });
const verify = ["verify", "m", "--adapter", "a", "--merged", "o"];

describe("an error of the library", () => {
  const broken = new HutError("MODEL_BROKEN", { path: "m.onnx", offset: 12n, code: "x", message: "y" }, "\"m.onnx\" is broken. Export it again.");

  it("is one line on stderr, with the exit code of its kind", async () => {
    const { code, out, err } = await run(["inspect", "m"], inspectFails(broken));
    assert.deepEqual({ code, out, err }, { code: 1, out: "", err: "error: \"m.onnx\" is broken. Export it again.\n" });
    assert.equal((await run(["inspect", "m"], inspectFails(new HutError("USAGE", {}, "No.", { exitCode: 2 })))).code, 2);
  });

  it("is one object with --json, whose code and message no detail can replace", async () => {
    const { code, out, err } = await run(["inspect", "m", "--json"], inspectFails(broken));
    assert.equal(code, 1);
    assert.equal(err, "");
    assert.equal(out.split("\n").length, 2);
    assert.deepEqual(JSON.parse(out), { error: { code: "MODEL_BROKEN", message: broken.message, path: "m.onnx", offset: "12" } });
  });

  it("with details that JSON can't hold is told all the same", async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const { out } = await run(["inspect", "m", "--json"], inspectFails(new HutError("ODD", { circle, nan: NaN, none: undefined, f: () => 1 }, "Odd.")));
    assert.deepEqual(JSON.parse(out), { error: { code: "ODD", message: "Odd.", circle: "[object Object]", nan: null, none: null, f: null } });
  });

  it("shows its stack and its causes with --verbose alone", async () => {
    const caused = new HutError("OUTER", {}, "Outer.", { cause: new Error("inner") });
    assert.doesNotMatch((await run(["inspect", "m"], inspectFails(caused))).err, /at /);
    const { err } = await run(["inspect", "m", "--verbose"], inspectFails(caused));
    assert.match(err, /^error: Outer\.\nHutError: Outer\.\n +at [^]*\ncaused by\nError: inner\n +at /);
    const json = await run(["inspect", "m", "--verbose", "--json"], inspectFails(caused));
    assert.equal((JSON.parse(json.out) as { error: { code: string } }).error.code, "OUTER");
    assert.match(json.err, /caused by/);
  });

  it("that is none of ours asks to be reported", async () => {
    const { code, err } = await run(["inspect", "m"], inspectFails(new TypeError("x is undefined")));
    assert.equal(code, 1);
    assert.match(err, /^error: Something unexpected went wrong: "x is undefined"\. .*please report.*--verbose\.\n$/);
  });

  it("can't move the cursor or split the line with a file's words", async () => {
    const { err } = await run(["inspect", "m"], inspectFails(new HutError("X", {}, "bad \u001b[2Jname\nerror: fake \u202e")));
    assert.equal(err, "error: bad \\u001b[2Jname\\nerror: fake \\u202e\n");
  });
});

describe("a result", () => {
  it("of generate has a row for each metric", async () => {
    assert.match((await run(["generate", "m", "--data", "d", "-o", "g"])).out, /\n +bleu +0\.6123\n +rouge l +0\.7000\n/);
  });

  it("of generate comes as it is made, one prompt's text and nothing else, what a terminal obeys escaped; with --json at the end", async () => {
    const generate: RunWith["verbs"] = { generate: (_, { onText }) => {
      for (const piece of ["Once\n", "upon\u001b[31m", " a time"]) onText?.(piece);
      return Promise.resolve({ examples: 1, tokens: 3, text: "Once…", output: null, metrics: {}, cached: false, seconds: 1, tokensPerSecond: 3 });
    } };
    const words = ["generate", "m", "--prompt", "p"];
    assert.equal((await run(words, { verbs: generate })).out, "Once\nupon\\u001b[31m a time\n");
    assert.match((await run([...words, "--json"], { verbs: generate })).out, /^\{"examples":1,.*\}\n$/);
  });

  it("of fold names each quantized weight that became floats, or what rounding it again cost", async () => {
    const result = { folded: [{ modulePath: "layer.0.query", shape: [384, 384] as const }], replaced: [], seconds: 0.1, bytesWritten: 1000, output: "o", files: ["o"] };
    const fold = (more: Pick<FoldResult, "floated" | "requantized">): RunWith => ({ verbs: { fold: () => Promise.resolve({ ...result, ...more }) } });
    const words = ["fold", "m", "--adapter", "a", "-o", "o"];
    const floats = await run(words, fold({ floated: [{ modulePath: "layer.0.query", from: "int8", to: "float" }], requantized: [] }));
    assert.match(floats.out, /Quantized weights that are floats now\n.*\n +layer\.0\.query +was int8, now float32\n/);
    const rounded = await run(words, fold({ floated: [], requantized: [{ modulePath: "layer.0.query", dtype: "int4", relativeError: 0.0912, maxAbsError: 0.0004 }] }));
    assert.match(rounded.out, /Quantized weights, rounded again\n.*relative error.*\n +layer\.0\.query +int4 +0\.0912 +4\.0e-4\n/);
    assert.doesNotMatch((await run(words, fold({ floated: [], requantized: [] }))).out, /uantized/);
  });

  it("with --json is one object on stdout and nothing else, stderr silent", async () => {
    const { code, out, err } = await run(["evaluate", "m", "--data", "d", "--json"], { verbs: {
      evaluate: (_, { onProgress }) => {
        onProgress?.({ phase: "evaluating", done: 1, total: 2, unit: "batches" });
        return Promise.resolve({ examples: 2, metrics: { eval_loss: 0.1234567, eval_pearson: NaN }, classes: [], seconds: 1 });
      } }, now: clockOf(0, 5000, 10000) });
    assert.equal(code, 0);
    assert.equal(out, "{\"examples\":2,\"metrics\":{\"eval_loss\":0.1234567,\"eval_pearson\":null},\"classes\":[],\"seconds\":1}\n");
    assert.equal(err, "");
  });

  it("shows notes on stderr unless --quiet", async () => {
    const verbs = { inspect: (model: string, options: { onNotice?: ((notice: string) => void) | undefined }) => {
      options.onNotice?.("two things");
      return fakeVerbs([]).inspect(model, {});
    } };
    assert.equal((await run(["inspect", "m"], { verbs })).err, "note: two things\n");
    assert.equal((await run(["inspect", "m", "--quiet"], { verbs })).err, "");
    assert.match((await run(["inspect", "m", "--quiet"], { verbs })).out, /numbers/);
  });

  it("of verify ends with 1 where it doesn't hold, and says what", async () => {
    const verbs = { verify: () => Promise.resolve({ ...VERIFIED, ok: false, sameExceptWeights: false, problems: ["weight \"a\" differs"] }) };
    const plain = await run(verify, { verbs });
    assert.equal(plain.code, 1);
    assert.match(plain.out, /same except chosen weights +NO\n[^]*verified +NO\n {2}- weight "a" differs\n$/);
    const json = await run([...verify, "--json"], { verbs });
    assert.equal(json.code, 1);
    assert.equal((JSON.parse(json.out) as { ok: boolean }).ok, false);
    assert.equal((await run(verify)).code, 0);
  });

  it("of train is a table", async () => {
    const { out } = await run(["train", "m", "--train", "t", "-o", "run"]);
    assert.equal(out, [
      "  steps          1,500", "  trainable      37,634 of 9,461,760 (0.4 %)", "  loss           0.6931 → 0.2000", "  eval accuracy  0.8000",
      "  time           2 min 05 s", "  speed          7,654 tokens/s, 300.5 examples/s", "  adapter        run/adapter", "",
    ].join("\n"));
    const dry = await run(["train", "m", "--train", "t", "-o", "run", "--dry-run"]);
    assert.match(dry.out, /^Would train\n {2}steps +1,500\n {2}trainable .*\n {2}examples +16,000\n {2}an epoch +500 steps\n {2}learning rate +0\.0050 after 90 steps of warm-up\n {2}longest batch +4,096 tokens\n {2}memory +about 1\.6 GB\n$/);
  });

  it("of adapt and fold lists modules, and says would where nothing is written", async () => {
    assert.equal((await run(["adapt", "m", "-o", "a"])).out, [
      "  module path    [k, n]      rank  trained", "  layer.0.query  [384, 384]     8    6,144", "",
      "  trainable  6,144 of 9,461,760 (0.065 %)", "  written    a.onnx, 4.3 kB", "  took       0.10 s", "",
    ].join("\n"));
    assert.match((await run(["adapt", "m", "-o", "a", "--dry-run"])).out, /would write +a\.onnx\n/);
    assert.match((await run(["fold", "m", "--adapter", "x", "-o", "a"])).out, /layer\.0\.query +\[384, 384\] +147,456\n[^]*written +merged\.onnx, 19\.0 MB\n/);
  });

  it("of demo tells what a person wants to know", async () => {
    const { code, out } = await run(["demo"]);
    assert.equal(code, 0);
    for (const line of [
      /accuracy before +50\.9 %/, /accuracy after +80\.2 %/, /numbers trained +37,634 of 9,461,760 \(0\.4 %\)/,
      /training +126 steps in 1 min 01 s, 8,123 tokens\/s/, /adapter +156 kB/, /adapted\.onnx +40\.5 kB, beside the base of 19\.0 MB/,
      /merged\.onnx +19\.0 MB, base 19\.0 MB/, /latency of merged +1\.004 ×/, /verified +yes/,
    ]) assert.match(out, line);
  });
});

/** A clock that shows these times, then stands. */
function clockOf(...times: number[]): () => number {
  let i = 0;
  return () => times[Math.min(i++, times.length - 1)] ?? 0;
}
