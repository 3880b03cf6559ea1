import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";

describe("the door for browsers", () => {
  it("bundles without anything of Node", async () => {
    const { metafile, outputFiles } = await build({ entryPoints: ["src/browser.ts"], bundle: true, platform: "browser", format: "esm", target: "es2022", write: false, metafile: true, minify: true, logLevel: "silent" });
    const inputs = Object.keys(metafile.inputs);
    assert.deepEqual(inputs.filter((path) => /onnxruntime-node|src\/runtime\/node|src\/cli/.test(path)), []);
    const imported = Object.values(metafile.outputs).flatMap((output) => output.imports.map((i) => i.path));
    assert.deepEqual(imported, []);
    const [bundle] = outputFiles;
    assert.doesNotMatch(bundle?.text ?? "", /["']node:/);
    assert.ok((bundle?.contents.length ?? 0) < 1_000_000, "a page loads it before anything else");
  });

  it("reads a table and a model where there is nothing of Node", async () => {
    const { outputFiles } = await build({ entryPoints: ["src/browser.ts"], bundle: true, platform: "browser", format: "iife", globalName: "hut", target: "es2022", write: false, logLevel: "silent" });
    const context = createContext({ TextDecoder, TextEncoder, performance, model: new Uint8Array(readFileSync("fixtures/cases/bert/model.ts.onnx")) });
    runInContext(outputFiles[0]?.text ?? "", context);
    assert.equal(runInContext(`hut.readRecords({ name: "a.csv", content: 'text,label\\n"good, very",1\\n' }).records[0].fields.text`, context), "good, very");
    assert.equal(runInContext(`hut.openModel({}, { model }).adapt().trainableParams`, context), 4226);
  });

  it("is what package.json gives to all that is not Node", () => {
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as { exports: Record<string, unknown> };
    assert.deepEqual(exports["."], {
      node: { types: "./dist/index.d.ts", default: "./dist/index.js" }, default: { types: "./dist/browser.d.ts", default: "./dist/browser.js" },
    });
  });
});
