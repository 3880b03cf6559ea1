/** What a classifier says of a record: numbers of torch.softmax and torch.sigmoid. The pipelines of transformers.js answer the same (model-folder.test.ts). */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { predict, type ProblemName } from "../../../src/index.ts";
import { serialized } from "../../../src/runtime/serialized.ts";
import { problemOfType, PROBLEMS } from "../../../src/runtime/tasks/problem.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";
import { openFixture } from "../../passes/workbench.ts";

describe("answers", () => {
  const EXPECTED: Readonly<Record<ProblemName, readonly number[]>> = {
    "single": [0.09003057, 0.24472848, 0.66524094], "multi-label": [0.73105860, 0.88079703, 0.95257413], "regression": [1, 2, 3],
  };

  for (const { name, hubName, scores } of PROBLEMS) {
    it(`${name}: scores of the classes, and back from ${hubName}`, () => {
      scores([1, 2, 3]).forEach((score, i) => { assert.ok(Math.abs(score - (EXPECTED[name][i] ?? NaN)) < 1e-7); });
      assert.equal(problemOfType(hubName), name);
    });
  }

  it("are the first of the highest classes, by its own name or transformers' for it", () => {
    const answer = taskNamed().answer;
    assert.ok(answer !== undefined);
    assert.deepEqual(answer([0, 0], ["no", "yes"]), { label: "no", score: 0.5 });
    assert.deepEqual(answer([0, 0, -Infinity], ["no", "yes"]), { label: "LABEL_0", score: 0.5 });
    assert.equal(answer([1000, 0], undefined).score, 1);
    assert.equal(taskNamed({ task: "text-generation" }).answer, undefined);
  });

  it("stand behind the graph's outputs, whose names they never take", async () => {
    const folder = mkdtempSync(join(tmpdir(), "onnx-hut-answers-"));
    try {
      const first = async (model: string): Promise<Record<string, unknown>> => {
        await predict(model, { data: "fixtures/cases/bert/batch.jsonl", output: join(folder, "p.jsonl") });
        return JSON.parse(readFileSync(join(folder, "p.jsonl"), "utf8").split("\n")[0] ?? "") as Record<string, unknown>;
      };
      const plain = await first("fixtures/cases/bert/model.ts.onnx");
      assert.deepEqual(Object.keys(plain), ["logits", "label", "score"]);
      const model = openFixture("cases/bert/model.ts.onnx");
      for (const output of model.graph.outputs) output.name = "label";
      writeFileSync(join(folder, "model.onnx"), serialized(model));
      assert.deepEqual(await first(join(folder, "model.onnx")), { label: plain["logits"], score: plain["score"] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
