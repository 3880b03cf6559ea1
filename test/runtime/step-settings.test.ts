/** Settings of the loss and of the groups that don't fit what is trained: each is said before anything runs. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { train, type TrainOptions } from "../../src/index.ts";
import { factorsOf } from "../../src/runtime/parameter-groups.ts";
import { failure } from "../passes/workbench.ts";

const BERT = "fixtures/cases/bert/model.ts.onnx";

describe("settings of a step", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-settings-"));
    writeFileSync(join(folder, "two-of-three.jsonl"), '{"input_ids": [1, 2], "label": 0}\n{"input_ids": [3], "label": 2}\n');
  });
  after(() => { rmSync(folder, { recursive: true }); });

  const wrong: readonly (readonly [string, Partial<TrainOptions>, { readonly code: string; readonly message: RegExp; readonly exitCode?: number }])[] = [
    ["smoothing of numbers", { problem: "regression", labelSmoothing: 0.1, train: "fixtures/problems/regression.jsonl" }, { code: "LOSS_SETTING_OF_OTHER_TASK", message: /^--label-smoothing is for what learns one of several classes, and what is learned is text-classification with --problem regression\. Leave it out\.$/, exitCode: 2 }],
    ["class weights of several labels", { problem: "multi-label", classWeights: [1, 2], train: "fixtures/problems/multi_label_classification.jsonl" }, { code: "LOSS_SETTING_OF_OTHER_TASK", message: /^--class-weights is for classification tasks/, exitCode: 2 }],
    ["too many class weights", { classWeights: [1, 2, 3] }, { code: "CLASS_WEIGHTS_COUNT", message: /gives 3 weights, and the model has 2 classes/, exitCode: 2 }],
    ["class weights of nothing", { classWeights: [0, 0] }, { code: "CLASS_WEIGHT_WRONG", message: /some of them greater/, exitCode: 2 }],
    ["a class weight below 0", { classWeights: [1, -1] }, { code: "CLASS_WEIGHT_WRONG", message: /holds "-1"/, exitCode: 2 }],
    ["balanced without a class", { classWeights: "balanced", train: "two-of-three.jsonl", head: "mean", numLabels: 3 }, { code: "CLASS_WITHOUT_RECORDS", message: /two-of-three\.jsonl" has none of "LABEL_1"/ }],
    ["a group that isn't", { lrGroups: ["c=1"] }, { code: "LR_GROUP_WRONG", message: /"c=1" is no group with its rate\. .* the groups are a, b and head/, exitCode: 2 }],
    ["a group of nothing", { lrGroups: ["head=2x"], task: "text-generation", train: "fixtures/training/gpt2.jsonl" }, { code: "LR_GROUP_EMPTY", message: /names the group head, and nothing that is trained is in it/, exitCode: 2 }],
    ["a rate beside a rate of 0", { lr: 0, lrGroups: ["head=1e-3"] }, { code: "LR_GROUP_OF_NOTHING", message: /--lr is 0/, exitCode: 2 }],
  ];
  for (const [what, options, expected] of wrong) {
    it(`refuses ${what}`, async () => {
      const file = options.train ?? "fixtures/training/bert.jsonl";
      const model = options.task === "text-generation" ? "fixtures/cases/gpt2/model.ts.onnx" : options.head === undefined ? BERT : "fixtures/demo";
      await assert.rejects(train(model, { ...options, train: file.startsWith("fixtures") ? file : join(folder, file), output: join(folder, "run"), dryRun: true }), expected);
    });
  }

  it("reads rates of groups", () => {
    assert.deepEqual([...factorsOf(["b=16x", "HEAD=.5e-3", "a=0"], 1e-3)], [["b", 16], ["head", 0.5], ["a", 0]]);
    assert.deepEqual([...factorsOf(["b=0", "a=2x"], 0)], [["b", 0], ["a", 2]]);
    for (const word of ["b", "b=", "b=x", "b=-1", "b=1 x", "=1", "b=1e999", "b=Infinity", "b=1,a=2"]) assert.throws(() => factorsOf([word], 1e-3), failure("LR_GROUP_WRONG", /is no group/), word);
    assert.throws(() => factorsOf(["b=1", "b=2"], 1e-3), failure("LR_GROUP_WRONG", /is no group/));
  });
});
