import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { differences } from "../../src/ir/compare.ts";
import { modelFromProto } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { everyGraph } from "../../src/ir/nested.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, tensorProto, valueInfoProto, type ModelProto, type NodeProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { bytesOf, Tensor } from "../../src/ir/tensor.ts";
import { inlineFunctions } from "../../src/passes/inline-functions.ts";
import { constantsOf, keepFunctions, type WrittenOut } from "../../src/passes/keep-functions.ts";

const constant = (output: string, values: number[]): NodeProto => nodeProto({ opType: "Constant", output: [output],
  attribute: [attributeProto({ name: "value", type: 4, t: tensorProto({ dims: [values.length], dataType: 1, docString: "said", rawData: bytesOf(Float32Array.from(values)) }) })] });
const add = (a: string, b: string, output: string): NodeProto => nodeProto({ opType: "Add", input: [a, b], output: [output] });

/** A function with a constant of its own, one of floats as an attribute, and one in a branch; a graph with an initializer, a Constant, and one in a branch. */
function model(): ModelProto {
  const branches = (names: string): NodeProto => nodeProto({ opType: "If", input: ["c"], output: [`${names}y`], attribute: ["then_branch", "else_branch"].map((name, i) => attributeProto({ name, type: 5,
    g: graphProto({ name, node: [constant(`${names}${String(i)}`, [i + 1, i + 2]), add("x", `${names}${String(i)}`, `${names}o${String(i)}`)], output: [valueInfoProto({ name: `${names}o${String(i)}` })] }) })) });
  const opsetImport = [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "local", version: 1 })];
  const f = functionProto({ name: "F", domain: "local", input: ["x", "c"], output: ["y"], opsetImport, node: [constant("own", [1, 2]), nodeProto({ opType: "Constant", output: ["list"], attribute: [attributeProto({ name: "value_floats", type: 6, floats: [3, 4] })] }),
    branches("f"), add("fy", "own", "s"), add("s", "list", "y")] });
  return modelProto({ irVersion: 8, opsetImport, functions: [f], graph: graphProto({ name: "g", input: [valueInfoProto({ name: "x" }), valueInfoProto({ name: "c" })], output: [valueInfoProto({ name: "out" })],
    initializer: [tensorProto({ name: "w", dims: [2], dataType: 1, rawData: bytesOf(Float32Array.of(5, 6)) })],
    node: [constant("k", [7, 8]), branches("g"), nodeProto({ opType: "F", domain: "local", input: ["gy", "c"], output: ["a"] }), add("a", "w", "b"), add("b", "k", "out")] }) });
}

/** Everything a constant holds, doubled. */
function double(m: Model): number {
  let count = 0;
  const doubled = (t: Tensor): Tensor => { count += 1; return Tensor.floats(t.dims, Float32Array.from(t.toNumbers() ?? [], (v) => 2 * v)); };
  for (const graph of everyGraph(m.graph)) {
    for (const value of graph.initializers) if (value.initializer !== undefined) value.initializer = doubled(value.initializer);
    for (const node of graph.nodes) {
      const a = node.attributes.get("value");
      if (node.opType === "Constant" && a?.kind === "tensor") node.attributes.set("value", { kind: "tensor", value: doubled(a.value) });
    }
  }
  return count;
}

describe("keepFunctions", () => {
  /** The model written out, and what it held. */
  function writtenOut(fresh: Model): WrittenOut {
    const inlined = inlineFunctions(fresh);
    return { graph: fresh.graph, inlined, before: constantsOf(fresh.graph), added: new Map() };
  }
  const opened = (proto: ModelProto): Model => modelFromProto(proto, { file: "m", openExternal: undefined });

  it("puts every new value where the old one stood, in functions and branches, and changes nothing else", () => {
    const proto = model();
    const [base, fresh] = [opened(proto), opened(proto)];
    const written = writtenOut(fresh);
    assert.equal(double(fresh), 8);
    assert.equal(keepFunctions(base, written), true);
    // By writing it out again: the doubled constants, wherever they were.
    const again = opened(modelToProto(base));
    inlineFunctions(again);
    assert.deepEqual(differences(modelToProto(again).graph?.initializer.map((t) => t.rawData), modelToProto(fresh).graph?.initializer.map((t) => t.rawData)), []);
    const changed = differences(proto, modelToProto(base), 100);
    assert.equal(changed.filter((path) => path.endsWith("rawData")).length, 7);
    assert.ok(changed.every((path) => path.endsWith("rawData") || path.startsWith("functions[F].node[1].attribute[value_floats]")), String(changed));
    assert.equal(base.functions[0]?.node[0]?.attribute[0]?.t?.docString, "said");
  });

  it("leaves the message that was read, and functions that don't change, as they are", () => {
    const proto = model();
    const text = JSON.stringify(proto);
    const [base, fresh] = [opened(proto), opened(proto)];
    const written = writtenOut(fresh);
    assert.equal(keepFunctions(base, written), true);
    assert.equal(base.functions[0], proto.functions[0]);
    double(fresh);
    keepFunctions(base, written);
    assert.notEqual(base.functions[0], proto.functions[0]);
    assert.equal(JSON.stringify(proto), text);
  });

  it("tells where a new constant has no place", () => {
    const proto = model();
    const [base, fresh] = [opened(proto), opened(proto)];
    const written = writtenOut(fresh);
    const extra = fresh.graph.addInitializer("extra", Tensor.floats([1], [1]));
    assert.equal(keepFunctions(base, written), false);
    assert.deepEqual(differences(proto, modelToProto(base)), []);
    const twin = base.graph.addInitializer("extra", Tensor.floats([1], [0]));
    assert.equal(keepFunctions(base, { ...written, added: new Map([[extra, twin]]) }), true);
    assert.equal(twin.initializer, extra.initializer);
  });
});
