/** The cross entropy's options against torch.nn.CrossEntropyLoss: fixtures/training/losses.json, made by make_training.py beside it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DataType } from "../../src/ir/data-type.ts";
import { Model } from "../../src/ir/model.ts";
import { symbol } from "../../src/ir/dim.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { attachCrossEntropy, attachNextTokenLoss, COUNTED, meanOverLabels } from "../../src/passes/attach-loss.ts";
import { differentiate } from "../../src/passes/differentiate.ts";
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

const [ROWS, TOKENS, WIDTH, WORDS] = [3, 5, 4, 7];

/** The mean next-token loss of a head with a soft cap, and its gradient by the hidden states. With `isWhole` an output reads what lies between product and logits, so nothing may be left out. */
async function nextTokenLossOf(labels: readonly number[], isWhole: boolean): Promise<{ loss: number; gradient: number[]; rows: unknown }> {
  const model = new Model(8, new Map([["", 17]]));
  const { graph, opsets } = model;
  const hidden = graph.addInput("hidden", { dataType: DataType.FLOAT, shape: [symbol("batch"), symbol("sequence"), WIDTH] });
  const op = new OpBuilder(graph, { opsets, origin: "head" });
  const numbers = (count: number, seed: number): Float32Array => Float32Array.from({ length: count }, (_, i) => Math.sin(i * 1.7 + seed));
  const product = op.MatMul(hidden, op.constant("weight", Tensor.floats([WIDTH, WORDS], numbers(WIDTH * WORDS, 1))));
  const logits = op.named(op.Mul(op.Tanh(op.Add(product, op.floats([...numbers(WORDS, 2)]))), op.scalar(3)), "logits");
  graph.outputs.push(logits, ...(isWhole ? [product] : []));
  const loss = attachNextTokenLoss(model, logits);
  const gradient = differentiate(graph, { opsets, loss: logits, seed: loss.logitsGradient, wrt: [hidden] }).get(hidden);
  assert.ok(gradient !== undefined);
  const end = new OpBuilder(graph, { opsets, origin: "test" });
  graph.outputs.splice(0, Infinity, end.named(meanOverLabels(end, loss.sum, loss), "loss"), end.named(meanOverLabels(end, gradient, loss), "gradient"));
  graph.sortTopologically();
  await using session = await GraphSession.create(await defaultRuntime(), model, { name: "loss" });
  const made = await session.run(new Map<string, Feed>([
    ["hidden", { dataType: DataType.FLOAT, dims: [ROWS, TOKENS, WIDTH], data: numbers(ROWS * TOKENS * WIDTH, 3) }],
    ["labels", { dataType: DataType.INT64, dims: [ROWS, TOKENS], data: BigInt64Array.from(labels, BigInt) }],
  ]));
  return { loss: Number(made.get("loss")?.data[0]), gradient: Array.from(made.get("gradient")?.data ?? [], Number), rows: logits.shape?.map(String) };
}

describe("attachNextTokenLoss", () => {
  it("leaves the logits of positions whose next label doesn't count out, and has the same loss and gradient", async () => {
    const labels = [3, -100, -100, 4, 5, 1, 2, -100, -100, -100, -100, -100, -100, -100, -100];
    const [cut, whole] = [await nextTokenLossOf(labels, false), await nextTokenLossOf(labels, true)];
    assert.deepEqual([cut.rows, whole.rows], [[COUNTED, String(WORDS)], ["batch", "sequence", String(WORDS)]]);
    assert.ok(whole.loss > 0.1 && whole.gradient.some((g) => Math.abs(g) > 0.01));
    closeTo([cut.loss, ...cut.gradient], [whole.loss, ...whole.gradient], 1e-6, "cut against whole");
  });

  it("is 0, gradient and all, where no label counts", async () => {
    const { loss, gradient } = await nextTokenLossOf(new Array<number>(ROWS * TOKENS).fill(-100), false);
    closeTo([loss, ...gradient], new Array<number>(1 + ROWS * TOKENS * WIDTH).fill(0), 0, "no label");
  });
});
