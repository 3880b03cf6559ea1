import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { adapt, artifacts, fold, predict, train } from "../../../src/index.ts";
import { LOCK_FILE } from "../../../src/runtime/node/lock-folder.ts";
import { isTemporaryName, temporaryName } from "../../../src/runtime/node/temporary-file.ts";
import { makeExternal } from "./external-model.ts";

const BERT = "fixtures/cases/bert";
const MODEL = join(BERT, "model.ts.onnx");
const DATA = join(BERT, "batch.jsonl");

describe("what a killed command left", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-left-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  const adapter = join(BERT, "adapter-trained");
  /** Each verb, and the folders that it writes into. */
  const ROWS: readonly (readonly [verb: string, folders: readonly string[], run: () => Promise<unknown>])[] = [
    ["adapt", [".", "adapter"], () => adapt(MODEL, { output: at("a.onnx"), saveAdapter: at("adapter") })],
    ["fold to a file", ["."], () => fold(MODEL, { adapter, output: at("m.onnx") })],
    ["fold to a folder", ["model", "model/onnx"], () => { makeExternal(MODEL, at("base")); return fold(at("base", "model.onnx"), { adapter, output: at("model") }); }],
    ["artifacts", ["artifacts", "artifacts/adapter"], () => artifacts(MODEL, { output: at("artifacts") })],
    ["predict", ["."], () => predict(MODEL, { data: DATA, output: at("p.jsonl") })],
    ["train", ["run", "run/adapter", "run/checkpoint-1"], () => train(MODEL, { train: DATA, maxSteps: 1, threads: 1, output: at("run"), overwrite: true })],
  ];
  for (const [verb, folders, run] of ROWS) {
    it(`goes with the next run, in every folder that it writes into: ${verb}`, async () => {
      const { pid } = spawnSync(process.execPath, ["-e", ""]);
      for (const name of folders) {
        mkdirSync(at(name), { recursive: true });
        writeFileSync(at(name, temporaryName("model.onnx", pid)), "half");
        // Announced, and killed before it had the lock.
        writeFileSync(at(name, temporaryName(LOCK_FILE, pid)), "{}");
      }
      await run();
      assert.deepEqual(readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => isTemporaryName(basename(name)) || basename(name) === LOCK_FILE), []);
    });
  }

  it("goes when a second Ctrl-C ends the process in the middle of a file", () => {
    const program = `import { temporaryBeside } from "./src/runtime/node/temporary-file.ts"; import { writeFileSync } from "node:fs";
      const path = temporaryBeside(${JSON.stringify(at("model.onnx"))}); writeFileSync(path, "half"); process.stdout.write(path); process.exit(130);`;
    const { status, stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8" });
    assert.equal(status, 130);
    assert.ok(isTemporaryName(basename(stdout)) && !existsSync(stdout));
  });
});
