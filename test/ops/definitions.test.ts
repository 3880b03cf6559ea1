import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { SCHEMAS } from "../../src/ops/generated/schemas.ts";
import { DEFINITIONS } from "../../src/ops/registry.ts";
import { ALL_DECLARED, assertFactsFit, declare, sizesOf } from "./declared.ts";
import { int32s, runGraph } from "./run-graph.ts";

const plain = (formal: string): string => formal.replace(/[?*]$/, "");

describe("operator definitions", () => {
  for (const definition of DEFINITIONS.filter((d) => d.domain === "")) {
    describe(definition.name, () => {
      const versions = SCHEMAS[definition.name] ?? [];
      const newest = versions.at(-1);

      it("speaks for all versions of ONNX's schema from its first one on", () => {
        const [first] = definition.opsets;
        assert.ok(first !== undefined);
        assert.deepEqual(definition.opsets, versions.map((v) => v.since).filter((since) => since >= first));
      });

      it("names inputs and outputs as the newest schema does", () => {
        assert.deepEqual(definition.inputs, newest?.inputs.map(plain));
        assert.deepEqual(definition.outputs, newest?.outputs.map(plain));
      });

      it("has a gradient answer for every input", () => {
        if (definition.gradient !== "none") assert.deepEqual(Object.keys(definition.gradient).sort(), [...definition.inputs].sort());
      });
    });
  }

  it("are there once each", () => {
    const names = DEFINITIONS.map((d) => `${d.domain}:${d.name}`);
    assert.deepEqual(names, [...new Set(names)].sort());
  });
});

interface ShapeOptions {
  readonly attributes?: Readonly<Record<string, number | string | Tensor | readonly number[]>>;
  readonly opsets?: readonly number[];
  readonly outputs?: number;
  /** Why the shape depends on what the tensors hold: it then needn't be known for known inputs. */
  readonly open?: string;
}

/** One row, one test: what the shape rule says of inputs, however they are declared, against what ONNX Runtime gives. Integers are constants in half of it. */
function shapecheck(opType: string, inputs: Readonly<Record<string, Tensor>>, options: ShapeOptions = {}): void {
  const words = Object.entries(inputs).map(([name, t]) => `${name} [${t.dims.join(", ")}]${t.dataType === DataType.INT64 ? ` = ${String(t.toNumbers() ?? [])}` : ""}`);
  const attributes = Object.entries(options.attributes ?? {}).map(([name, value]) => `${name} = ${value instanceof Tensor ? "…" : String(value)}`);
  it(`${opType}: ${[...words, ...attributes].join(", ")}`, async () => {
    const first = SCHEMAS[opType]?.[0]?.since ?? 1;
    for (const opset of (options.opsets ?? [13, 17, 20]).filter((v) => v >= first)) {
      for (const declared of ALL_DECLARED) {
        const graph = new Graph();
        const op = new OpBuilder(graph, { opsets: new Map([["", opset]]), origin: "test" });
        const operands = Object.entries(inputs).map(([name, tensor]): Value => {
          const integers = tensor.dataType === DataType.INT64 || tensor.dataType === DataType.BOOL;
          if (!integers || declared === "own names" || declared === "unknown") return graph.addInput(name, { dataType: tensor.dataType, shape: declare(name, tensor.dims, declared) });
          const value = op.constant(name, tensor);
          value.facts = { dataType: tensor.dataType, shape: tensor.dims, ...(tensor.dims.length > 1 ? {} : { ints: [...tensor.toNumbers() ?? []] }) };
          return value;
        });
        const outputs = op.emit(opType, operands, options.attributes ?? {}, options.outputs ?? 1);
        const inferred = outputs.map((value) => ({ value, facts: value.facts }));
        // The runtime is not told what inference found.
        for (const value of outputs) value.facts = { dataType: value.dataType, shape: undefined };
        graph.outputs.push(...outputs);
        const real = await runGraph(graph, opset, Object.fromEntries(graph.inputs.map((v) => [v.name, inputs[v.name] as Tensor])));
        const where = `opset ${String(opset)}, shapes ${declared}`;
        for (const { value, facts } of inferred) {
          value.facts = facts;
          assertFactsFit(value, real[value.name], sizesOf(inputs), where);
          if (declared === "known" && options.open === undefined) assert.ok(value.shape?.every((d) => typeof d === "number"), `${where}: the shape is not known though those of the inputs are`);
        }
      }
    }
  });
}

