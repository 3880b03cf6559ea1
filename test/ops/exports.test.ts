/** Shape inference on whole exports, against the shapes that ONNX Runtime's tensors really have. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { evaluateDim, formatShape } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { definitionOf } from "../../src/ops/registry.ts";
import { assertFactsFit } from "./declared.ts";
import { readExportShapes } from "./export-shapes.ts";
import { runGraph } from "./run-graph.ts";

const SIZES: Readonly<Record<string, number>> = { batch: 2, sequence: 7, decoder_sequence: 5 };

function open(file: string): Model {
  return loadModel(memorySource(file, new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)))));
}

/** Ids, masks with two padded places, zeros and a wave: whatever the graph asks for. */
function feedsFor(model: Model): Record<string, Tensor> {
  return Object.fromEntries(model.graph.inputs.map(({ name, shape, dataType }) => {
    const dims = shape?.map((d) => evaluateDim(d, SIZES) ?? 0) ?? [];
    const count = dims.reduce((a, b) => a * b, 1);
    if (dataType === DataType.FLOAT) return [name, Tensor.floats(dims, Array.from({ length: count }, (_, i) => Math.sin(i)))];
    return [name, Tensor.ints(dims, Array.from({ length: count }, (_, i) => (name.endsWith("input_ids") ? 5 + i : name.endsWith("attention_mask") ? Number(i < count - 2) : 0)))];
  }));
}

const known = (value: Value): boolean => value.shape?.every((d) => typeof d === "number" || evaluateDim(d, SIZES) !== undefined) === true;

/** Sizes that depend on numbers computed in floats: the sides of a position grid, as the square root of a count. */
const LEFT_OPEN = ["families/dinov2/model.ts.onnx"];

for (const { file } of readExportShapes()) {
  describe(`shape inference of ${file}`, () => {
    const model = open(file);
    // What dynamo declares of every value would hide what inference finds.
    const made = model.graph.nodes.flatMap((node) => node.outputs.filter((v) => v !== undefined));
    for (const value of made) value.facts = undefined;
    inferGraph(model.graph, model.opsets);

    it("agrees with ONNX Runtime on every type and size", async () => {
      const { graph } = open(file);
      const outputs = graph.nodes.flatMap((node) => node.outputs.filter((v) => v !== undefined));
      for (const value of outputs) [value.declared, value.facts] = [undefined, undefined];
      inferGraph(graph, model.opsets);
      for (const value of outputs) value.facts = { dataType: value.dataType, shape: undefined };
      graph.outputs.splice(0, Infinity, ...outputs);
      const real = await runGraph(graph, model.opset, feedsFor(model));
      for (const value of made) assertFactsFit(value, real[value.name], SIZES, file);
    });

    if (!LEFT_OPEN.includes(file) && model.graph.nodes.every((node) => definitionOf(node) !== undefined)) it("knows every size, as a number or in terms of batch and sequence", () => {
      assert.ok(made.length > 20);
      assert.deepEqual(made.filter((v) => !known(v)).map((v) => `${v.producer?.opType ?? ""} ${v.name} ${formatShape(v.shape)}`), []);
    });
  });
}
