/** Fields that a later version of ONNX may add come through: loading and saving, and passes that change something else. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import { differences } from "../../src/ir/compare.ts";
import { loadModel, modelFromProto } from "../../src/ir/load.ts";
import { decodeModel } from "../../src/ir/proto/decode.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { MESSAGES, type ModelProto } from "../../src/ir/proto/generated/schema.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { adapt } from "../../src/runtime/node/verbs/adapt.ts";
import { fold } from "../../src/runtime/node/verbs/fold.ts";
import { everything } from "./everything.ts";
import { futureModel, withLaterFields, type Filled } from "./future-schema.ts";
import { differencesElsewhere } from "./second-decoder.ts";

const fixture = (path: string): string => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));
const bytesOfModel = (proto: ModelProto): Uint8Array => Buffer.concat(encodeModel(proto).chunks.map(readBytes));
const savedAgain = (bytes: Uint8Array): Uint8Array => bytesOfModel(modelToProto(loadModel(memorySource("m.onnx", bytes))));

interface Named { readonly name: string }
interface Decoded { readonly graph: Readonly<Record<"node" | "initializer" | "input" | "output" | "value_info", Named[]>> }

describe("a later version of ONNX", () => {
  const filled: Filled = new Map();
  const later = withLaterFields(bytesOfModel(everything()), filled);

  it("adds fields to every message of the schema in this test", () => {
    const ours = Object.keys(MESSAGES).map((name) => name.replace(/^(TypeProto|TensorProto|TensorShapeProto)(?=[A-Z])/, ""));
    assert.deepEqual([...filled.keys()].sort(), [...new Set(ours)].sort());
  });

  it("loses nothing by load and save, in attributes, nested graphs, functions, sparse tensors and types too", () => {
    const written = savedAgain(later);
    assert.deepEqual(differencesElsewhere(later, written, futureModel), []);
    assert.equal(written.length, later.length);
    assert.ok(differencesElsewhere(bytesOfModel(everything()), written, futureModel).length > 0, "the decoder sees the new fields");
  });

  it("may add kinds of types and of dimensions", () => {
    const model = futureModel.create({ ir_version: 9, opset_import: [{ version: 99 }], graph: { input: [
      { name: "x", type: { later_kind: { name: "stream" } } }, { name: "y", type: { tensor_type: { elem_type: 99, shape: { dim: [{ later_kind: { name: "ragged" } }, { dim_value: 3 }] } } } }],
    node: [{ op_type: "Later", input: ["x", "y"], output: ["z"], attribute: [{ name: "a", type: 77, later_message: { name: "value" } }] }], output: [{ name: "z" }] } });
    const bytes = futureModel.encode(model).finish();
    assert.deepEqual(differencesElsewhere(bytes, savedAgain(bytes), futureModel), []);
  });

  it("loses nothing of what a pass leaves alone, and keeps a changed tensor's own", () => {
    const model = modelFromProto(decodeModel(memorySource("m.onnx", later)), { file: "m.onnx", openExternal: undefined });
    const legacy = [...model.graph.initializers].find((value) => value.name === "legacy");
    const [output] = model.graph.outputs;
    assert.ok(legacy !== undefined && output !== undefined);
    legacy.initializer = new Tensor(1, [2], Tensor.floats([2], [5, 6]).data, legacy.initializer?.carried, false);
    output.name = "renamed";
    model.graph.nodes[1]?.metadata.delete("bare");
    const written = bytesOfModel(modelToProto(model));
    assert.deepEqual(differences(futureModel.decode(later), futureModel.decode(written), 99).sort(), [
      "graph.initializer[legacy].float_data (2 entries against 0)", "graph.initializer[legacy].raw_data", "graph.node[if].output[0]",
      "graph.node[many].metadata_props (3 entries against 1)", "graph.output[chosen].name", "graph.value_info[chosen].name",
    ]);
  });

  describe("in an export that is adapted and folded", () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-later-"));
    const base = join(folder, "model.onnx");
    after(() => { rmSync(folder, { recursive: true, force: true }); });
    before(() => { writeFileSync(base, withLaterFields(readFileSync(fixture("cases/bert/model.ts.onnx")))); });

    const decoded = (path: string): Decoded => futureModel.decode(readFileSync(path)) as unknown as Decoded;
    const laterOf = (item: object): unknown => Object.fromEntries(Object.entries(item).filter(([key]) => key.startsWith("later_")));
    /** Everything of the base has its later fields in the output; its nodes' attributes too, and its types. */
    const keepsAll = (output: string): void => {
      const [before, after] = [decoded(base), decoded(output)];
      assert.deepEqual([laterOf(after), laterOf(after.graph)], [laterOf(before), laterOf(before.graph)]);
      for (const part of ["initializer", "node", "input", "output", "value_info"] as const) {
        const written = new Map(after.graph[part].map((item) => [item.name, item]));
        for (const item of before.graph[part]) {
          const again = written.get(item.name);
          assert.ok(again !== undefined, `${part} ${item.name} is gone`);
          assert.deepEqual(laterOf(again), laterOf(item), `${part} ${item.name}`);
          if (part === "node") assert.deepEqual((again as unknown as { attribute: unknown }).attribute, (item as unknown as { attribute: unknown }).attribute, item.name);
          else if (part !== "initializer") assert.deepEqual(again, item, item.name);
        }
      }
    };

    for (const embed of [false, true]) {
      it(`loses nothing by adapt, with weights ${embed ? "inside" : "referred to"}`, async () => {
        const output = join(folder, `adapted-${String(embed)}.onnx`);
        await adapt(base, { output, targetModules: ["q", "v"], rank: 2, embed });
        keepsAll(output);
      });
    }

    it("loses nothing by fold", async () => {
      const output = join(folder, "merged.onnx");
      await fold(base, { output, adapter: fixture("cases/bert/adapter-trained") });
      keepsAll(output);
      const changed = differencesElsewhere(readFileSync(base), readFileSync(output), futureModel);
      assert.ok(changed.length > 0 && changed.every((path) => /^graph\.initializer\[.*\]\.raw_data$/.test(path)), changed.join());
    });
  });
});
