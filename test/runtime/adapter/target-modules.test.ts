import assert from "node:assert/strict";
import { patternValues, targetTest, unmatchedEntries, type TargetRule } from "../../../src/runtime/adapter/target-modules.ts";

const rule = (own: Partial<TargetRule>): TargetRule =>
  ({ targetModules: ["query"], modulesToSave: [], excludeModules: [], layersToTransform: [], layersPattern: [], ...own });
const query = (layer: number): string => `bert.encoder.layer.${String(layer)}.attention.self.query`;

describe("targetTest", () => {
  it("compares whole parts from the end", () => {
    const test = targetTest(rule({ targetModules: ["query", "self.value", "classifier"] }));
    for (const path of [query(0), "query", "a.self.value", "classifier"]) assert.ok(test(path), path);
    for (const path of ["a.myquery", "query.dense", "other.value", "classifier.dense"]) assert.ok(!test(path), path);
  });

  it("takes a text as a pattern for the whole path, and all-linear as everything", () => {
    assert.ok(targetTest(rule({ targetModules: ".*\\.(query|value)" }))(query(3)));
    assert.ok(!targetTest(rule({ targetModules: "query" }))(query(3)));
    assert.ok(targetTest(rule({ targetModules: "All-Linear" }))("anything"));
  });

  it("leaves out what is excluded, trained whole, or in other layers", () => {
    assert.ok(!targetTest(rule({ excludeModules: ["layer.1.attention.self.query"] }))(query(1)));
    assert.ok(!targetTest(rule({ excludeModules: ".*layer\\.1\\..*" }))(query(1)));
    assert.ok(!targetTest(rule({ targetModules: ["dense"], modulesToSave: ["classifier"] }))("classifier.dense"));
    const layers = targetTest(rule({ layersToTransform: [1] }));
    assert.deepEqual([0, 1, 11].map((layer) => layers(query(layer))), [false, true, false]);
    assert.ok(targetTest(rule({ layersToTransform: [1], layersPattern: ["layer"] }))(query(1)));
    assert.ok(!targetTest(rule({ layersToTransform: [1], layersPattern: ["h"] }))(query(1)));
    assert.ok(!layers("query"));
  });

  it("finds entries that end no path", () => {
    assert.deepEqual(unmatchedEntries(["query", "self.query", "value", "uery"], [query(0)]), ["value", "uery"]);
  });
});

describe("patternValues", () => {
  it("looks a path up by its ending or by a pattern", () => {
    const rank = patternValues({ "layer.1.attention.self.query": 2, "layer\\.[34]\\..*": 3, "^bert.encoder.layer.5.*": 5 }, 8);
    assert.deepEqual([0, 1, 3, 5, 11].map((layer) => rank(query(layer))), [8, 2, 3, 5, 8]);
  });
});
