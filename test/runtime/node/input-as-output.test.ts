/** No verb writes over a file that it reads, by whatever name the output leads there. */
import assert from "node:assert/strict";
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { adapt, artifacts, fold, predict, train } from "../../../src/index.ts";
import { makeExternal } from "./external-model.ts";

const BERT = "fixtures/cases/bert";

/** Ways to a file. Each makes what it needs in `place`, and returns a name there that leads to `file`; `name` is the one that a verb will write. */
const WAYS: Readonly<Record<string, (file: string, place: string, name: string) => string>> = {
  "its own name": (file) => file,
  "a way round": (file) => `${dirname(file)}/../${basename(dirname(file))}/${basename(file)}`,
  "a symbolic link": (file, place, name) => { symlinkSync(file, join(place, name)); return join(place, name); },
  "a link to a link": (file, place, name) => { symlinkSync(file, join(place, "between")); symlinkSync("between", join(place, name)); return join(place, name); },
  "a hard link": (file, place, name) => { linkSync(file, join(place, name)); return join(place, name); },
  "a link to its folder": (file, place) => { symlinkSync(dirname(file), join(place, "folder")); return join(place, "folder", basename(file)); },
};
/** Those under which the file has the name that is asked for. */
const NAMED_WAYS = ["a symbolic link", "a link to a link", "a hard link"];

