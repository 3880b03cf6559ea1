import assert from "node:assert/strict";
import { fingerprintOf, fingerprintPositions, formatHutJson, parseHutJson, type HutJson } from "../../../src/runtime/adapter/hut-json.ts";

const hut: HutJson = {
  formatVersion: 1, method: "hut", alpha: 16, roles: ["q"],
  modules: { "a.query": { initializer: "onnx::MatMul_8", shape: [64, 32], stored: "kn", fingerprint: fingerprintOf([64, 32], (i) => i / 10) } },
  head: { pooling: "mean", module: "classifier", numLabels: 2 },
  saved: {
    "classifier.weight": { initializer: null, shape: [2, 32], stored: null },
    "x.weight": { initializer: "x.weight", shape: [2, 32], stored: "nk" },
  },
};
/** hut.json with one place changed. */
const changed = (change: (json: Record<string, unknown>) => void): string => {
  const json = JSON.parse(formatHutJson(hut)) as Record<string, unknown>;
  change(json);
  return JSON.stringify(json);
};

describe("hut.json", () => {
  it("comes back as it was written, numbers on one line", () => {
    const text = formatHutJson(hut);
    assert.deepEqual(parseHutJson(text, "hut.json"), hut);
    assert.ok(text.split("\n").length < 60 && text.includes("\"shape\": [64, 32]"));
    const { head, ...headless } = hut;
    assert.ok(head);
    assert.deepEqual(parseHutJson(formatHutJson(headless), "hut.json"), headless);
  });

  it("keeps the step of a quantized weight's fingerprint", () => {
    const [entry] = Object.values(hut.modules);
    assert.ok(entry !== undefined);
    const quantized = { ...hut, modules: { "a.query": { ...entry, fingerprint: { ...entry.fingerprint, step: 0.25 } } } };
    assert.deepEqual(parseHutJson(formatHutJson(quantized), "hut.json"), quantized);
  });

  it("does not depend on the order of its entries", () => {
    const turned = { ...hut, saved: Object.fromEntries(Object.entries(hut.saved).reverse()) };
    assert.equal(formatHutJson(turned), formatHutJson(hut));
  });

  it("takes fingerprints at 64 places all over the weight", () => {
    for (const [k, n] of [[384, 384], [64, 64], [8, 8], [1024, 4096], [4096, 1]] as const) {
      const positions = fingerprintPositions(k, n);
      assert.equal(new Set(positions).size, 64);
      assert.ok(positions.every((position, i) => position < k * n && position >= (positions[i - 1] ?? 0)));
      assert.ok(new Set(positions.map((position) => position % n)).size >= Math.min(n, 8), "not all in a few columns");
      assert.ok(k * n < 1000 || n === 1 || positions.filter((position) => position % n === Math.floor(position / n)).length < 8, "not along the diagonal");
    }
    assert.deepEqual(fingerprintPositions(2, 2), [0, 1, 2, 3]);
    assert.deepEqual(fingerprintPositions(1, 1), [0]);
    assert.equal(fingerprintOf([1, 1], () => 0.1).values[0], Math.fround(0.1));
  });

  const wrong: [what: string, text: string, code: string, field: string][] = [
    ["another version", changed((json) => (json.formatVersion = 2)), "FIELD_WRONG", "formatVersion"],
    ["an unknown key", changed((json) => (json.extra = 1)), "FIELD_UNKNOWN", "extra"],
    ["an unknown key in a module", changed((json) => Object.assign((json.modules as HutJson["modules"])["a.query"] ?? {}, { x: 1 })),
      "FIELD_UNKNOWN", "modules.a.query.x"],
    ["an alpha of 0", changed((json) => (json.alpha = 0)), "FIELD_WRONG", "alpha"],
    ["an alpha in words", changed((json) => (json.alpha = "16")), "FIELD_WRONG", "alpha"],
    ["a missing key", changed((json) => delete json.roles), "FIELD_WRONG", "roles"],
    ["an unknown pooling", changed((json) => Object.assign(json.head ?? {}, { pooling: "max" })), "FIELD_WRONG", "head.pooling"],
    ["a fractional label count", changed((json) => Object.assign(json.head ?? {}, { numLabels: 1.5 })), "FIELD_WRONG", "head.numLabels"],
    ["modules as a list", changed((json) => (json.modules = [])), "FIELD_WRONG", "modules"],
    ["a step of 0", formatHutJson(hut).replace(/"positions"/, "\"step\": 0, \"positions\""), "FIELD_WRONG", "modules.a.query.fingerprint.step"],
    ["a fingerprint outside its weight", formatHutJson(hut).replace(/("positions": \[.*), \d+\]/, "$1, 2048]"),
      "FIELD_WRONG", "modules.a.query.fingerprint.positions"],
    ["a fingerprint of another shape", formatHutJson(hut).replace(/"shape": \[64, 32\]/, "\"shape\": [64, 33]"),
      "FIELD_WRONG", "modules.a.query.fingerprint.shape"],
    ["values that are missing", formatHutJson(hut).replace(/"values": \[[^\]]*\]/, "\"values\": [1]"),
      "FIELD_WRONG", "modules.a.query.fingerprint.values"],
  ];
  for (const [what, text, code, field] of wrong) {
    it(`refuses ${what}, naming the key`, () => {
      assert.throws(() => parseHutJson(text, "hut.json"),
        (error: Error & { code?: string }) => error.code === code && error.message.includes(JSON.stringify(field)));
    });
  }

  it("takes __proto__ as a name", () => {
    const module = hut.modules["a.query"];
    const text = formatHutJson({ ...hut, modules: Object.fromEntries([["__proto__", module]]) as HutJson["modules"] });
    assert.deepEqual(Object.keys(parseHutJson(text, "hut.json").modules), ["__proto__"]);
  });
});
