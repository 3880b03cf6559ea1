/** A running graph: ONNX Runtime behind one small interface. The runtime itself is handed in, so that Node and browsers share this code. */
import type * as Ort from "onnxruntime-common";
import { runFailed, sessionFailed } from "../errors/runtime.ts";
import { DataType, fromFloat16 } from "../ir/data-type.ts";
import type { Model } from "../ir/model.ts";
import type { SaveOptions } from "../ir/save.ts";
import type { Feed } from "./data/collate.ts";
import type { TensorData } from "./data/element-kind.ts";
import type { Provider } from "./options.ts";
import { requireProvider } from "./providers.ts";
import { serialized } from "./serialized.ts";

/** What is needed of onnxruntime-node or onnxruntime-web. */
export type OnnxRuntime = Pick<typeof Ort, "InferenceSession" | "Tensor"> & { readonly env?: { readonly versions: { readonly web?: string | undefined } } };

/** Names of ONNX Runtime's tensor types by ONNX's numbers. */
const TYPES: Readonly<Record<number, Ort.Tensor.Type>> = {
  [DataType.FLOAT]: "float32", [DataType.DOUBLE]: "float64", [DataType.FLOAT16]: "float16", [DataType.BOOL]: "bool",
  [DataType.INT64]: "int64", [DataType.INT32]: "int32", [DataType.INT16]: "int16", [DataType.INT8]: "int8",
  [DataType.UINT64]: "uint64", [DataType.UINT32]: "uint32", [DataType.UINT16]: "uint16", [DataType.UINT8]: "uint8",
};
const NUMBERS = new Map(Object.entries(TYPES).map(([number, type]) => [type as string, Number(number)]));

/** By default DequantizeLinear and the MatMul behind it become one product that rounds activations to 8 bits; so they become one that doesn't. */
export const EXACT = { qdq_matmulnbits_accuracy_level: "0" };

export interface SessionOptions {
  /** What to call the graph in messages. */
  readonly name: string;
  readonly threads?: number | undefined;
  readonly provider?: Provider | undefined;
  /** The folder that external data of the graph is looked for in. */
  readonly folder?: string | undefined;
  /** External data of the graph in memory, by location: for onnxruntime-web, which has no folders. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[] | undefined;
  readonly save?: SaveOptions | undefined;
  /** Off where single runs take much and the process shall not keep it: no arena. */
  readonly keepsMemory?: boolean | undefined;
  /** Off for tests that compare numbers with what the optimizer must not mask. */
  readonly optimize?: boolean | undefined;
}

/** A session that frees its memory when disposed of. */
export class GraphSession implements AsyncDisposable {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #session: Ort.InferenceSession;
  readonly #runtime: OnnxRuntime;
  readonly #name: string;

  private constructor(runtime: OnnxRuntime, session: Ort.InferenceSession, name: string) {
    this.#runtime = runtime;
    this.#session = session;
    this.#name = name;
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames;
  }

  /** Starts a session on a model held in memory. Throws HutError where the runtime or the provider refuses. */
  static async create(runtime: OnnxRuntime, model: Model | Uint8Array, options: SessionOptions): Promise<GraphSession> {
    const { provider = "cpu", threads, folder } = options;
    const bytes = model instanceof Uint8Array ? model : serialized(model, options.save);
    try {
      const session = await runtime.InferenceSession.create(bytes, {
        executionProviders: [provider], logSeverityLevel: 3,
        ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
        ...(options.externalData === undefined ? {} : { externalData: options.externalData }),
        ...(options.keepsMemory === false ? { enableCpuMemArena: false } : {}),
        // A pattern is one block for all that a run makes, planned for each shape anew, and the arena seldom has one that fits: batches of texts have many shapes. MiniLM-L6 on SST-2 took 665 MB with
        // patterns and 461 without, SmolLM2 2.8 GB and 2.1, in the same time.
        enableMemPattern: false,
        ...(options.optimize === false ? { graphOptimizationLevel: "disabled" as const } : {}),
        extra: { session: { ...EXACT, ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }) } },
      });
      return new GraphSession(runtime, session, options.name);
    } catch (cause) {
      if (provider !== "cpu") await requireProvider(runtime, provider);
      throw sessionFailed(options.name, cause);
    }
  }

  /**
   * Runs the graph once. What it has no input for is left out: a training graph holds what is always fed one value. Throws HutError with the
   * runtime's reason. An output that `into` has is put there.
   */
  async run(feeds: ReadonlyMap<string, Feed>, outputs?: readonly string[], into?: ReadonlyMap<string, Feed>): Promise<Map<string, Feed>> {
    const known = [...feeds].filter(([name]) => this.inputNames.includes(name));
    const inputs = Object.fromEntries(known.map(([name, feed]) => [name, this.#tensor(feed)]));
    try {
      const wanted = into === undefined ? outputs : Object.fromEntries([...into].map(([name, feed]) => [name, this.#tensor(feed)]));
      const results = await (wanted === undefined ? this.#session.run(inputs) : this.#session.run(inputs, wanted));
      return new Map(Object.entries(results).map(([name, tensor]) => [name, feedOf(tensor)]));
    } catch (cause) {
      throw runFailed(this.#name, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  #tensor(feed: Feed): Ort.Tensor {
    const type = TYPES[feed.dataType];
    if (type === undefined) throw new TypeError(`type ${String(feed.dataType)} can't be fed`);
    return new this.#runtime.Tensor(type, feed.data as Ort.Tensor.DataType, feed.dims);
  }
}

/** What a graph makes in 16 bits is handed on as float32. */
function feedOf(tensor: Ort.Tensor): Feed {
  if (tensor.type === "float16") return { dataType: DataType.FLOAT, dims: tensor.dims, data: Float32Array.from(tensor.data as Uint16Array, fromFloat16) };
  return { dataType: NUMBERS.get(tensor.type) ?? 0, dims: tensor.dims, data: tensor.data as TensorData };
}