describe("an output that is an input", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  before(function () {
    if (process.platform === "win32") this.skip();
    folder = mkdtempSync(join(tmpdir(), "hut-inputs-"));
    makeExternal(join(BERT, "model.ts.onnx"), at("base"));
    cpSync("fixtures/demo/tokenizer.json", at("base", "tokenizer.json"));
    cpSync("fixtures/demo/tokenizer_config.json", at("base", "tokenizer_config.json"));
    cpSync("fixtures/demo/config.json", at("base", "config.json"));
    cpSync(join(BERT, "adapter-trained"), at("adapter"), { recursive: true });
    mkdirSync(at("data"));
    for (const name of ["data", "dev"]) cpSync(join(BERT, "batch.jsonl"), at("data", `${name}.jsonl`));
    mkdirSync(at("saved"));
    cpSync("fixtures/ort-training/checkpoint-with-moments", at("saved", "checkpoint"));
  });
  after(() => { if (folder !== "") rmSync(folder, { recursive: true }); });
  beforeEach(() => { mkdirSync(at("place")); });
  afterEach(() => { rmSync(at("place"), { recursive: true, force: true }); });

  const model = (): string => at("base", "model.onnx");
  const MODEL_FILES = ["base/model.onnx", "base/weights.bin", "base/config.json", "base/tokenizer.json", "base/tokenizer_config.json"];
  const ADAPTER_FILES = ["adapter/adapter_config.json", "adapter/adapter_model.safetensors", "adapter/hut.json"];

  /** A verb, what it reads beside the model, and the name of what it is made to write. */
  interface Row {
    readonly what: string;
    readonly inputs: readonly string[];
    /** Only names that end so can be the output itself. */
    readonly name: string;
    /** Where the output is a folder: the place of `name` in it. */
    readonly inFolder?: string;
    readonly run: (output: string) => Promise<unknown>;
  }
  const trained = { adapter: (): string => at("adapter") };
  const ROWS: readonly Row[] = [
    { what: "adapt -o", name: "out.onnx", inputs: [...MODEL_FILES, ...ADAPTER_FILES], run: (output) => adapt(model(), { adapter: trained.adapter(), output }) },
    { what: "adapt -o with --checkpoint", name: "out.onnx", inputs: ["saved/checkpoint", "adapter/hut.json"], run: (output) => adapt(model(), { adapter: trained.adapter(), checkpoint: at("saved", "checkpoint"), output }) },
    { what: "adapt's copied weights", name: "out.onnx_data", inputs: ["base/weights.bin"], inFolder: ".", run: (output) => adapt(model(), { output: join(output, "out.onnx") }) },
    { what: "adapt --save-adapter", name: "hut.json", inputs: [...MODEL_FILES, ...ADAPTER_FILES], inFolder: ".", run: (output) => adapt(model(), { adapter: trained.adapter(), output: at("place", "new.onnx"), saveAdapter: output }) },
    { what: "adapt --save-adapter FILE", name: "out.onnx_adapter", inputs: [...MODEL_FILES, ...ADAPTER_FILES], run: (output) => adapt(model(), { adapter: trained.adapter(), output: at("place", "new.onnx"), saveAdapter: output }) },
    { what: "fold -o FILE", name: "out.onnx", inputs: [...MODEL_FILES, ...ADAPTER_FILES], run: (output) => fold(model(), { adapter: trained.adapter(), output }) },
    { what: "fold -o FILE with --checkpoint", name: "out.onnx", inputs: ["saved/checkpoint", "adapter/hut.json"], run: (output) => fold(model(), { adapter: trained.adapter(), checkpoint: at("saved", "checkpoint"), output }) },
    { what: "fold -o DIR", name: "config.json", inputs: [...MODEL_FILES, ...ADAPTER_FILES], inFolder: ".", run: (output) => fold(model(), { adapter: trained.adapter(), output }) },
    { what: "fold's graph in -o DIR", name: "model.onnx", inputs: [...MODEL_FILES, ...ADAPTER_FILES], inFolder: "onnx", run: (output) => fold(model(), { adapter: trained.adapter(), output }) },
    { what: "artifacts -o", name: "manifest.json", inputs: [...MODEL_FILES, ...ADAPTER_FILES], inFolder: ".", run: (output) => artifacts(model(), { adapter: trained.adapter(), output }) },
    { what: "artifacts' adapter", name: "adapter_model.safetensors", inputs: [...MODEL_FILES, ...ADAPTER_FILES], inFolder: "adapter", run: (output) => artifacts(model(), { adapter: trained.adapter(), output }) },
    { what: "artifacts' weights", name: "base.onnx_data", inputs: ["base/weights.bin"], inFolder: ".", run: (output) => artifacts(model(), { output }) },
    { what: "train -o", name: "metrics.jsonl", inputs: [...MODEL_FILES, ...ADAPTER_FILES, "data/data.jsonl", "data/dev.jsonl"], inFolder: ".",
      run: (output) => train(model(), { adapter: trained.adapter(), train: at("data", "data.jsonl"), dev: at("data", "dev.jsonl"), output, overwrite: true }) },
    { what: "train's adapter", name: "adapter_model.safetensors", inputs: [...ADAPTER_FILES, "data/data.jsonl"], inFolder: "adapter", run: (output) => train(model(), { adapter: trained.adapter(), train: at("data", "data.jsonl"), output, overwrite: true }) },
    { what: "train's first numbers", name: "run.json", inputs: ["saved/checkpoint"], inFolder: ".",
      run: (output) => train(model(), { adapter: trained.adapter(), train: at("data", "data.jsonl"), resume: at("saved", "checkpoint"), output, overwrite: true }) },
    { what: "predict -o", name: "out.jsonl", inputs: [...MODEL_FILES, ...ADAPTER_FILES, "data/data.jsonl"], run: (output) => predict(model(), { adapter: trained.adapter(), data: at("data", "data.jsonl"), output }) },
    { what: "predict -o with --tokenizer", name: "out.jsonl", inputs: ["adapter/README.md"], run: (output) => predict(model(), { tokenizer: at("adapter", "README.md"), data: at("data", "data.jsonl"), output }) },
  ];

  for (const { what, name, inputs, inFolder, run } of ROWS) {
    it(`is refused: ${what}`, async () => {
      for (const [index, input] of inputs.entries()) {
        for (const [way, lead] of Object.entries(WAYS)) {
          // A folder's file, and a file whose name must have an ending, are led to by links alone.
          const isFree = inFolder === undefined && (!what.startsWith("fold") || input.endsWith(".onnx")) && !(name.endsWith(".onnx_adapter"));
          if (!isFree && !NAMED_WAYS.includes(way)) continue;
          // Artifacts builds its graphs first, which takes half a second: each of its inputs by one way.
          if (what.startsWith("artifacts") && way !== NAMED_WAYS[index % NAMED_WAYS.length]) continue;
          if (!existsSync(at(input))) continue;
          const place = at("place", inFolder ?? ".");
          mkdirSync(place, { recursive: true });
          const output = lead(at(input), place, name);
          const before = snapshot();
          // External data with a second name are refused as an input already.
          const expected = input === "base/weights.bin" && way === "a hard link" ? { code: "EXTERNAL_DATA_HARD_LINKED" } : { code: "OUTPUT_IS_INPUT", exitCode: 2 };
          await assert.rejects(run(inFolder === undefined ? output : at("place")), expected, `${input} by ${way}`);
          assert.deepEqual(snapshot(), before, `${input} by ${way}`);
          rmSync(at("place"), { recursive: true });
          mkdirSync(at("place"));
        }
      }
    });
  }

  it("is refused where the file system takes another case for the same name", async function () {
    cpSync(join(BERT, "model.ts.onnx"), at("place", "model.onnx"));
    if (!existsSync(at("place", "MODEL.onnx"))) this.skip();
    await assert.rejects(adapt(at("place", "model.onnx"), { output: at("place", "MODEL.onnx") }), { code: "OUTPUT_IS_INPUT" });
  });

  it("is refused as a folder: the adapter's own, by name and by a link, and the one that a run or artifacts would put their adapter into", async () => {
    symlinkSync(at("adapter"), at("place", "link"));
    for (const saveAdapter of [at("adapter"), `${at("adapter")}/`, at("place", "link")]) {
      await assert.rejects(adapt(model(), { adapter: at("adapter"), output: at("place", "a.onnx"), saveAdapter }), { code: "OUTPUT_IS_INPUT" });
    }
    mkdirSync(at("place", "run"));
    symlinkSync(at("adapter"), at("place", "run", "adapter"));
    const options = { adapter: at("adapter"), output: at("place", "run") };
    await assert.rejects(train(model(), { ...options, train: at("data", "data.jsonl"), overwrite: true }), { code: "OUTPUT_IS_INPUT" });
    await assert.rejects(artifacts(model(), options), { code: "OUTPUT_IS_INPUT" });
    assert.deepEqual(readdirSync(at("place", "run")), ["adapter"]);
  });

  it("is refused as a run's folder that holds the model, by its name or really", async () => {
    const files = readdirSync(at("base"));
    await assert.rejects(train(model(), { train: at("data", "data.jsonl"), output: at("base") }), { code: "OUTPUT_HOLDS_INPUT", exitCode: 2, message: /base" holds the input ".*model\.onnx"/ });
    symlinkSync(at("base"), at("place", "link"));
    await assert.rejects(train(model(), { train: at("data", "data.jsonl"), output: at("place", "link") }), { code: "OUTPUT_HOLDS_INPUT" });
    assert.deepEqual(readdirSync(at("base")), files);
  });

  it("is told apart from one beside an input: adapted graph and artifacts go into the base's folder", async () => {
    makeExternal(join(BERT, "model.ts.onnx"), at("place"));
    await adapt(at("place", "model.onnx"), { output: at("place", "adapted.onnx"), saveAdapter: at("place", "start") });
    await artifacts(at("place", "model.onnx"), { output: at("place") });
    assert.ok(existsSync(at("place", "step.onnx")) && existsSync(at("place", "manifest.json")));
    renameSync(at("place", "model.onnx"), at("place", "grad.onnx"));
    await assert.rejects(artifacts(at("place", "grad.onnx"), { output: at("place") }), { code: "OUTPUT_IS_INPUT", message: /grad\.onnx" is the input/ });
  });

  /** Every file with size, time and bytes. */
  function snapshot(): string[] {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort().map((name) => {
      const stats = statSync(at(name));
      return stats.isFile() ? `${name} ${String(stats.mtimeMs)} ${readFileSync(at(name)).toString("base64").slice(0, 4000)}` : name;
    });
  }
});
