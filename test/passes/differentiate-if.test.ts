/** The gradient through an If, against finite differences in double precision, for both values of its condition. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { symbol, type Shape } from "../../src/ir/dim.ts";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { printGraph } from "../../src/ir/print.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { differentiate, nodesWithoutGradient } from "../../src/passes/differentiate.ts";
import { mergeRepeated } from "../../src/passes/merge-repeated.ts";
import { removeDead } from "../../src/passes/remove-dead.ts";
import { Random } from "../../src/runtime/random.ts";
import { checkedCaptures } from "../ops/gradcheck.ts";
import { doubles, numbersOf, prepare, runGraph } from "../ops/run-graph.ts";
import { ifOf, loopOf } from "./nested.ts";
import { assertClose, assertSnapshot, assertSound, failure } from "./workbench.ts";

checkedCaptures.add("If");

const OPSET = 17;
const H = 1e-3;

interface Drawing {
  readonly op: OpBuilder;
  readonly x: Value;
  readonly w: Value;
  readonly c: Value;
  readonly d: Value;
}

/** x [2, 3], w [3, 3], two conditions; what is drawn is summed to the loss. Shapes are declared as numbers, as names, or by their rank alone. */
const SHAPES: readonly ((name: string, dims: readonly number[]) => Shape | undefined)[] = [(_, dims) => dims, (name, dims) => dims.map((_, i) => symbol(`${name}${String(i)}`)), (_, dims) => dims.map(() => undefined)];

function draw(what: (d: Drawing) => Value, shape: (typeof SHAPES)[number]): { graph: Graph; loss: Value; wrt: Value[] } {
  const graph = new Graph();
  const op = new OpBuilder(graph, { opsets: new Map([["", OPSET]]), origin: "t" });
  const input = (name: string, dims: readonly number[], dataType: number = DataType.DOUBLE): Value => graph.addInput(name, { dataType, shape: dims.length === 0 ? [] : shape(name, dims) });
  const [x, w, c, d] = [input("x", [2, 3]), input("w", [3, 3]), input("c", [], DataType.BOOL), input("d", [], DataType.BOOL)];
  return { graph, wrt: [x, w], loss: op.ReduceSum(what({ op, x, w, c, d }), undefined, { keepdims: 0 }) };
}

async function check(what: (d: Drawing) => Value): Promise<void> {
  const random = new Random(3);
  const values = (n: number): number[] => Array.from({ length: n }, () => random.uniform(-1, 1));
  const points: Record<string, Tensor> = { x: doubles([2, 3], values(6)), w: doubles([3, 3], values(9)) };
  const forward = draw(what, (_, dims) => dims);
  forward.graph.outputs.push(forward.loss);
  const runnable = await prepare(forward.graph, OPSET);
  for (const [c, d] of [[true, true], [true, false], [false, true], [false, false]] as const) {
    const conditions = { c: Tensor.bools([], [c]), d: Tensor.bools([], [d]) };
    const lossAt = async (name: string, at: number, by: number): Promise<number> => {
      const point = points[name] ?? doubles([], []);
      const moved = doubles(point.dims, numbersOf(point).map((v, i) => (i === at ? v + by : v)));
      return numbersOf((await runnable.run({ ...points, ...conditions, [name]: moved }))[forward.loss.name])[0] ?? NaN;
    };
    const expected: number[][] = [];
    for (const name of ["x", "w"]) {
      const differences: number[] = [];
      for (let i = 0; i < numbersOf(points[name]).length; i += 1) {
        differences.push((8 * (await lossAt(name, i, H) - await lossAt(name, i, -H)) - (await lossAt(name, i, 2 * H) - await lossAt(name, i, -2 * H))) / (12 * H));
      }
      expected.push(differences);
    }
    for (const shape of SHAPES) {
      const { graph, loss, wrt } = draw(what, shape);
      const gradients = differentiate(graph, { opsets: new Map([["", OPSET]]), loss, wrt });
      assertSound(graph);
      const op = new OpBuilder(graph, { opsets: new Map([["", OPSET]]), origin: "out" });
      const outputs = wrt.map((v) => op.Identity(gradients.get(v) ?? v));
      graph.outputs.push(...outputs);
      const before = await runGraph(graph, OPSET, { ...points, ...conditions });
      outputs.forEach((output, i) => { assertClose(numbersOf(before[output.name]), expected[i] ?? [], 1e-9, `c ${String(c)}, d ${String(d)}, ${wrt[i]?.name ?? ""}`); });
      // The passes that follow in a training graph leave the numbers, and find nothing twice.
      mergeRepeated(graph);
      removeDead(graph);
      assertSound(graph);
      assert.deepEqual([mergeRepeated(graph), removeDead(graph)], [0, 0]);
      const after = await runGraph(graph, OPSET, { ...points, ...conditions });
      graph.outputs.forEach((output, i) => { assert.deepEqual(numbersOf(after[output.name]), numbersOf(before[outputs[i]?.name ?? ""])); });
    }
  }
  await runnable.release();
}

