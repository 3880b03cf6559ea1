import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { COMMANDS } from "../../src/cli/commands.ts";
import { sharedOptions } from "../../src/cli/config/config-options.ts";
import { defineConfig, type SectionOnly } from "../../src/cli/config/define-config.ts";
import { PATH_WORDS } from "../../src/cli/flag.ts";
import { run, type Ended } from "./run.ts";

describe("a config file", () => {
  let folder = "";
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-config-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  const put = (name: string, text: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  };
  const here = (...words: string[]): Promise<Ended> => run(words, { cwd: folder });
  const EXAMPLE = { model: "m.onnx", rank: 4, targetModules: ["q"], train: { train: "data/t.tsv", output: "run", lr: 0.1, shuffle: false }, fold: { adapter: "run/adapter", output: "merged.onnx" } };

  const forms: [name: string, text: string][] = [
    ["hut.config.ts", `import { defineConfig, type HutConfig } from "onnx-hut";\nconst config: HutConfig = ${JSON.stringify(EXAMPLE)};\nexport default defineConfig(config);`],
    ["hut.config.js", `export default ${JSON.stringify(EXAMPLE)}`],
    ["hut.config.js", `module.exports = ${JSON.stringify(EXAMPLE)}`],
    ["hut.config.mjs", `export default await Promise.resolve(${JSON.stringify(EXAMPLE)})`],
    ["hut.config.json", JSON.stringify({ $schema: "./node_modules/onnx-hut/docs/hut.config.schema.json", ...EXAMPLE })],
    ["hut.config.yaml", "model: m.onnx\nrank: 4\ntargetModules: [q]\ntrain:\n  train: data/t.tsv\n  output: run\n  lr: 1e-1\n  shuffle: false\nfold: { adapter: run/adapter, output: merged.onnx }\n"],
    ["hut.config.yml", `# JSON is YAML\n${JSON.stringify(EXAMPLE)}\n`],
  ];
  for (const [name, text] of forms) {
    it(`gives MODEL and options, needed ones too, as ${name}: ${text.slice(0, 14)}…`, async () => {
      put(name, text);
      const train = await here("train");
      assert.equal(train.err, `note: options from ${name} too; --print-config shows them\n`);
      assert.deepEqual(train.calls, [{ verb: "train", model: "m.onnx", options: { rank: 4, targetModules: ["q"], train: "data/t.tsv", output: "run", lr: 0.1, shuffle: false } }]);
      assert.deepEqual((await here("fold")).calls, [{ verb: "fold", model: "m.onnx", options: { adapter: "run/adapter", output: "merged.onnx" } }]);
    });
  }

  it("gives way to flags, and its top to a verb's section", async () => {
    put("hut.config.json", JSON.stringify({ rank: 4, seed: 7, model: "m", train: { rank: 5, output: "run", overwrite: true, train: "t.tsv" } }));
    assert.deepEqual((await here("train", "other", "--seed", "1", "-o", "out", "--quiet")).calls,
      [{ verb: "train", model: "other", options: { rank: 5, seed: 1, output: "out", overwrite: true, train: "t.tsv" } }]);
    // --resume contradicts overwrite, and the flag wins.
    assert.deepEqual((await here("train", "m", "--resume")).calls[0]?.options, { rank: 5, seed: 7, output: "run", train: "t.tsv", resume: true });
    assert.deepEqual((await here("adapt", "-o", "a.onnx")).calls, [{ verb: "adapt", model: "m", options: { rank: 4, seed: 7, output: "a.onnx" } }]);
  });

  it("says false of a switch as if it said nothing, and still needs what a verb needs", async () => {
    put("hut.config.json", JSON.stringify({ model: "m", train: { train: "t", output: "run", overwrite: false, resume: true } }));
    assert.deepEqual((await here("train")).calls[0]?.options, { train: "t", output: "run", resume: true });
    assert.match((await here("adapt")).err, /needs -o <file>/);
    put("hut.config.json", JSON.stringify({ model: "m", train: { train: "t", output: "run", overwrite: true, resume: true } }));
    assert.match((await here("train")).err, /^error: --resume and --overwrite contradict/m);
  });

  it("is named by --config, and its paths are relative to it; without --no-config the one in the working folder is taken", async () => {
    put("settings/mine.yaml", "model: ../m.onnx\noutputName: ../x\ntrain: { train: t.tsv, output: run, resume: checkpoint }");
    put("hut.config.json", "{ \"rank\": 3 }");
    const { calls, err } = await here("train", "-c", "settings/mine.yaml");
    assert.equal(err, "");
    // An output of the graph is no path.
    assert.deepEqual(calls, [{ verb: "train", model: "m.onnx", options: { outputName: "../x", train: join("settings", "t.tsv"), output: join("settings", "run"), resume: join("settings", "checkpoint") } }]);
    assert.deepEqual((await here("adapt", "m", "-o", "a", "--no-config")).calls[0]?.options, { output: "a" });
    assert.deepEqual((await here("adapt", "m", "-o", "a")).calls[0]?.options, { output: "a", rank: 3 });
  });

  it("lies in the working folder alone, and reads nothing else", async () => {
    put("hut.config.json", "{ \"rank\": 3 }");
    for (const name of [".config/hut.ts", ".hutrc", "package.json", ".env", "below/.config/hut.config.ts"]) put(name, name.endsWith(".ts") ? "throw new Error()" : name === "package.json" ? "{\"hut\": {\"rank\": 9}}" : "rank=9");
    assert.deepEqual((await run(["adapt", "m", "-o", "a"], { cwd: join(folder, "below") })).calls[0]?.options, { output: "a" });
    put("below/hut.config.mjs", "export default { extends: ['github:someone/something', '../hut.config.json'] }");
    assert.match((await run(["adapt", "m", "-o", "a"], { cwd: join(folder, "below") })).err, /has a key "extends", which is no option/);
    // A process runs a module once.
    rmSync(join(folder, "below/hut.config.mjs"));
    put("below/hut.config.js", "export default { }");
    assert.deepEqual((await run(["adapt", "m", "-o", "a"], { cwd: join(folder, "below") })).calls[0]?.options, { output: "a" });
  });

  it("--print-config tells what is in force and where it comes from, and runs nothing", async () => {
    put("hut.config.json", JSON.stringify(EXAMPLE));
    const plain = await here("train", "--print-config", "--rank", "16");
    assert.deepEqual([plain.code, plain.err, plain.calls], [0, "", []]);
    assert.match(plain.out, /^Config file: hut\.config\.json\n {2}option +value +from\n {2}MODEL +m\.onnx +hut\.config\.json\n {2}output +run +hut\.config\.json\n/);
    assert.match(plain.out, /^ {2}rank +16 +flag$/m);
    assert.match(plain.out, /^ {2}alpha +the rank +default$/m);
    assert.match(plain.out, /^ {2}epochs +3 +default$/m);
    const { out } = await here("adapt", "--print-config", "--json");
    const report = JSON.parse(out) as { options: Record<string, unknown> };
    assert.deepEqual({ ...report, options: { rank: report.options["rank"], alpha: report.options["alpha"], method: report.options["method"], targetModules: report.options["targetModules"] } }, {
      verb: "adapt", config: "hut.config.json", model: { value: "m.onnx", from: "file" }, missing: ["-o <file>"],
      options: { rank: { value: 4, from: "file" }, alpha: { value: null, note: "the rank", from: "default" }, method: { value: "hut", from: "default" }, targetModules: { value: ["q"], from: "file" } },
    });
    assert.match((await here("inspect", "--print-config", "--no-config")).out, /^No config file\.\n[^]*Still needed: MODEL\n$/);
  });

  it("keeps its words from the terminal", async () => {
    put("hut.config.json", JSON.stringify({ model: "\u001b[31mred" }));
    assert.ok(!(await here("inspect", "--print-config")).out.includes("\u001b"));
  });

  const wrong: [what: string, name: string, text: string, code: string, message: RegExp][] = [
    ["a mistyped option", "hut.config.ts", "export default { rnak: 4 }", "CONFIG_KEY_UNKNOWN", /^"hut\.config\.ts" has a key "rnak", which is no option\. Did you mean rank\?$/],
    ["a mistyped option of a verb", "hut.config.json", "{\"train\": {\"epoch\": 4}}", "CONFIG_KEY_UNKNOWN", /has in train a key "epoch", which is no option of that verb\. Did you mean epochs\?/],
    ["a flag's word", "hut.config.yaml", "train: { max-steps: 4 }", "CONFIG_KEY_UNKNOWN", /"max-steps".* Did you mean maxSteps\?/],
    ["a flag's other name", "hut.config.json", "{\"learningRate\": 4}", "CONFIG_KEY_UNKNOWN", /Did you mean lr\?/],
    ["a flag that negates", "hut.config.json", "{\"noShuffle\": true}", "CONFIG_KEY_UNKNOWN", /Did you mean shuffle\?/],
    ["a verb mistyped", "hut.config.json", "{\"tarin\": {}}", "CONFIG_KEY_UNKNOWN", /Did you mean train\?/],
    ["another verb's option", "hut.config.json", "{\"fold\": {\"rank\": 4}}", "CONFIG_KEY_UNKNOWN", /has in fold a key "rank", .* It is one of train, adapt and artifacts\./],
    ["an output for all verbs", "hut.config.json", "{\"output\": \"x\"}", "CONFIG_KEY_UNKNOWN", /It stands in the section of its verb: demo, train, /],
    ["__proto__ in JSON", "hut.config.json", "{\"__proto__\": {\"rank\": 4}}", "CONFIG_KEY_UNKNOWN", /"__proto__"/],
    ["__proto__ in YAML", "hut.config.yaml", "train: { __proto__: { rank: 4 } }", "CONFIG_KEY_UNKNOWN", /"__proto__"/],
    ["constructor", "hut.config.json", "{\"constructor\": {}}", "CONFIG_KEY_UNKNOWN", /"constructor"/],
    ["a key of c12", "hut.config.mjs", "export default { $production: { rank: 4 }, $meta: {} }", "CONFIG_KEY_UNKNOWN", /"\$production"/],
    ["a text for a number", "hut.config.json", "{\"rank\": \"8\"}", "CONFIG_VALUE_WRONG", /^In "hut\.config\.json" rank must be a whole number of at least 1, and is "8"\.$/],
    ["a number out of range", "hut.config.json", "{\"train\": {\"warmupRatio\": 2}}", "CONFIG_VALUE_WRONG", /train\.warmupRatio must be a number from 0 to 1, and is 2\./],
    ["no whole number", "hut.config.json", "{\"rank\": 1.5}", "CONFIG_VALUE_WRONG", /rank must be a whole number of at least 1, and is 1\.5\./],
    ["NaN", "hut.config.js", "export default { alpha: NaN }", "CONFIG_VALUE_WRONG", /alpha must be a number greater than 0, and is NaN\./],
    ["a mistyped choice", "hut.config.json", "{\"head\": \"maen\"}", "CONFIG_VALUE_WRONG", /head must be one of mean, cls, last and token, and is "maen"\. Did you mean mean\?/],
    ["a choice in a list", "hut.config.json", "{\"artifacts\": {\"format\": [\"step\", \"ort\"]}}", "CONFIG_VALUE_WRONG", /artifacts\.format must be a list of words out of step and ort-training, and holds "ort"\./],
    ["a text for a list", "hut.config.json", "{\"targetModules\": \"q,v\"}", "CONFIG_VALUE_WRONG", /targetModules must be a list of names, as \["q", "v"\], and is "q,v"\./],
    ["a list in a list", "hut.config.json", "{\"targetModules\": [\"q,v\"]}", "CONFIG_VALUE_WRONG", /and holds "q,v"\./],
    ["an open pattern", "hut.config.json", "{\"targetModules\": [\"/q\"]}", "CONFIG_VALUE_WRONG", /and holds "\/q"\./],
    ["an empty list", "hut.config.json", "{\"targetModules\": []}", "CONFIG_VALUE_WRONG", /and is an empty list\./],
    ["an empty path", "hut.config.json", "{\"tokenizer\": \" \"}", "CONFIG_VALUE_WRONG", /tokenizer must be a path, and is " "\./],
    ["a NUL in a path", "hut.config.json", "{\"model\": \"m\\u0000\"}", "CONFIG_VALUE_WRONG", /model must be a path, and is "m\\u0000"\./],
    ["nothing for a value", "hut.config.yml", "train:\n  rank:\n", "CONFIG_VALUE_WRONG", /train\.rank must be .* and is null\./],
    ["a word for a switch", "hut.config.yml", "shuffle: no", "CONFIG_VALUE_WRONG", /shuffle must be true or false, and is "no"\./],
    ["a file for train", "hut.config.json", "{\"train\": \"t.tsv\"}", "CONFIG_VALUE_WRONG", /train must be an object of options of `onnx-hut train`, and is "t\.tsv"\. .*train: \{ train: "t\.tsv" \}/],
    ["a value that goes in circles", "hut.config.js", "const a = {}; a.rank = a; export default a", "CONFIG_VALUE_WRONG", /rank must be .* and is an object\./],
    ["a list", "hut.config.json", "[1]", "CONFIG_NO_OPTIONS", /must give an object of options, and gives a list\. Write one option a key\./],
    ["an empty file", "hut.config.yaml", "", "CONFIG_NO_OPTIONS", /gives null/],
    ["a function", "hut.config.ts", "export default () => ({ rank: 4 })", "CONFIG_NO_OPTIONS", /gives a function\. Write `export default \{ … \}`\./],
    ["a promise", "hut.config.ts", "export default Promise.resolve({ rank: 4 })", "CONFIG_NO_OPTIONS", /gives a promise\./],
    ["an object of a class", "hut.config.ts", "export default new Map()", "CONFIG_NO_OPTIONS", /gives an object\./],
    ["null", "hut.config.ts", "export default null", "CONFIG_NO_OPTIONS", /gives null\./],
    ["a syntax error", "hut.config.ts", "export default {\n  rank: 4,,\n}", "CONFIG_FAILED", /^"hut\.config\.ts" fails: "Unexpected token, at line 2, column 10"\./],
    ["an error thrown", "hut.config.ts", "throw new Error('one\\ntwo')", "CONFIG_FAILED", /fails: "one"\. Correct it, or leave it out with --no-config\.$/],
    ["nothing thrown", "hut.config.js", "throw undefined", "CONFIG_FAILED", /fails: "undefined"\./],
    ["a getter that throws", "hut.config.mjs", "export default { get rank() { throw new Error('g'); } }", "CONFIG_FAILED", /fails: "g"\./],
    ["an import that isn't there", "hut.config.mjs", "import './nothing.mjs'; export default {}", "CONFIG_FAILED", /fails: ".*nothing\.mjs.*"\./],
    ["broken JSON", "hut.config.json", "{\"rank\": 4,}", "JSON_BROKEN", /"hut\.config\.json"/],
    ["a doubled key in JSON", "hut.config.json", "{\"rank\": 4, \"rank\": 5}", "JSON_BROKEN", /key "rank" stands twice/],
    ["broken YAML", "hut.config.yaml", "rank: [4", "CONFIG_BROKEN", /can't be read as a config file: Flow sequence .* at line 1/],
    ["a doubled key in YAML", "hut.config.yaml", "rank: 4\nrank: 5", "CONFIG_BROKEN", /Map keys must be unique at line 2/],
    ["a tag of YAML", "hut.config.yaml", "rank: !!js/function 'x'", "CONFIG_BROKEN", /Unresolved tag/],
    ["two documents of YAML", "hut.config.yaml", "rank: 4\n---\nrank: 5", "CONFIG_BROKEN", /multiple documents/],
    ["a million laughs", "hut.config.yaml", `a: &a [${"x,".repeat(30)}x]\n${["b", "c", "d", "e"].map((name, i) => `${name}: &${name} [${`*${"abcd"[i] ?? ""},`.repeat(30)}x]\n`).join("")}`, "CONFIG_BROKEN", /Excessive alias count/],
    ["brackets without end", "hut.config.yaml", `rank: ${"[".repeat(20_000)}`, "CONFIG_BROKEN", /Maximum call stack|Flow sequence|nest/i],
    ["a file too long", "hut.config.yaml", `# ${"x".repeat(1024 * 1024)}`, "FILE_TOO_LONG", /read up to 1048576/],
  ];
  for (const [what, name, text, code, message] of wrong) {
    it(`is refused for ${what}, in one sentence`, async () => {
      put(name, text);
      const { code: exit, out, calls } = await here("train", "m", "--json");
      const { error } = JSON.parse(out) as { error: { code: string; message: string } };
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.ok(exit === 2 || code === "JSON_BROKEN" || code === "FILE_TOO_LONG", "exit code");
      assert.deepEqual(calls, []);
    });
  }

  it("is refused where there are two, where --config names none, a folder, or another kind of file", async () => {
    put("hut.config.json", "{}");
    put("hut.config.yml", "{}");
    put("hut.toml", "");
    assert.match((await here("inspect", "m")).err, /several config files here: "hut\.config\.json" and "hut\.config\.yml"\. Keep one, or name one with --config\./);
    assert.equal((await here("inspect", "m", "-c", "hut.config.yml")).code, 0);
    assert.match((await here("inspect", "m", "-c", "x.ts")).err, /There is no file ".*x\.ts"/);
    assert.match((await here("inspect", "m", "-c", "hut.toml")).err, /Name a file that ends in \.ts, /);
    mkdirSync(join(folder, "f.ts"));
    assert.match((await here("inspect", "m", "-c", "f.ts")).err, /is a folder, and only regular files are read/);
  });
});

describe("what config files hold", () => {
  it("has types: the options of the verbs by their names", () => {
    const config = defineConfig({ model: "m", rank: 4, targetModules: ["q"], provider: "cpu", train: { train: "t", shuffle: false }, fold: { output: "o" }, demo: { seed: 1 } });
    assert.equal(config.rank, 4);
    // @ts-expect-error -- An output is a section's.
    defineConfig({ output: "x" });
    // @ts-expect-error -- No option.
    defineConfig({ rnak: 4 });
    // @ts-expect-error -- Nor a callback.
    defineConfig({ train: { onProgress: () => undefined } });
    // @ts-expect-error -- No rank.
    defineConfig({ rank: "8" });
  });

  it("has at its top what no verb reads or writes: as typed, so in the schema", () => {
    const only: Record<SectionOnly, true> = {
      output: true, adapter: true, saveAdapter: true, merged: true, embed: true, requantize: true, dryRun: true, overwrite: true, resume: true, tensorboard: true, format: true, frozenInCheckpoint: true, checkpoint: true,
      swappable: true, perRow: true, train: true, model: true,
    };
    const all = new Set(COMMANDS.flatMap(({ flags }) => Object.keys(flags)));
    assert.deepEqual([...all].filter((option) => !Object.hasOwn(sharedOptions(COMMANDS), option)).sort(), Object.keys(only).sort());
  });

  it("has one kind of value for an option, whatever the verb", () => {
    const shared = sharedOptions(COMMANDS);
    const kindOf = (kind: object): string => JSON.stringify(kind, (key, value: unknown) => (["group", "default"].includes(key) ? undefined : value));
    for (const { name, flags } of COMMANDS) {
      for (const [option, flag] of Object.entries(flags)) if (shared[option] !== undefined) assert.equal(kindOf(flag.kind), kindOf(shared[option].kind), `${name} ${option}`);
    }
  });

  it("has no text of which isn't known whether it is a path", () => {
    for (const flag of COMMANDS.flatMap(({ flags }) => Object.values(flags))) {
      if (flag.kind.type === "text") assert.ok([...PATH_WORDS, "name", "words"].includes(/[<[](.*)[>\]]$/.exec(flag.flags)?.[1] ?? ""), flag.flags);
    }
  });

  it("is published as JSON Schema, at the place that package.json names", () => {
    const { exports, files } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, string>; files: string[] };
    const file = "docs/hut.config.schema.json";
    assert.equal(exports["./hut.config.schema.json"], `./${file}`);
    assert.ok(files.includes(file));
    const schema = JSON.parse(readFileSync(file, "utf8")) as { properties: Record<string, { properties?: object; maximum?: number }>; additionalProperties: boolean };
    assert.equal(schema.additionalProperties, false);
    for (const { name, flags } of COMMANDS) assert.deepEqual(Object.keys(schema.properties[name]?.properties ?? {}).sort(), Object.keys(flags).sort(), name);
    assert.equal(schema.properties["warmupRatio"]?.maximum, 1);
  });
});
