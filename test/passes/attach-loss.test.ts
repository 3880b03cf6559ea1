/** The cross entropy's options against torch.nn.CrossEntropyLoss: fixtures/training/losses.json, made by make_training.py beside it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DataType } from "../../src/ir/data-type.ts";
import { Model } from "../../src/ir/model.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { attachCrossEntropy, meanOverLabels } from "../../src/passes/attach-loss.ts";
import type { Feed } from "../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { GraphSession } from "../../src/runtime/session.ts";
import { closeTo } from "../runtime/close-to.ts";

type Nested = readonly (number | Nested)[];
interface Case { readonly logits: Nested; readonly labels: Nested; readonly weights: number[] | null; readonly smoothing: number; readonly loss: number; readonly gradient: number[] }

const CASES = JSON.parse(readFileSync("fixtures/training/losses.json", "utf8")) as Case[];

/** The mean loss and its gradient by the logits, of a graph that knows the number of classes or doesn't. */
async function lossOf({ logits, labels, weights, smoothing }: Case, isKnown: boolean): Promise<{ loss: number; gradient: number[] }> {
  const dims = Array.isArray(logits[0]?.[0 as never]) ? [3, 4, 5] : [6, 5];
  const model = new Model(8, new Map([["", 17]]));
  const x = model.graph.addInput("logits", { dataType: DataType.FLOAT, shape: isKnown ? dims : dims.map(() => undefined) });
  const loss = attachCrossEntropy(model, x, { labelSmoothing: smoothing, classWeights: weights ?? undefined });
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "test" });
  model.graph.outputs.push(op.named(meanOverLabels(op, loss.sum, loss), "loss"), op.named(meanOverLabels(op, loss.logitsGradient, loss), "gradient"));
  model.graph.sortTopologically();
  await using session = await GraphSession.create(await defaultRuntime(), model, { name: "loss" });
  const feeds = new Map<string, Feed>([
    ["logits", { dataType: DataType.FLOAT, dims, data: Float32Array.from(logits.flat(2) as number[]) }],
    ["labels", { dataType: DataType.INT64, dims: dims.slice(0, -1), data: BigInt64Array.from((labels.flat() as number[]).map(BigInt)) }],
  ]);
  const made = await session.run(feeds);
  return { loss: Number(made.get("loss")?.data[0]), gradient: Array.from(made.get("gradient")?.data ?? [], Number) };
}

describe("attachCrossEntropy", () => {
  it("has torch's loss and gradient for every mix of smoothing, class weights and labels left out, weights that sum to less than 1 among them", async () => {
    assert.ok(CASES.some(({ weights }) => weights !== null && Math.max(...weights) < 0.05));
    for (const [i, expected] of CASES.entries()) {
      const what = `case ${String(i)}, smoothing ${String(expected.smoothing)}, weights ${JSON.stringify(expected.weights)}`;
      const { loss, gradient } = await lossOf(expected, i % 2 === 0);
      closeTo([loss], [expected.loss], 2e-6 * Math.max(1, expected.loss), what);
      closeTo(gradient, expected.gradient, 1e-6, what);
    }
  });

  it("is 0, gradient and all, where no label counts, which torch has as NaN", async () => {
    const [first] = CASES;
    assert.ok(first !== undefined);
    for (const weights of [null, [0.5, 1, 2, 0, 3]]) {
      for (const smoothing of [0, 0.1]) {
        const { loss, gradient } = await lossOf({ ...first, labels: [-100, -100, -100, -100, -100, -100], weights, smoothing }, true);
        closeTo([loss, ...gradient], new Array<number>(31).fill(0), 0, `smoothing ${String(smoothing)}`);
      }
    }
  });
});
