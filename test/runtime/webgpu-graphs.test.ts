import assert from "node:assert/strict";
import { everyNode } from "../../src/ir/nested.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { prepare } from "../../src/runtime/prepare.ts";
import { taskNamed } from "../../src/runtime/tasks/registry.ts";
import { trainingGraph } from "../../src/runtime/training-graphs.ts";

/** Buffers that a shader may bind on every adapter: WebGPU's maxStorageBuffersPerShaderStage. */
const BUFFERS = 8;

describe("training graphs on WebGPU", () => {
  for (const targets of [["q", "v"], ["all-linear"]]) {
    it(`bind no more buffers than every adapter has, whatever number of weights is trained (${targets.join(" and ")})`, () => {
      using opened = openModel("fixtures/demo");
      const task = taskNamed();
      const fresh = () => prepare(opened.load(), { targetModules: targets, head: "mean", numLabels: 2, saveHead: true });
      let cut = 0;
      for (const kind of ["step", "grad", "eval"] as const) {
        for (const node of everyNode(trainingGraph(kind, task, fresh).graph)) {
          if (node.opType !== "Split" && node.opType !== "Concat") continue;
          // Shapes are put together on the processor.
          if (node.outputs[0]?.dataType !== 1) continue;
          cut += 1;
          assert.ok(Math.max(node.inputs.length, node.outputs.length) < BUFFERS, `${kind}: ${node.name}`);
        }
      }
      assert.ok(cut >= 6);
    });
  }

  it("give Gemm no C without axes, which ends ONNX Runtime 1.30 there", () => {
    using opened = openModel("fixtures/demo");
    const { graph } = trainingGraph("step", taskNamed(), () => prepare(opened.load(), { head: "mean", numLabels: 2, saveHead: true }));
    const added = everyNode(graph).filter((n) => n.opType === "Gemm").flatMap((n) => n.inputs[2] ?? []);
    assert.ok(added.length > 0);
    assert.deepEqual(added.filter((c) => c.shape?.length === 0), []);
  });
});
