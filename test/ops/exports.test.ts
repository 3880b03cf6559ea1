/** Shape inference on whole exports, against the shapes that ONNX Runtime's tensors really have. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { evaluateDim, formatShape } from "../../src/ir/dim.ts";
import type { Value } from "../../src/ir/graph.ts";
import { loadModel } from "../../src/ir/load.ts";
import type { Model } from "../../src/ir/model.ts";
import { memorySource } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { assertFactsFit } from "./declared.ts";
import { runGraph } from "./run-graph.ts";

const SIZES = { batch: 2, sequence: 7 };

function open(file: string): Model {
  return loadModel(memorySource(file, new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)))));
}

/** A mask with two padded places, ids and zeros: whatever the graph asks for. */
function feedsFor(model: Model): Record<string, Tensor> {
  const { batch, sequence } = SIZES;
  return Object.fromEntries(model.graph.inputs.map(({ name }) => [name, Tensor.ints([batch, sequence], Array.from({ length: batch * sequence }, (_, i) => (
    name === "input_ids" ? 5 + i : name === "attention_mask" ? Number(i < batch * sequence - 2) : 0)))]));
}

const known = (value: Value): boolean => value.shape?.every((d) => typeof d === "number" || evaluateDim(d, SIZES) !== undefined) === true;

for (const file of ["cases/bert/model.ts.onnx", "cases/bert/model.dynamo.onnx", "cases/roberta/model.ts.onnx", "cases/roberta/model.dynamo.onnx", "demo/model.onnx"]) {
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

    it("knows every size, as a number or in terms of batch and sequence", () => {
      assert.ok(made.length > 100);
      assert.deepEqual(made.filter((v) => !known(v)).map((v) => `${v.producer?.opType ?? ""} ${v.name} ${formatShape(v.shape)}`), []);
    });
  });
}
