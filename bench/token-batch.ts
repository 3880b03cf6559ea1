/** Batches of random tokens, and all else that one training step takes. */
import { Tensor } from "onnxruntime-node";
import { DataType } from "../src/ir/data-type.ts";
import type { Feed } from "../src/runtime/data/collate.ts";
import type { OpenedModel } from "../src/runtime/node/open-model.ts";
import { Random } from "../src/runtime/random.ts";
import { inputSpecs, vocabularySize } from "../src/runtime/task-inputs.ts";

/** B rows of T random tokens, every one counting, for each of the graph's inputs. Throws where an input is none of token's. */
export function tokenBatch(opened: OpenedModel, b: number, t: number): Map<string, Feed> {
  const { graph } = opened.load();
  const random = new Random(0);
  const vocabulary = vocabularySize(graph);
  if (vocabulary === undefined) throw new Error(`${opened.path}: no embedding is read by input_ids, so there are no tokens to make`);
  const fill: Readonly<Record<string, (i: number) => number>> = {
    input_ids: () => random.below(vocabulary), attention_mask: () => 1, token_type_ids: () => 0, position_ids: (i) => i % t,
  };
  return new Map(inputSpecs(graph).map(({ name, dtype }) => {
    const value = fill[name];
    if (value === undefined) throw new Error(`${opened.path}: no way to fill its input ${JSON.stringify(name)}`);
    const numbers = Array.from({ length: b * t }, (_, i) => value(i));
    return [name, { dataType: dtype, dims: [b, t], data: dtype === DataType.INT32 ? Int32Array.from(numbers) : BigInt64Array.from(numbers, BigInt) }];
  }));
}

/** What a step takes beside the batch: the state before the first step, the settings, labels of every class. */
export function trainingFeeds(theta: Float32Array, b: number, classes: number): Map<string, Feed> {
  const vector = (data: Float32Array): Feed => ({ dataType: DataType.FLOAT, dims: [data.length], data });
  const scalar = (value: number): Feed => ({ dataType: DataType.FLOAT, dims: [], data: Float32Array.of(value) });
  return new Map([
    ["labels", { dataType: DataType.INT64, dims: [b], data: BigInt64Array.from({ length: b }, (_, i) => BigInt(i % classes)) }],
    ["theta", vector(theta)], ["adam_m", vector(new Float32Array(theta.length))], ["adam_v", vector(new Float32Array(theta.length))],
    ["lr", scalar(1e-3)], ["weight_decay", scalar(0)], ["max_grad_norm", scalar(1)],
    ["step", { dataType: DataType.INT64, dims: [], data: BigInt64Array.of(1n) }],
  ]);
}

const TENSOR_TYPES: Readonly<Record<number, "float32" | "int64" | "int32">> = {
  [DataType.FLOAT]: "float32", [DataType.INT64]: "int64", [DataType.INT32]: "int32",
};

/** The feeds for a session that is not a GraphSession. */
export function asTensors(feeds: ReadonlyMap<string, Feed>): Record<string, Tensor> {
  return Object.fromEntries([...feeds].map(([name, { dataType, data, dims }]) => {
    const type = TENSOR_TYPES[dataType];
    if (type === undefined) throw new TypeError(`${name} is fed with type ${String(dataType)}`);
    return [name, new Tensor(type, data, dims)];
  }));
}