describe("the gradient through an If", () => {
  it("is that of the branch that ran, and 0 for what it doesn't read", () => check(({ op, x, w, c }) => {
    const [y] = ifOf(op, c, (inner) => [inner.Tanh(inner.MatMul(x, w))], (inner) => [inner.Mul(x, inner.Exp(x))]);
    return op.Mul(y ?? x, op.Sigmoid(x));
  }));

  it("adds up what comes by several outputs, by values computed outside, and by one value from both branches", () => check(({ op, x, w, c }) => {
    const h = op.Tanh(op.MatMul(x, w));
    const [a, b, same] = ifOf(op, c, (inner) => {
      const y = inner.Exp(h);
      // An Identity, since ONNX Runtime gives garbage for an output that a branch names twice.
      return [y, inner.Mul(y, h), inner.Identity(y)];
    }, (inner) => [inner.Sin(h), inner.Mul(x, x), inner.Neg(h)]);
    return op.Add(op.Mul(a ?? h, b ?? h), op.Mul(same ?? h, h));
  }));

  it("passes nested Ifs, whose conditions are others", () => check(({ op, x, w, c, d }) => {
    const [y] = ifOf(op, c, (inner) => {
      const h = inner.MatMul(x, w);
      const own = inner.constant("own", doubles([3], [0.5, -1, 2]));
      return [ifOf(inner, d, (deep) => [deep.Mul(deep.Tanh(h), own)], (deep) => [deep.Mul(h, x)])[0] ?? h];
    }, (inner) => ifOf(inner, d, (deep) => [deep.Exp(x)], (deep) => [deep.MatMul(x, deep.Mul(w, w))]));
    return op.Mul(y ?? x, x);
  }));

  it("passes one If after another", () => check(({ op, x, w, c, d }) => {
    const [h] = ifOf(op, c, (inner) => [inner.MatMul(x, w)], (inner) => [inner.Sin(x)]);
    const [y] = ifOf(op, d, (inner) => [inner.Tanh(h ?? x)], (inner) => [inner.Mul(h ?? x, x)]);
    return y ?? x;
  }));

  it("lets outputs be that feed shapes alone, and branches of other shapes", () => check(({ op, x, w, c }) => {
    const [y, rows] = ifOf(op, c, (inner) => [inner.MatMul(x, w), inner.ints([3, 2])].map((v) => inner.Identity(v)), (inner) => {
      const cut = inner.Slice(inner.Sin(x), [0], [1], [0]);
      return [cut, inner.Identity(inner.Shape(cut))];
    });
    return op.Exp(op.Reshape(y ?? x, rows ?? x));
  }));

  it("passes a branch that hands on what it reads, and a constant", () => check(({ op, x, w, c }) => {
    const [y] = ifOf(op, c, (inner) => [inner.Identity(x)], (inner) => [inner.constant("fixed", doubles([2, 3], [1, 2, 3, 4, 5, 6]))]);
    return op.Add(op.Mul(y ?? x, x), op.MatMul(x, w));
  }));

  it("looks as drawn: an If on the same condition", () => {
    const { graph, loss, wrt } = draw(({ op, x, w, c }) => ifOf(op, c, (inner) => [inner.MatMul(x, w)], (inner) => [inner.Exp(x)])[0] ?? x, (_, dims) => dims);
    const gradients = differentiate(graph, { opsets: new Map([["", OPSET]]), loss, wrt });
    graph.outputs.push(...wrt.map((v) => gradients.get(v) ?? v));
    mergeRepeated(graph);
    removeDead(graph);
    assertSnapshot(printGraph(graph), "differentiate-if");
  });

  it("refuses a Loop on the way by name, with the path, wherever it stands", () => {
    for (const nested of [false, true]) {
      const { graph, loss, wrt } = draw(({ op, x, w, c }) => {
        const h = op.Exp(x);
        return nested ? ifOf(op, c, (inner) => [loopOf(inner, 2, inner.Tanh(h), (body, v) => body.Mul(v, v))], (inner) => [inner.Exp(h)])[0] ?? x
          : loopOf(op, 2, w, (body, v) => body.Add(v, body.ReduceSum(h, undefined, { keepdims: 0 })));
      }, (_, dims) => dims);
      const found = nodesWithoutGradient(graph, loss, wrt);
      assert.deepEqual(found.map(({ node, path }) => [node.name, path[0], path.at(-1)?.split(" ")[0]]), [["loop", nested ? "x" : "w", "ReduceSum"]]);
      assert.throws(() => differentiate(graph, { opsets: new Map([["", OPSET]]), loss, wrt: wrt.slice(0, 1) }),
        failure("NO_GRADIENT", /^No gradient rule for Loop, node "loop" \(how often its body runs is known only when it runs, .*reaches the trained weights through it: x → Exp t\/Exp\S* → .*ReduceSum t\/ReduceSum/));
    }
  });

  it("needs no rule for a Loop that no trained value reaches", () => {
    const { graph, loss, wrt } = draw(({ op, x, w }) => op.Mul(x, op.ReduceSum(loopOf(op, 2, w, (body, v) => body.Mul(v, w)), undefined, { keepdims: 0 })), (_, dims) => dims);
    const [x] = wrt;
    assert.ok(x);
    assert.deepEqual(nodesWithoutGradient(graph, loss, [x]), []);
    assert.equal(differentiate(graph, { opsets: new Map([["", OPSET]]), loss, wrt: [x] }).size, 1);
  });
});
