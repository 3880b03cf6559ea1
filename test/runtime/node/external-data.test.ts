import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveExternal } from "../../../src/runtime/node/external-data.ts";

describe("resolveExternal", () => {
  let root = "";
  before(function () {
    if (process.platform === "win32") this.skip();
    root = realpathSync(mkdtempSync(join(tmpdir(), "hut-external-")));
    for (const folder of ["model/sub", "elsewhere", "cache/blobs", "cache/snapshots/1/onnx", "model-twin"]) mkdirSync(join(root, folder), { recursive: true });
    const files = ["model/model.onnx", "model/data", "model/sub/data", "model/onnx::MatMul_8", "model-twin/data",
      "elsewhere/secret", "cache/blobs/m", "cache/blobs/d"];
    for (const file of files) {
      writeFileSync(join(root, file), file);
    }
    symlinkSync("data", join(root, "model/inner-link"));
    symlinkSync("../elsewhere/secret", join(root, "model/outer-link"));
    symlinkSync("../model-twin/data", join(root, "model/twin-link"));
    symlinkSync("../elsewhere", join(root, "model/outer-folder"));
    symlinkSync("nowhere", join(root, "model/dangling"));
    symlinkSync("../../../blobs/m", join(root, "cache/snapshots/1/onnx/model.onnx"));
    symlinkSync("../../../blobs/d", join(root, "cache/snapshots/1/onnx/model.onnx_data"));
    symlinkSync("../../../../elsewhere/secret", join(root, "cache/snapshots/1/onnx/leak"));
  });
  after(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const resolve = (location: string, model = "model/model.onnx"): string => resolveExternal(join(root, model), location);

  it("gives the real path of a file in the model's folder", () => {
    assert.equal(resolve("data"), join(root, "model/data"));
    assert.equal(resolve("./sub//data"), join(root, "model/sub/data"));
    assert.equal(resolve("inner-link"), join(root, "model/data"));
    assert.equal(resolve("model.onnx"), join(root, "model/model.onnx"));
    assert.equal(resolve("onnx::MatMul_8"), join(root, "model/onnx::MatMul_8"));
  });

  it("follows a cache's links into the folder where the model really lies", () => {
    assert.equal(resolve("model.onnx_data", "cache/snapshots/1/onnx/model.onnx"), join(root, "cache/blobs/d"));
    assert.throws(() => resolve("leak", "cache/snapshots/1/onnx/model.onnx"), { code: "EXTERNAL_DATA_LEAVES_FOLDER" });
  });

  it("refuses links that lead out, into a folder of a longer name too", () => {
    for (const location of ["outer-link", "outer-folder/secret", "twin-link"]) {
      assert.throws(() => resolve(location), { code: "EXTERNAL_DATA_LEAVES_FOLDER", message: /a link that leads out/ });
    }
  });

  const unsafe: [location: string, problem: RegExp][] = [
    ["", /it is empty/], ["/etc/passwd", /absolute/], ["../elsewhere/secret", /leads out/], ["sub/../../elsewhere/secret", /leads out/],
    ["sub/../data", /leads out/], ["data\0.txt", /NUL/], ["sub\\data", /backslash/], ["..\\elsewhere", /backslash/], ["C:data", /drive letter/],
    ["*/_ORT_MEM_ADDR_/*", /memory/], [".", /names a folder/], ["sub/", /names a folder/], ["a".repeat(5000), /longer than 4096/],
  ];
  for (const [location, problem] of unsafe) {
    it(`refuses ${JSON.stringify(location.slice(0, 40))}`, () => {
      assert.throws(() => resolve(location), { code: "UNSAFE_EXTERNAL_LOCATION", message: problem });
    });
  }

  it("names what is missing or no file", () => {
    assert.throws(() => resolve("gone.bin"), { code: "EXTERNAL_DATA_MISSING", message: /keeps weights in "gone\.bin"/ });
    assert.throws(() => resolve("dangling"), { code: "EXTERNAL_DATA_MISSING" });
    assert.throws(() => resolve("sub"), { code: "NOT_A_REGULAR_FILE" });
    assert.throws(() => resolve("data", "model/none.onnx"), { code: "FILE_MISSING" });
  });
});
