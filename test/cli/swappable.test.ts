/** `adapt --swappable` on the command line, with real files. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as verbs from "../../src/index.ts";
import { run } from "./run.ts";

const CASE = "fixtures/cases/bert";

describe("adapt --swappable", () => {
  let folder = "";
  const at = (name: string): string => join(folder, name);
  const json = (out: string): Record<string, unknown> => JSON.parse(out) as Record<string, unknown>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-swap-cli-"));
    copyFileSync(`${CASE}/model.ts.onnx`, at("model.onnx"));
  });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  it("writes the graph beside its base, and the adapter as ONNX Runtime's own file", async () => {
    const { code, out } = await run(["adapt", at("model.onnx"), "--swappable", "--adapter", `${CASE}/adapter-trained`, "-o", at("s.onnx"), "--save-adapter", at("a.onnx_adapter"), "--json"], { verbs });
    assert.equal(code, 0, out);
    const inputs = json(out)["inputs"] as { name: string; shape: (number | string)[] }[];
    assert.deepEqual(inputs.find((i) => i.name.endsWith("layer.0.attention.self.query.hut_A"))?.shape, [64, "lora_r"]);
    assert.ok(inputs.some((i) => i.name === "classifier.weight"));
    assert.ok(statSync(at("s.onnx")).size < statSync(at("model.onnx")).size && existsSync(at("a.onnx_adapter")));
    const folded = await run(["fold", at("model.onnx"), "--adapter", at("a.onnx_adapter"), "-o", at("merged.onnx"), "--json"], { verbs });
    assert.equal(folded.code, 0, folded.out);
    await run(["fold", at("model.onnx"), "--adapter", `${CASE}/adapter-trained`, "-o", at("other.onnx"), "--json"], { verbs });
    assert.deepEqual(readFileSync(at("merged.onnx")), readFileSync(at("other.onnx")));
  });

  it("says how many inputs there are, and with --dry-run writes nothing", async () => {
    const { code, out } = await run(["adapt", at("model.onnx"), "--swappable", "-o", at("s.onnx"), "--save-adapter", at("a.onnx_adapter"), "--dry-run"], { verbs });
    assert.equal(code, 0, out);
    assert.match(out, /query +\[64, 64\] +any +\d/);
    assert.match(out, /inputs +10, for adapters of any rank\n/);
    assert.match(out, /would write/);
    assert.ok(!existsSync(at("s.onnx")) && !existsSync(at("a.onnx_adapter")));
  });

  it("gives the rows of a batch adapters of their own with --per-row, which needs --swappable", async () => {
    const { code, out } = await run(["adapt", at("model.onnx"), "--swappable", "--per-row", "-o", at("s.onnx"), "--json"], { verbs });
    assert.equal(code, 0, out);
    const inputs = json(out)["inputs"] as { name: string; shape: (number | string)[] }[];
    assert.deepEqual(inputs.find((i) => i.name.endsWith("layer.0.attention.self.query.hut_A"))?.shape, ["hut_rows", 64, "lora_r"]);
    const alone = await run(["adapt", at("model.onnx"), "--per-row", "-o", at("other.onnx"), "--json"], { verbs });
    assert.equal(alone.code, 2);
    assert.deepEqual((json(alone.out)["error"] as { code: string; message: string }).message, "--per-row needs --swappable. Give both, or neither.");
    assert.ok(!existsSync(at("other.onnx")));
  });

  it("refuses a file that only ends as an adapter does", async () => {
    writeFileSync(at("bad.onnx_adapter"), "nothing of the kind");
    const { code, out } = await run(["adapt", at("model.onnx"), "--swappable", "--adapter", at("bad.onnx_adapter"), "-o", at("s.onnx"), "--json"], { verbs });
    assert.equal(code, 1);
    assert.equal((json(out)["error"] as { code: string }).code, "ONNX_ADAPTER_BROKEN");
  });
});
