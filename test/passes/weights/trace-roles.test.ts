/** Roles, layers and parts of packed weights, told by topology: the same whoever exported or fused the model, and with its names gone. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, it } from "mocha";
import { findWeights, type WeightSite } from "../../../src/passes/weights/find-weights.ts";
import { traceRoles } from "../../../src/passes/weights/trace-roles.ts";
import { findLogits } from "../../../src/runtime/model-outputs.ts";
import { openFixture } from "../workbench.ts";

function traced(file: string): WeightSite[] {
  const model = openFixture(file);
  const sites = findWeights(model.graph);
  traceRoles(model, sites, findLogits(model.graph));
  return sites;
}

/** "0 q", "0 qkv q:0-31 k:32-63 v:64-95", …, each once. */
function words(file: string): string[] {
  const runs = (columns: readonly number[]): string => columns.reduce<[number, number][]>((all, c) => {
    const last = all.at(-1);
    if (last?.[1] === c - 1) last[1] = c;
    else all.push([c, c]);
    return all;
  }, []).map(([a, b]) => `${String(a)}-${String(b)}`).join(",");
  return traced(file).map(({ role, layer, blocks }) => [layer ?? "-", role ?? "-", ...[...blocks ?? []].map(([r, columns]) => `${r}:${runs(columns)}`)].join(" "));
}

const layers = (...roles: string[]): string[] => [0, 1].flatMap((layer) => roles.map((role) => `${String(layer)} ${role}`));

describe("roles are traced", () => {
  const encoder = [...layers("q", "k", "v", "o", "up", "down"), "- -", "- head"];
  for (const form of ["stripped", "opset11", "opset23", "norms-ts", "norms-dynamo", "mha", "half", "function", "functions"]) {
    it(`in a BERT in the form ${form}`, () => {
      const have = words(`fused/bert/model.${form}.onnx`);
      // Functions are written out where a model is opened, not here.
      if (form.startsWith("function")) assert.ok(have.length <= encoder.length);
      else assert.deepEqual(have, encoder);
    });
  }

  it("in fused attention, whose weight is packed", () => {
    assert.deepEqual(words("fused/bert/model.attention.onnx"), [...layers("qkv q:0-31 k:32-63 v:64-95", "o", "up", "down"), "- -", "- head"]);
    assert.deepEqual(words("fused/gpt2/model.past.onnx"), [...layers("qkv q:0-31 k:32-63 v:64-95", "o", "up", "down"), "- head"]);
  });

  it("where q is wider than k and v", () => {
    assert.deepEqual(words("fused/llama/model.builder.onnx"), [...layers("qkv q:0-63 k:64-95 v:96-127", "o", "gate", "up", "down"), "- head"]);
    assert.deepEqual(words("families/phi3/model.ts.onnx").filter((w) => w.includes("qkv")), layers("qkv q:0-31 k:32-47 v:48-63"));
  });

  it("where every head holds its own q, k and v", () => {
    const each = "qkv q:0-7,24-31,48-55,72-79 k:8-15,32-39,56-63,80-87 v:16-23,40-47,64-71,88-95";
    for (const family of ["gpt-neox", "bloom"]) {
      for (const exporter of ["ts", "dynamo"]) assert.deepEqual(words(`families/${family}/model.${exporter}.onnx`).filter((w) => w.includes("qkv")), layers(each), `${family} ${exporter}`);
    }
  });

  it("in both branches of a merged decoder, and in one with a cache", () => {
    for (const form of ["merged", "cache"]) assert.deepEqual(words(`fused/gpt2/model.${form}.onnx`), [...layers("qkv q:0-31 k:32-63 v:64-95", "o", "up", "down"), "- head"], form);
  });

  it("where a head's weight is the embedding, which every product's input comes from", () => {
    assert.deepEqual(words("cases/gpt2/model.dynamo.onnx"), [...layers("qkv q:0-63 k:64-127 v:128-191", "o", "up", "down"), "- head"]);
  });

  it("alike in both exports of every family", () => {
    for (const family of ["cases/bert", "cases/roberta", "cases/gpt2", "cases/llama", "cases/vit", "families/t5", "families/bart", "families/whisper", "families/deberta-v2", "families/mpnet", "families/swin", "families/wav2vec2"]) {
      const files = ["ts", "dynamo"].map((exporter) => `${family}/model.${exporter}.onnx`).filter((file) => existsSync(`fixtures/${file}`));
      const [ts, dynamo] = files.map((file) => words(file).sort());
      assert.deepEqual(dynamo, ts, family);
      assert.ok(["q", "k", "v"].every((role) => ts?.some((w) => w.includes(role))), family);
    }
  });
});
