import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { int } from "../../src/ir/attribute.ts";
import { Node, type Value } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { inferNode } from "../../src/ops/infer.ts";
import { NOT_OPENED_KEY, openComposites } from "../../src/passes/open-composites.ts";
import { nodesWithoutGradient } from "../../src/passes/differentiate.ts";
import { assertSnapshot, assertSound, BATCH, expectSameOutputs, randomFloats, SEQUENCE, workbench, type Workbench } from "./workbench.ts";

/** Draws a node of ONNX Runtime's own domain. */
function contrib({ graph, model }: Workbench, opType: string, inputs: readonly (Value | undefined)[], attributes: Record<string, ReturnType<typeof int>> = {}): Value {
  model.opsets.set("com.microsoft", 1);
  const output = graph.newValue(opType.toLowerCase());
  graph.insert([new Node({ opType, domain: "com.microsoft", name: `the ${opType}`, attributes: new Map(Object.entries(attributes)) }, inputs, [output])]);
  inferNode(graph.nodes.at(-1) as Node, model.opsets);
  return output;
}

describe("openComposites", () => {
  it("says a skip normalization and a GELU with bias in ordinary operators, and the numbers stay", async () => {
    const bench = workbench(20);
    const x = bench.input("x", [BATCH, SEQUENCE, 8]);
    const norm = contrib(bench, "SkipLayerNormalization", [x, bench.op.Mul(x, x), bench.weight("gamma", [8]), bench.weight("beta", [8])]);
    bench.output(contrib(bench, "BiasGelu", [norm, bench.weight("bias", [8])]), "y");
    await expectSameOutputs(bench.model, (m) => openComposites(m), { x: randomFloats([2, 3, 8]) }, { fired: 2, atol: 1e-6 });
    assert.equal(bench.graph.nodes.some((n) => n.domain !== ""), false);
    assertSnapshot(printGraph(bench.graph), "open-composites");
  });

  it("leaves outputs the very values that they were, in the place of others too", () => {
    const bench = workbench(20);
    const x = bench.input("x", [2, 8]);
    const y = bench.output(contrib(bench, "QuickGelu", [x]), "y");
    // A product without bias or factor hands on what Identity would.
    const z = bench.output(contrib(bench, "FusedMatMul", [y, bench.weight("w", [8, 8])]), "z");
    assert.equal(openComposites(bench.model), 2);
    assertSound(bench.graph);
    assert.deepEqual(bench.graph.outputs, [y, z]);
    assert.deepEqual(bench.graph.outputs.map((v) => v.name), ["y", "z"]);
  });

  it("leaves a form that is not written, and its node says why when a gradient has to pass", () => {
    const bench = workbench(20);
    const x = bench.input("x", [2, 3, 8]);
    const w = bench.weight("w", [8, 24]);
    const y = bench.output(contrib(bench, "Attention", [x, w, bench.weight("b", [24])], { num_heads: int(2), do_rotary: int(1) }), "y");
    assert.equal(openComposites(bench.model), 0);
    assertSound(bench.graph);
    const [node] = bench.graph.nodes.filter((n) => n.domain !== "");
    assert.match(node?.metadata.get(NOT_OPENED_KEY) ?? "", /rotary embedding inside of Attention is not written/);
    assert.deepEqual(nodesWithoutGradient(bench.graph, y, [w], bench.model.opsets).map((gap) => gap.node.name), ["the Attention"]);
  });

  it("takes over what the node told of its origin", () => {
    const bench = workbench(20);
    bench.output(contrib(bench, "QuickGelu", [bench.input("x", [2])]), "y");
    bench.graph.nodes[0]?.metadata.set("namespace", "encoder.layer.0");
    openComposites(bench.model);
    assert.ok(bench.graph.nodes.every((n) => n.metadata.get("namespace") === "encoder.layer.0" && n.metadata.get("onnx_hut.pass") === "open"));
  });
});
