/** Quantized copies of models, for tests: each chosen weight stored as integers in one of the forms that exporters and quantizers write. */
import assert from "node:assert/strict";
import { int } from "../../src/ir/attribute.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { Node, type Graph, type Value } from "../../src/ir/graph.ts";
import type { Model } from "../../src/ir/model.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { raiseOpset } from "../../src/passes/raise-opset.ts";
import { findWeights, type WeightSite } from "../../src/passes/weights/find-weights.ts";

/** How integers stand for a matrix, [k, n] or [n, k] as it is stored. */
export interface Form {
  readonly dataType: number;
  /** Along which axis of the matrix scales differ; one scale for all where left out. */
  readonly axis?: 0 | 1;
  /** How many neighbours along the axis share a scale. */
  readonly blockSize?: number;
  /** Whether ranges are not centred on zero. */
  readonly zeroPoints?: boolean;
  /** As the operator MatMulNBits, blocks along k. */
  readonly fused?: boolean;
}

const RANGES: Readonly<Record<number, readonly [number, number]>> = {
  [DataType.INT8]: [-128, 127], [DataType.UINT8]: [0, 255], [DataType.INT16]: [-32768, 32767], [DataType.UINT16]: [0, 65535], [DataType.INT4]: [-8, 7], [DataType.UINT4]: [0, 15],
};

/** Replaces the weights that products read as they are stored, fused ones [k, n], by integers. Returns how many. */
export function quantizeModel(model: Model, form: Form): number {
  if (form.fused !== true && (form.blockSize !== undefined || (form.dataType !== DataType.INT8 && form.dataType !== DataType.UINT8))) {
    assert.ok(raiseOpset(model, 21), "raised");
    model.irVersion = 10;
  }
  if (form.fused === true) model.opsets.set("com.microsoft", 1);
  let count = 0;
  for (const site of findWeights(model.graph)) {
    const [point, ...others] = site.points;
    if (point === undefined || others.length > 0 || site.dims.length !== 2 || point.value !== site.constant || (form.fused === true && point.layout === "nk")) continue;
    const values = site.tensor.toNumbers() ?? new Float32Array();
    for (const { node, index } of [...point.uses]) {
      if (form.fused === true) fuse(model.graph, node, values, site, form);
      else node.setInput(index, decodedBy(model, node, values, site, form));
    }
    model.graph.initializers.delete(site.constant);
    count += 1;
  }
  inferGraph(model.graph, model.opsets);
  return count;
}

interface Coded {
  readonly q: Float64Array;
  readonly scales: Float32Array;
  readonly zeros: Float64Array;
}

/** q = round(w / scale) + zero, group by group. */
function coded(values: ArrayLike<number>, groups: number, groupOf: (place: number) => number, { dataType, zeroPoints }: Form): Coded {
  const [least, greatest] = RANGES[dataType] ?? [0, 0];
  const [low, high] = [new Array<number>(groups).fill(0), new Array<number>(groups).fill(0)];
  Array.from(values, (v, place) => {
    const g = groupOf(place);
    low[g] = Math.min(low[g] ?? 0, v);
    high[g] = Math.max(high[g] ?? 0, v);
  });
  const middle = (least + greatest + 1) / 2;
  const scales = Float32Array.from(low, (min, g) => (zeroPoints === true ? ((high[g] ?? 0) - min) / (greatest - least) : Math.max(-min, high[g] ?? 0) / (greatest - middle)) || 1);
  const zeros = Float64Array.from(low, (min, g) => (zeroPoints === true ? Math.round(least - min / (scales[g] ?? 1)) : middle));
  const q = Float64Array.from(values, (v, place) => Math.min(greatest, Math.max(least, Math.round(v / (scales[groupOf(place)] ?? 1)) + (zeros[groupOf(place)] ?? 0))));
  return { q, scales, zeros };
}

function decodedBy(model: Model, before: Node, values: ArrayLike<number>, { dims: [rows = 0, columns = 0], name }: WeightSite, form: Form): Value {
  const { axis, blockSize, dataType } = form;
  const length = axis === 0 ? rows : columns;
  const blocks = Math.ceil(length / (blockSize ?? 1));
  const dims = axis === undefined ? [] : blockSize === undefined ? [length] : axis === 0 ? [blocks, columns] : [rows, blocks];
  const groupOf = (place: number): number => {
    const [row, column] = [Math.floor(place / columns), place % columns];
    if (axis === undefined) return 0;
    if (blockSize === undefined) return axis === 0 ? row : column;
    return axis === 0 ? Math.floor(row / blockSize) * columns + column : row * blocks + Math.floor(column / blockSize);
  };
  const { q, scales, zeros } = coded(values, dims.reduce((a, b) => a * b, 1), groupOf, form);
  const op = new OpBuilder(model.graph, { opsets: model.opsets, origin: "quantize", before });
  const { graph } = model;
  const integers = graph.addInitializer(`${name}_quantized`, Tensor.fromIntegers(dataType, [rows, columns], q));
  const scale = graph.addInitializer(`${name}_scale`, Tensor.floats(dims, scales));
  const zero = graph.addInitializer(`${name}_zero_point`, Tensor.fromIntegers(dataType, dims, zeros));
  return op.DequantizeLinear(integers, scale, zero, { ...(axis === undefined || model.opset < 13 ? {} : { axis }), ...(blockSize === undefined ? {} : { block_size: blockSize }) });
}

/** A MatMulNBits in place of a MatMul; a [N, blocks] row of 4-bit zero points is filled up to a whole byte. */
function fuse(graph: Graph, node: Node, values: ArrayLike<number>, { k, n, name }: WeightSite, form: Form): void {
  const { blockSize = 16, dataType } = form;
  const blocks = Math.ceil(k / blockSize);
  const columns = blocks * blockSize;
  const padded = Float32Array.from({ length: n * columns }, (_, i) => (i % columns < k ? values[(i % columns) * n + Math.floor(i / columns)] ?? 0 : 0));
  const { q, scales, zeros } = coded(padded, n * blocks, (place) => Math.floor(place / blockSize), form);
  const bits = dataType === DataType.UINT4 ? 4 : 8;
  const bytes = (numbers: Float64Array): Uint8Array => Tensor.fromIntegers(dataType, [numbers.length], numbers).bytes();
  const perRow = Math.ceil((blocks * bits) / 8);
  const zeroBytes = Uint8Array.from({ length: n }, (_, row) => row).reduce<number[]>((all, row) => [...all, ...bytes(zeros.subarray(row * blocks, (row + 1) * blocks))], []);
  const packed = graph.addInitializer(`${name}_Q`, new Tensor(DataType.UINT8, [n, blocks, (blockSize * bits) / 8], bytes(q)));
  const scale = graph.addInitializer(`${name}_scales`, Tensor.floats([n * blocks], scales));
  const zero = form.zeroPoints === true ? [graph.addInitializer(`${name}_zp`, new Tensor(DataType.UINT8, [n * perRow], Uint8Array.from(zeroBytes)))] : [];
  const [output] = node.outputs;
  node.setOutput(0, undefined);
  const attributes = new Map(Object.entries({ K: k, N: n, bits, block_size: blockSize }).map(([key, value]) => [key, int(value)]));
  const fused = new Node({ opType: "MatMulNBits", domain: "com.microsoft", name: node.name, attributes, metadata: node.metadata }, [node.inputs[0], packed, scale, ...zero], [output]);
  graph.insert([fused], node);
  graph.remove([node]);
}