const vector = (...values: number[]): Tensor => Tensor.ints([values.length], values);
const scalar = (value: number): Tensor => Tensor.ints([], [value]);
const filled = (...dims: number[]): Tensor => Tensor.floats(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => i - 2));

describe("shape rules", () => {
  // Operators with a gradient rule have their shapes checked by `gradcheck`, in every row.
  shapecheck("Constant", {}, { attributes: { value: Tensor.ints([2], [3, -1]) } });
  shapecheck("Constant", {}, { attributes: { value: filled(2, 3) } });
  shapecheck("Constant", {}, { attributes: { value_int: 5 } });
  shapecheck("Constant", {}, { attributes: { value_ints: [5, 6] } });
  shapecheck("Constant", {}, { attributes: { value_float: 0.5 } });
  shapecheck("Constant", {}, { attributes: { value_floats: [0.5, 2] } });
  shapecheck("ConstantOfShape", { input: vector(2, 3) });
  shapecheck("ConstantOfShape", { input: vector() });
  shapecheck("ConstantOfShape", { input: vector(3) }, { attributes: { value: Tensor.ints([1], [7]) } });
  shapecheck("Range", { start: scalar(0), limit: scalar(5), delta: scalar(1) });
  shapecheck("Range", { start: scalar(7), limit: scalar(-2), delta: scalar(-2) });
  shapecheck("Range", { start: scalar(3), limit: scalar(3), delta: scalar(1) });
  shapecheck("Shape", { data: filled(2, 3, 4) });
  shapecheck("Shape", { data: filled(2, 3, 4) }, { attributes: { start: -2, end: 3 }, opsets: [15, 20] });
  shapecheck("Shape", { data: filled(2, 3, 4) }, { attributes: { start: 1 }, opsets: [15, 20] });
  shapecheck("Shape", { data: filled(2, 3, 4) }, { attributes: { start: 2, end: 1 }, opsets: [15, 20] });
  shapecheck("Shape", { data: filled() });
  shapecheck("Size", { data: filled(2, 3) });
  shapecheck("Size", { data: filled() });
  shapecheck("NonZero", { X: filled(2, 3) }, { open: "counts" });

  for (const op of ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"]) {
    shapecheck(op, { A: filled(2, 1, 3), B: filled(2, 1) });
    shapecheck(op, { A: vector(1, 2, 3), B: vector(2) });
  }
  for (const op of ["And", "Or", "Xor"]) shapecheck(op, { A: Tensor.bools([2, 1], [true, false]), B: Tensor.bools([2], [true, false]) });
  for (const op of ["And", "Or", "Xor"]) shapecheck(op, { A: Tensor.bools([4], [true, true, false, false]), B: Tensor.bools([4], [true, false, true, false]) });
  shapecheck("Not", { X: Tensor.bools([2], [true, false]) });
  for (const op of ["Sign", "Floor", "Ceil", "Round", "IsNaN", "IsInf"]) shapecheck(op, { X: filled(2, 3) });

  shapecheck("OneHot", { indices: Tensor.ints([2, 3], [0, 1, 2, 0, 1, 2]), depth: scalar(4), values: filled(2) });
  shapecheck("OneHot", { indices: vector(0, 1, 2), depth: scalar(4), values: filled(2) }, { attributes: { axis: 0 } });
  shapecheck("OneHot", { indices: Tensor.ints([2, 1], [0, 1]), depth: scalar(4), values: filled(2) }, { attributes: { axis: -2 } });
  shapecheck("GatherND", { data: filled(2, 3, 4), indices: Tensor.ints([2, 1], [1, 0]) });
  shapecheck("GatherND", { data: filled(2, 3, 4), indices: Tensor.ints([2, 2], [1, 0, 0, 2]) });
  shapecheck("GatherND", { data: filled(2, 3, 4), indices: Tensor.ints([2, 5, 1], [1, 0, 0, 2, 1, 1, 1, 1, 0, 0]) }, { attributes: { batch_dims: 1 } });
  shapecheck("ScatterND", { data: filled(4, 2), indices: Tensor.ints([2, 1], [3, 0]), updates: filled(2, 2) });
  shapecheck("ScatterElements", { data: filled(4, 2), indices: Tensor.ints([1, 2], [3, 0]), updates: filled(1, 2) });
  shapecheck("Tile", { input: filled(2, 3), repeats: vector(2, 1) });
  shapecheck("ReduceProd", { data: vector(2, 3, 4) }, { attributes: { keepdims: 0 } });
  shapecheck("ReduceProd", { data: vector(2, 3, 4), axes: vector(0) }, { opsets: [18, 20] });
  shapecheck("LayerNormalization", { X: filled(2, 3, 4), Scale: filled(3, 4) }, { attributes: { axis: -2 }, outputs: 3 });

  // Shape arithmetic follows the elements of small integer vectors.
  for (const op of ["Add", "Sub", "Mul", "Div", "Max", "Min"]) {
    shapecheck(op, { A: vector(7, -7, 12), B: vector(2) });
    shapecheck(op, { A: scalar(7), B: vector(2, -2, 3) });
  }
  shapecheck("Neg", { X: vector(3, -2) });
  shapecheck("Cast", { input: vector(3, -2) }, { attributes: { to: DataType.FLOAT } });
  shapecheck("Cast", { input: vector(3, 0) }, { attributes: { to: DataType.BOOL } });
  shapecheck("Cast", { input: vector(3, -2) }, { attributes: { to: DataType.INT32 } });
  shapecheck("Gather", { data: vector(5, 6, 7), indices: scalar(-1) });
  shapecheck("Gather", { data: vector(5, 6, 7), indices: vector(2, 0) });
  shapecheck("Gather", { data: Tensor.ints([2, 2], [1, 2, 3, 4]), indices: scalar(1) });
  shapecheck("Slice", { data: vector(5, 6, 7, 8), starts: vector(1), ends: vector(-1) });
  shapecheck("Slice", { data: vector(5, 6, 7, 8), starts: vector(-1), ends: vector(-9), axes: vector(0), steps: vector(-1) });
  shapecheck("Slice", { data: vector(5, 6, 7, 8), starts: vector(-99), ends: vector(9007199254740991), axes: vector(0), steps: vector(1) });
  shapecheck("Concat", { a: vector(5, 6), b: vector(7) }, { attributes: { axis: 0 } });
  shapecheck("Squeeze", { data: vector(5), axes: vector(0) });
  shapecheck("Unsqueeze", { data: scalar(5), axes: vector(0) });
  shapecheck("Reshape", { data: vector(5), shape: vector() });
  shapecheck("Reshape", { data: vector(5, 6), shape: vector(-1) });
  shapecheck("Reshape", { data: filled(0, 3), shape: vector(3, 0) }, { attributes: { allowzero: 1 }, opsets: [17, 20] });
  shapecheck("Expand", { input: vector(5), shape: vector(3) });
  shapecheck("Where", { condition: Tensor.bools([3], [true, false, true]), X: vector(1, 2, 3), Y: vector(-1) });
  shapecheck("Where", { condition: Tensor.bools([1], [false]), X: scalar(4), Y: vector(-1, 0, 1) });
  shapecheck("Gather", { data: filled(4, 2), indices: int32s([3], [1, 0, 1]) });

  it("keep the sizes of the axes that a Slice or a Pad by unknown numbers leaves alone", () => {
    const graph = new Graph();
    const op = new OpBuilder(graph, { opsets: new Map([["", 20]]), origin: "test" });
    const [data, number] = [graph.addInput("data", { dataType: DataType.FLOAT, shape: [2, 3, 4] }), graph.addInput("number", { dataType: DataType.INT64, shape: [1] })];
    const pads = graph.addInput("pads", { dataType: DataType.INT64, shape: [2] });
    assert.deepEqual(op.Slice(data, number, [3], [1]).shape, [2, undefined, 4]);
    assert.deepEqual(op.Slice(data, number, [3]).shape, [undefined, 3, 4]);
    assert.deepEqual(op.Slice(data, [0], [3], [1], number).shape, [2, undefined, 4]);
    assert.deepEqual(op.Slice(data, [0], [3], number).shape, [undefined, undefined, undefined]);
    assert.deepEqual(op.Pad(data, pads, undefined, [-1]).shape, [2, 3, undefined]);
  });
});
