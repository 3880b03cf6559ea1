/** Runs a graph under test on ONNX Runtime as it stands: its optimizer off, so that it masks nothing. */
import * as ort from "onnxruntime-node";
import { DataType } from "../../src/ir/data-type.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { Model } from "../../src/ir/model.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { readBytes } from "../../src/ir/source.ts";
import { bytesOf, Tensor, typedView, type NumberArray } from "../../src/ir/tensor.ts";

/** A graph that is ready to run, again and again. Values are the IR's tensors, in and out, by name. */
export interface Runnable {
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

/** ONNX Runtime's words for element types. */
const TYPES: Readonly<Record<number, ort.Tensor.Type>> = {
  [DataType.FLOAT]: "float32", [DataType.DOUBLE]: "float64", [DataType.INT64]: "int64", [DataType.INT32]: "int32", [DataType.BOOL]: "bool", [DataType.FLOAT16]: "float16",
  [DataType.UINT8]: "uint8", [DataType.INT8]: "int8",
};

/** The IR version that goes with opsets 13 to 21: what every runtime of the last years reads. */
const IR_VERSION = 8;

/** Opens a session on the graph. Rejects where ONNX Runtime has no kernel or finds the graph wrong. */
export async function prepare(graph: Graph, opset: number): Promise<Runnable> {
  const own = new Set(graph.nodes.map((node) => node.domain).filter((domain) => domain !== ""));
  return prepareModel(new Model(IR_VERSION, new Map([["", opset], ...[...own].map((domain) => [domain, 1] as const)]), graph));
}

/** Opens a session on a model, its functions included. */
async function prepareModel(model: Model): Promise<Runnable> {
  const bytes = Buffer.concat(encodeModel(modelToProto(model)).chunks.map((chunk) => readBytes(chunk)));
  const session = await ort.InferenceSession.create(bytes, { graphOptimizationLevel: "disabled", intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 });
  return {
    async run(feeds) {
      const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toRuntime(tensor)])));
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromRuntime(tensor)]));
    },
    release: () => session.release(),
  };
}

/** Runs a graph once. */
export async function runGraph(graph: Graph, opset: number, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  return runModel(new Model(IR_VERSION, new Map([["", opset]]), graph), feeds);
}

/** Runs a model once, its functions included. */
export async function runModel(model: Model, feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>> {
  const runnable = await prepareModel(model);
  try {
    return await runnable.run(feeds);
  } finally {
    await runnable.release();
  }
}

/** A float64 tensor. */
export function doubles(dims: readonly number[], values: ArrayLike<number>): Tensor {
  return new Tensor(DataType.DOUBLE, dims, bytesOf(Float64Array.from(values)));
}

/** An int32 tensor. */
export function int32s(dims: readonly number[], values: readonly number[]): Tensor {
  return new Tensor(DataType.INT32, dims, bytesOf(Int32Array.from(values)));
}

/** The elements as numbers. */
export function numbersOf(tensor: Tensor | undefined): Float32Array | Float64Array {
  const numbers = tensor?.toNumbers();
  if (numbers === undefined) throw new TypeError("not a tensor of numbers");
  return numbers;
}

function toRuntime(tensor: Tensor): ort.Tensor {
  const type = TYPES[tensor.dataType];
  const view = typedView(tensor.dataType, tensor.bytes());
  if (type === undefined || view === undefined) throw new TypeError(`element type ${String(tensor.dataType)} is not fed in tests`);
  return new ort.Tensor(type as "float32", view as Float32Array, [...tensor.dims]);
}

function fromRuntime(tensor: ort.Tensor): Tensor {
  const dataType = Number(Object.entries(TYPES).find(([, name]) => name === tensor.type)?.[0]);
  return new Tensor(dataType, [...tensor.dims], bytesOf(tensor.data as NumberArray));
}
