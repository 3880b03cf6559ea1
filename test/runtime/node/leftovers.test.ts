import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { adapt, artifacts, fold, predict, train } from "../../../src/index.ts";
import { finishRenames, removeLeftovers } from "../../../src/runtime/node/leftovers.ts";
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

  /** Has a process of its own write into `out/`, with its lists of renames, and be killed after the first of `count` renames. Its files hold their names. */
  function killBetweenRenames(paths: readonly string[], unwanted: readonly string[]): void {
    const program = `import { mkdirSync, renameSync, writeFileSync } from "node:fs"; import { basename, dirname } from "node:path";
      import { noteRenames } from "./src/runtime/node/leftovers.ts"; import { temporaryBeside } from "./src/runtime/node/temporary-file.ts";
      const renames = ${JSON.stringify(paths)}.map((path) => ({ path, temporary: (mkdirSync(dirname(path), { recursive: true }), temporaryBeside(path)) }));
      for (const { path, temporary } of renames) writeFileSync(temporary, basename(path));
      noteRenames(renames, ${JSON.stringify(unwanted)});
      renameSync(renames[0].temporary, renames[0].path);
      process.kill(process.pid, "SIGKILL");`;
    assert.equal(spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program]).signal, "SIGKILL");
  }
  const listed = (): string[] => readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => statSync(at(name)).isFile()).sort();

  it("between two renames is finished by who next comes to any of the folders, and goes", () => {
    for (const place of ["out", "out/adapter"]) {
      mkdirSync(at("out"), { recursive: true });
      for (const name of ["model.onnx", "old.json"]) writeFileSync(at("out", name), "old");
      killBetweenRenames([at("out", "adapter", "hut.json"), at("out", "model.onnx"), at("out", "data")], [at("out", "old.json")]);
      assert.equal(readFileSync(at("out", "model.onnx"), "utf8"), "old");
      finishRenames(at(place));
      removeLeftovers(at("out"));
      removeLeftovers(at("out", "adapter"));
      assert.deepEqual(listed(), ["out/adapter/hut.json", "out/data", "out/model.onnx"]);
      for (const name of ["adapter/hut.json", "data", "model.onnx"]) assert.equal(readFileSync(at("out", name), "utf8"), basename(name));
      rmSync(at("out"), { recursive: true });
    }
  });

  it("undoes nothing that was written since", () => {
    killBetweenRenames([at("out", "a"), at("out", "b")], [at("out", "old.json")]);
    for (const name of listed()) if (name.includes(".b.")) rmSync(at(name));
    for (const name of ["a", "old.json"]) writeFileSync(at("out", name), "since");
    removeLeftovers(at("out"));
    assert.deepEqual(listed(), ["out/a", "out/old.json"]);
    assert.equal(readFileSync(at("out", "a"), "utf8"), "since");
  });

  it("says nothing of files elsewhere, whoever wrote the list", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    mkdirSync(at("out"));
    for (const name of ["victim", "other", "out/.profile"]) writeFileSync(at(name), name);
    const renames = [["../other", "../victim"], [".profile", "../victim"], [temporaryName("victim", pid), "../victim"]];
    writeFileSync(at("out", temporaryName("victim", pid)), "evil");
    writeFileSync(at("out", temporaryName("onnx-hut-renames", pid)), JSON.stringify({ renames, unwanted: ["../victim", "../other"] }));
    writeFileSync(at("out", temporaryName("onnx-hut-renames", pid)), '{"renames": 1');
    removeLeftovers(at("out"));
    assert.deepEqual(listed(), ["other", "out/.profile", "victim"]);
    assert.equal(readFileSync(at("victim"), "utf8"), "victim");
  });

  it("goes when a second Ctrl-C ends the process in the middle of a file", () => {
    const program = `import { temporaryBeside } from "./src/runtime/node/temporary-file.ts"; import { writeFileSync } from "node:fs";
      const path = temporaryBeside(${JSON.stringify(at("model.onnx"))}); writeFileSync(path, "half"); process.stdout.write(path); process.exit(130);`;
    const { status, stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8" });
    assert.equal(status, 130);
    assert.ok(isTemporaryName(basename(stdout)) && !existsSync(stdout));
  });
});
