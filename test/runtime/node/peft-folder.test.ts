import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { train } from "../../../src/index.ts";
import { memorySource, readBytes } from "../../../src/ir/source.ts";
import { fingerprintOf, type HutJson } from "../../../src/runtime/adapter/hut-json.ts";
import type { AdapterFolder } from "../../../src/runtime/adapter/adapter-folder.ts";
import { readAdapterFolder, writeAdapterFolder } from "../../../src/runtime/node/peft-folder.ts";
import { moduleScale, splitPeftName, weightShape, type AdapterTensor } from "../../../src/runtime/adapter/peft-tensors.ts";
import { fromFloat32, readSafetensors, writeSafetensors, type SafeTensor } from "../../../src/runtime/adapter/safetensors.ts";

const fixture = "fixtures/cases/bert/adapter";
const query0 = "bert.encoder.layer.0.attention.self.query";
const name = (module: string, parameter: string): string => `base_model.model.${module}.${parameter}`;

type Tensors = Map<string, SafeTensor>;
type Config = Record<string, unknown>;

describe("PEFT folders", () => {
  let folder = "";
  beforeEach(() => {
    folder = join(mkdtempSync(join(tmpdir(), "hut-adapter-")), "adapter");
  });
  afterEach(() => {
    rmSync(join(folder, ".."), { recursive: true });
  });

  /** The fixture's folder with its config or tensors changed. */
  function changed({ config, tensors }: { config?: (config: Config) => void; tensors?: (tensors: Tensors) => void }): string {
    cpSync(fixture, folder, { recursive: true });
    const json = JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8")) as Config;
    config?.(json);
    writeFileSync(join(folder, "adapter_config.json"), JSON.stringify(json));
    const path = join(folder, "adapter_model.safetensors");
    const map = readSafetensors(memorySource(path, readFileSync(path)));
    tensors?.(map);
    writeFileSync(path, Buffer.concat(writeSafetensors(map, { format: "pt" }).map(readBytes)));
    return folder;
  }

  function withHut(adapter: AdapterFolder): AdapterFolder & { hut: HutJson } {
    const modules = Object.fromEntries([...adapter.modules.keys()].map((module) =>
      [module, { initializer: module, shape: [64, 64] as const, stored: "kn" as const, fingerprint: fingerprintOf([64, 64], (i) => i) }]));
    const saved = Object.fromEntries([...adapter.saved].map(([path, { shape }]) => [path, { initializer: null, shape, stored: null }]));
    return { ...adapter, alpha: 8, hut: { formatVersion: 1, method: "hut", alpha: 8, roles: ["q", "v"], modules, saved } };
  }

  describe("reading", () => {
    it("gives PEFT's HiRA in PEFT's words", () => {
      const adapter = readAdapterFolder(fixture);
      assert.deepEqual({ ...adapter, modules: adapter.modules.size, saved: [...adapter.saved.keys()].sort() }, {
        method: "hut", rank: 4, targetModules: ["query", "value"], modulesToSave: ["classifier"], fanInFanOut: false, rankPattern: {}, taskType: null,
        baseModel: "bert", modules: 4, saved: ["classifier.bias", "classifier.weight"],
      });
      const query = adapter.modules.get(query0);
      assert.deepEqual([...query ?? []].map(([parameter, { shape }]) => [parameter, shape]), [["hira_A", [4, 64]], ["hira_B", [64, 4]]]);
      assert.ok(query?.get("hira_A")?.data.some((value) => value !== 0));
      assert.equal(adapter.alpha, undefined);
    });

    it("takes names of a live model apart", () => {
      const cases: [string, string, string][] = [
        [name(query0, "hira_A"), query0, "hira_A"], [name(query0, "hira_B.default"), query0, "hira_B"], [name("a.q", "lora_A.weight"), "a.q", "lora_A.weight"],
        [name("a.q", "lora_B.default.weight"), "a.q", "lora_B.weight"], [name("classifier.modules_to_save.default", "weight"), "classifier", "weight"],
        [name("classifier.modules_to_save.default.dense", "bias"), "classifier.dense", "bias"], [`${query0}.hira_A`, query0, "hira_A"], ["x", "", "x"],
      ];
      for (const [text, module, parameter] of cases) assert.deepEqual(splitPeftName(text), { module, parameter }, text);
    });

    it("reads LoRA with its scale", () => {
      const dir = changed({
        config: (config) => Object.assign(config,
          { peft_type: "LORA", lora_alpha: 16, use_rslora: true, bias: "none", alpha_pattern: { "layer.1.attention.self.query": 2 } }),
        tensors: (tensors) => {
          for (const [key, tensor] of [...tensors]) {
            if (!key.includes("hira_")) continue;
            tensors.delete(key);
            tensors.set(`${key.replace("hira_", "lora_")}.weight`, tensor);
          }
        },
      });
      const adapter = readAdapterFolder(dir);
      assert.equal(adapter.method, "lora");
      assert.deepEqual([...adapter.modules.get(query0)?.keys() ?? []], ["lora_A.weight", "lora_B.weight"]);
      assert.equal(moduleScale(adapter, query0), 16 / 2);
      assert.equal(moduleScale(adapter, query0.replace("0", "1")), 2 / 2);
      assert.equal(moduleScale({ ...adapter, rankStabilized: false }, query0), 4);
      writeAdapterFolder(join(folder, "../again"), adapter);
      assert.deepEqual(readAdapterFolder(join(folder, "../again")), adapter);
    });

    it("reads 16-bit tensors, rank_pattern, a pattern as targets, and all-linear", () => {
      const a = name(query0, "hira_A");
      const half = (shape: number[]): SafeTensor => ({ dtype: "BF16", shape, data: new Uint8Array(shape.reduce((x, y) => x * y, 2)) });
      const dir = changed({
        config: (config) => Object.assign(config, { rank_pattern: { "layer.0.attention.self.query": 2 }, target_modules: ".*\\.(query|value)" }),
        tensors: (tensors) => tensors.set(a, half([2, 64])).set(name(query0, "hira_B"), half([64, 2])),
      });
      assert.deepEqual(readAdapterFolder(dir).modules.get(query0)?.get("hira_A")?.shape, [2, 64]);
      assert.equal(readAdapterFolder(changed({ config: (config) => (config.target_modules = "all-linear") })).targetModules, "all-linear");
    });

    it("reads HiRA of PEFT 0.21.2 with a rank_pattern, which PEFT writes and doesn't obey", () => {
      const dir = changed({ config: (config) => (config.rank_pattern = { query: 2 }) });
      assert.equal(readAdapterFolder(dir).modules.size, 4);
      const mixed = changed({ tensors: (tensors) => tensors.set(name(query0, "hira_B"), fromFloat32([64, 2], new Float32Array(128))) });
      assert.throws(() => readAdapterFolder(mixed), { code: "ADAPTER_SHAPE_WRONG" });
    });

    it("reads the parameters of a Conv2d, whose kernel's axes belong to k", () => {
      const [a, b] = [fromFloat32([4, 1, 8, 8], new Float32Array(256).fill(1)), (shape: number[]) => fromFloat32(shape, new Float32Array(256).fill(1))];
      const dir = changed({ tensors: (tensors) => tensors.set(name(query0, "hira_A"), a).set(name(query0, "hira_B"), b([64, 4, 1, 1])) });
      const adapter = readAdapterFolder(dir);
      assert.deepEqual(weightShape(adapter, query0), [64, 64]);
      writeAdapterFolder(join(folder, "../convolution"), adapter);
      assert.deepEqual(readAdapterFolder(join(folder, "../convolution")), adapter);
      for (const shape of [[64, 4], [64, 4, 1], [16, 4, 2, 2]]) {
        const wrong = changed({ tensors: (tensors) => tensors.set(name(query0, "hira_A"), a).set(name(query0, "hira_B"), b(shape)) });
        assert.throws(() => readAdapterFolder(wrong), { code: "ADAPTER_SHAPE_WRONG", message: /must be \[out, 4, 1, 1\] for rank 4/ });
      }
    });

    it("leaves out what a BatchNorm counts: an integer is no parameter", () => {
      const dir = changed({ tensors: (tensors) => tensors.set(name("classifier.norm", "num_batches_tracked"), { dtype: "I64", shape: [], data: new Uint8Array(8) }) });
      assert.deepEqual([...readAdapterFolder(dir).saved.keys()].sort(), ["classifier.bias", "classifier.weight"]);
    });

    it("turns narrowed targets into the list of modules", () => {
      const dir = changed({
        config: (config) => Object.assign(config, { layers_to_transform: [0], exclude_modules: ["value"] }),
        tensors: (tensors) => { for (const key of [...tensors.keys()]) if (/layer\.1|value/.test(key)) tensors.delete(key); },
      });
      assert.deepEqual(readAdapterFolder(dir).targetModules, [query0]);
    });

    const wrong: [what: string, code: string, message: RegExp, change: Parameters<typeof changed>[0]][] = [
      ["an unknown method", "PEFT_TYPE_UNKNOWN", /peft_type "ADALORA"; supported are HIRA, LORA/, { config: (c) => (c.peft_type = "ADALORA") }],
      ["a rank that isn't the tensors'", "ADAPTER_SHAPE_WRONG", /is \[4, 64\], and must be \[8, in\] for rank 8/, { config: (c) => (c.r = 8) }],
      ["a rank of 0", "FIELD_WRONG", /"r" must be a whole number of at least 1/, { config: (c) => (c.r = 0) }],
      ["a rank in words", "FIELD_WRONG", /"r" must be/, { config: (c) => (c.r = "4") }],
      ["no target_modules", "FIELD_WRONG", /"target_modules" must be/, { config: (c) => (c.target_modules = null) }],
      ["a target without tensors", "TARGET_WITHOUT_TENSORS", /names "key" in target_modules/,
        { config: (c) => (c.target_modules = ["query", "value", "key"]) }],
      ["tensors without a target", "MODULE_NOT_TARGETED", /"bert.encoder.layer.0.attention.self.value", which its target_modules \("query"\) leave out/,
        { config: (c) => (c.target_modules = ["query"]) }],
      ["tensors that a pattern leaves out", "MODULE_NOT_TARGETED", /the pattern/, { config: (c) => (c.target_modules = ".*query") }],
      ["a pattern that is broken", "PATTERN_UNUSABLE", /parenthesis/, { config: (c) => (c.target_modules = "(query") }],
      ["modules_to_save without tensors", "TARGET_WITHOUT_TENSORS", /"classifier" in modules_to_save/,
        { tensors: (t) => { for (const key of [...t.keys()]) if (key.includes("classifier")) t.delete(key); } }],
      ["tensors in none of modules_to_save", "TENSOR_UNEXPECTED", /classifier\.bias/, { config: (c) => (c.modules_to_save = null) }],
      ["a tensor of another kind", "TENSOR_UNEXPECTED", /hira_embedding_A/,
        { tensors: (t) => t.set(name(query0, "hira_embedding_A"), fromFloat32([1], new Float32Array(1))) }],
      ["a missing partner", "PARTNER_MISSING", /has no hira_B for module "bert\.encoder\.layer\.0/, { tensors: (t) => t.delete(name(query0, "hira_B")) }],
      ["NaN", "TENSOR_NOT_FINITE", /holds NaN at element 0/,
        { tensors: (t) => t.set(name(query0, "hira_A"), fromFloat32([4, 64], new Float32Array(256).fill(NaN))) }],
      ["infinity in a head", "TENSOR_NOT_FINITE", /holds -Infinity at element 1/,
        { tensors: (t) => t.set(name("classifier", "bias"), fromFloat32([2], Float32Array.of(0, -Infinity))) }],
      ["integers", "TENSOR_NOT_FLOAT", /has type "I32"/,
        { tensors: (t) => t.set(name(query0, "hira_A"), { dtype: "I32", shape: [4, 64], data: new Uint8Array(1024) }) }],
      ["a tensor that stands twice", "TENSOR_TWICE", /hira_A/,
        { tensors: (t) => t.set(name(query0, "hira_A.default"), fromFloat32([4, 64], new Float32Array(256))) }],
      ["no tensors at all", "ADAPTER_EMPTY", /adapts no module/, { tensors: (t) => { t.clear(); } }],
      ["VeRA without what its modules share", "SHARED_MISSING", /has no vera_A.*save_projection=True/, {
        config: (c) => Object.assign(c, { peft_type: "VERA", save_projection: false, init_weights: true }),
        tensors: (t) => { for (const key of [...t.keys()]) if (key.includes("hira_")) { t.delete(key); t.set(key.replace("hira_A", "vera_lambda_d").replace("hira_B", "vera_lambda_b"), fromFloat32([key.includes("hira_A") ? 4 : 64], new Float32Array(key.includes("hira_A") ? 4 : 64))); } } }],
      ["LoRA with biases", "PEFT_OPTION_UNSUPPORTED", /"bias"/, { config: (c) => Object.assign(c, { peft_type: "LORA", lora_alpha: 8, bias: "all" }) }],
      ["an initialisation that changes the base", "PEFT_OPTION_UNSUPPORTED", /"init_lora_weights"/,
        { config: (c) => Object.assign(c, { peft_type: "LORA", lora_alpha: 8, init_lora_weights: "pissa" }) }],
      ["an option from the future", "PEFT_OPTION_UNSUPPORTED", /"hira_twist"/, { config: (c) => (c.hira_twist = 2) }],
    ];
    for (const [what, code, message, change] of wrong) {
      it(`refuses ${what}`, () => {
        assert.throws(() => readAdapterFolder(changed(change)), (error: Error & { code?: string }) => {
          assert.equal(error.code, code, error.message);
          return message.test(error.message);
        });
      });
    }

    it("says what is missing, and names a sub-folder that holds the adapter", () => {
      assert.throws(() => readAdapterFolder(folder), { code: "FOLDER_MISSING" });
      assert.throws(() => readAdapterFolder(join(fixture, "adapter_config.json")), { code: "NOT_A_FOLDER" });
      mkdirSync(join(folder, "mine"), { recursive: true });
      assert.throws(() => readAdapterFolder(folder), { code: "ADAPTER_MISSING", message: /has no adapter_config\.json\. An adapter is a folder with/ });
      cpSync(fixture, join(folder, "mine"), { recursive: true });
      assert.throws(() => readAdapterFolder(folder), { code: "ADAPTER_MISSING", message: /Its sub-folder "mine" is one: name that\./ });
      cpSync(fixture, join(folder, "yours"), { recursive: true });
      assert.throws(() => readAdapterFolder(folder), { message: /Its sub-folders "mine" and "yours" are: name one of them\./ });
      rmSync(join(folder, "mine/adapter_model.safetensors"));
      assert.throws(() => readAdapterFolder(join(folder, "mine")), { code: "ADAPTER_MISSING", message: /has no adapter_model\.safetensors/ });
    });

    it("refuses a config that is broken", () => {
      changed({});
      writeFileSync(join(folder, "adapter_config.json"), "{\"peft_type\": \"HIRA\"");
      assert.throws(() => readAdapterFolder(folder), { code: "JSON_BROKEN" });
    });
  });

  describe("writing", () => {
    it("says which dropout the adapter was trained with, in a resumed run too", async () => {
      const dropout = (): unknown => (JSON.parse(readFileSync(join(folder, "adapter", "adapter_config.json"), "utf8")) as Config)["hira_dropout"];
      const settings = { train: "fixtures/cases/bert/batch.jsonl", batchSize: 2, maxSteps: 2, threads: 1, output: folder };
      const stop = new AbortController();
      await train("fixtures/cases/bert/model.ts.onnx", { ...settings, adapterDropout: 0.25, signal: stop.signal, onProgress: () => { stop.abort(); } });
      await train("fixtures/cases/bert/model.ts.onnx", { output: folder, resume: true, threads: 1 });
      assert.equal(dropout(), 0.25);
      await train("fixtures/cases/bert/model.ts.onnx", { ...settings, overwrite: true });
      assert.equal(dropout(), 0);
    });

    it("gives back what was read, and PEFT's own tensor bytes", () => {
      const adapter = readAdapterFolder(fixture);
      const written = writeAdapterFolder(folder, adapter);
      assert.deepEqual(written.map((path) => basename(path)), ["adapter_model.safetensors", "README.md", "adapter_config.json"]);
      assert.deepEqual(readAdapterFolder(folder), adapter);
      assert.ok(readFileSync(join(folder, "adapter_model.safetensors")).equals(readFileSync(join(fixture, "adapter_model.safetensors"))));
      const theirs = JSON.parse(readFileSync(join(fixture, "adapter_config.json"), "utf8")) as Config;
      assert.deepEqual(JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8")), { ...theirs, auto_mapping: null });
      assert.match(readFileSync(join(folder, "README.md"), "utf8"), /^---\nbase_model: "bert"\nlibrary_name: peft\ntags:\n/);
    });

    it("gives the same bytes whatever the order of the tensors, and leaves no other file", () => {
      const adapter = withHut(readAdapterFolder(fixture));
      writeAdapterFolder(folder, adapter);
      const files = readdirSync(folder).sort();
      assert.deepEqual(files, ["README.md", "adapter_config.json", "adapter_model.safetensors", "hut.json"]);
      const before = files.map((file) => readFileSync(join(folder, file), "utf8"));
      writeAdapterFolder(folder, { ...adapter, modules: new Map([...adapter.modules].reverse()), saved: new Map([...adapter.saved].reverse()) });
      assert.deepEqual(files.map((file) => readFileSync(join(folder, file), "utf8")), before);
    });

    it("carries hut.json, and removes one that is no longer true", () => {
      const adapter = withHut(readAdapterFolder(fixture));
      writeAdapterFolder(folder, adapter);
      assert.deepEqual(readAdapterFolder(folder), adapter);
      writeAdapterFolder(folder, readAdapterFolder(fixture));
      assert.equal(readAdapterFolder(folder).hut, undefined);
    });

    it("leaves a README.md of somebody else alone", () => {
      mkdirSync(folder);
      writeFileSync(join(folder, "README.md"), "my words");
      writeAdapterFolder(folder, readAdapterFolder(fixture));
      assert.equal(readFileSync(join(folder, "README.md"), "utf8"), "my words");
    });

    it("writes nothing of an adapter that it would not read", () => {
      const adapter = readAdapterFolder(fixture);
      const broken = new Map<string, AdapterTensor>([["classifier.weight", { shape: [2, 64], data: new Float32Array(128).fill(NaN) }]]);
      assert.throws(() => writeAdapterFolder(folder, { ...adapter, saved: broken }), { code: "TENSOR_NOT_FINITE" });
      assert.throws(() => writeAdapterFolder(folder, { ...adapter, rank: 5 }), { code: "ADAPTER_SHAPE_WRONG" });
      assert.throws(() => readdirSync(folder), { code: "ENOENT" });
    });

    it("refuses a hut.json of another adapter", () => {
      const adapter = withHut(readAdapterFolder(fixture));
      const { hut } = adapter;
      const [first = "", ...others] = Object.keys(hut.modules);
      const module = hut.modules[first];
      assert.ok(module);
      const pick = (names: string[]): HutJson["modules"] => Object.fromEntries(Object.entries(hut.modules).filter(([key]) => names.includes(key)));
      const wrong: [Partial<HutJson>, RegExp][] = [
        [{ method: "lora" }, /its method is "lora", theirs "hut"/], [{ alpha: 4 }, /its alpha is 4, theirs 8/],
        [{ modules: pick(others) }, /is in one of them alone/],
        [{ modules: { ...hut.modules, [first]: { ...module, shape: [32, 64] } } }, /has shape \[32, 64\] in the one/],
        [{ saved: {} }, /"classifier\.\w+" is in one of them alone/],
      ];
      for (const [change, message] of wrong) {
        assert.throws(() => writeAdapterFolder(folder, { ...adapter, hut: { ...hut, ...change } }), { code: "HUT_JSON_DISAGREES", message });
      }
    });
  });
});
