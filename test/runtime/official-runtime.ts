/** ONNX Runtime's own training API, in its last web build (1.19.2), run in Node: it knows nothing of how the artifacts were made. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadModel } from "../../src/ir/load.ts";
import { encodeModel } from "../../src/ir/proto/encode.ts";
import { modelToProto } from "../../src/ir/save.ts";
import { memorySource, readBytes } from "../../src/ir/source.ts";
import { Tensor } from "../../src/ir/tensor.ts";

interface RuntimeTensor { readonly dims: readonly number[]; readonly data: ArrayLike<number> }
type Feeds = Readonly<Record<string, RuntimeTensor>>;

/** What this test uses of ort.TrainingSession. */
export interface TrainingSession {
  readonly trainingInputNames: readonly string[];
  readonly evalInputNames: readonly string[];
  runTrainStep(feeds: Feeds): Promise<Readonly<Record<string, RuntimeTensor>>>;
  runEvalStep(feeds: Feeds): Promise<Readonly<Record<string, RuntimeTensor>>>;
  runOptimizerStep(): Promise<void>;
  lazyResetGrad(): Promise<void>;
  getContiguousParameters(trainableOnly: boolean): Promise<RuntimeTensor>;
}

interface OfficialRuntime {
  readonly env: { readonly wasm: { numThreads: number; wasmPaths: string } };
  readonly Tensor: new (type: "int64" | "float32", data: BigInt64Array | Float32Array, dims: readonly number[]) => RuntimeTensor;
  readonly TrainingSession: { create(files: Readonly<Record<string, Uint8Array>>): Promise<TrainingSession> };
}

/** What the web build feeds as learning_rate, whatever the checkpoint says: it has no call that sets it. */
export const WEB_RATE = 1e-3;

const dist = fileURLToPath(new URL("../../node_modules/onnxruntime-web-training/dist/", import.meta.url));
const runtime = createRequire(import.meta.url)(join(dist, "ort.training.wasm.min.js")) as OfficialRuntime;
runtime.env.wasm.numThreads = 1;
runtime.env.wasm.wasmPaths = dist;

/** A session on a folder of artifacts; at another rate than the web build's own, its optimizer's node reads a constant instead. */
export async function openTrainingSession(folder: string, rate = WEB_RATE): Promise<TrainingSession> {
  const file = (name: string): Uint8Array => new Uint8Array(readFileSync(join(folder, name)));
  const optimizer = file("optimizer_model.onnx");
  return await runtime.TrainingSession.create({
    checkpointState: file("checkpoint"), trainModel: file("training_model.onnx"), evalModel: file("eval_model.onnx"),
    optimizerModel: rate === WEB_RATE ? optimizer : atRate(optimizer, rate),
  });
}

function atRate(bytes: Uint8Array, rate: number): Uint8Array {
  const model = loadModel(memorySource("optimizer_model.onnx", bytes));
  model.graph.nodes.at(-1)?.setInput(0, model.graph.addInitializer("rate", Tensor.floats([1], [rate])));
  return Buffer.concat(encodeModel(modelToProto(model)).chunks.map(readBytes));
}

/** The feeds of a session from tokenized records: labels of the whole record, one a token, or numbers one a class. */
export function feedsOf(session: TrainingSession, batch: string, labels: "int64" | "float32" = "int64"): Feeds {
  const records = readFileSync(batch, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Readonly<Record<string, number | number[]>>);
  return Object.fromEntries(session.evalInputNames.map((name) => {
    const rows = records.map((r) => r[name] ?? r["label"] ?? []);
    const dims = Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length];
    const isNumbers = name === "labels" && labels === "float32";
    return [name, isNumbers ? new runtime.Tensor("float32", Float32Array.from(rows.flat()), dims) : new runtime.Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), dims)];
  }));
}

/** Trains on one batch: the loss before each step, and after the last. */
export async function trainSteps(session: TrainingSession, feeds: Feeds, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < steps; i += 1) {
    losses.push((await session.runTrainStep(feeds))["loss"]?.data[0] ?? NaN);
    await session.runOptimizerStep();
    await session.lazyResetGrad();
  }
  losses.push((await session.runEvalStep(feeds))["loss"]?.data[0] ?? NaN);
  return losses;
}
