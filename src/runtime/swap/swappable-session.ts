/**
 * One session that serves many adapters. It is handed its ONNX Runtime, so that Node and browsers share this code.
 *
 * ONNX Runtime's JavaScript takes no value for an input that has a default: it leaves it out without a word. So the graph is opened with its defaults
 * taken off, in memory, and what an adapter doesn't bring is fed from here. Python, C and C# need none of this: their run options take the file.
 */
import type * as Ort from "onnxruntime-common";
import { runFailed, sessionFailed } from "../../errors/runtime.ts";
import { rowsDiffer, rowsNotTaken, swapDisposed, swapForeign } from "../../errors/swap.ts";
import { DataType, toFloat16 } from "../../ir/data-type.ts";
import { loadModel } from "../../ir/load.ts";
import type { SaveOptions } from "../../ir/save.ts";
import { elementCount } from "../../ir/sizes.ts";
import { memorySource, type ByteRange, type Source } from "../../ir/source.ts";
import type { OpenExternal } from "../../ir/proto/tensor.ts";
import { adapterOfFiles } from "../adapter/folder-files.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { serialized } from "../serialized.ts";
import { EXACT, type OnnxRuntime } from "../session.ts";
import { readOnnxAdapter, parametersOf } from "./read-onnx-adapter.ts";
import { stackRows } from "./stack-rows.ts";
import { checkSlots, takeSlots, type Slot, type Slots } from "./slots.ts";

/** A PEFT folder's files, as `fetch` or `readFile` gives them. */
export interface AdapterFiles {
  /** adapter_config.json. */
  readonly config: string;
  /** adapter_model.safetensors. */
  readonly tensors: Uint8Array;
  /** hut.json, of folders that onnx-hut wrote. */
  readonly hut?: string | undefined;
}

/** An adapter that a session holds. `bytes` is what its numbers take. */
export interface SwapAdapter {
  readonly name: string;
  readonly bytes: number;
}

export interface OpenSwappableOptions {
  /** What to call the graph in messages. */
  readonly name?: string | undefined;
  /**
   * Handed on to ONNX Runtime: providers, threads, and in a browser `externalData`, the files that the graph points into, their bytes as `data`.
   */
  readonly session?: Ort.InferenceSession.SessionOptions | undefined;
}

/** Where the graph's bytes lie, for whoever opened it from files. */
export interface GraphPlace {
  readonly openExternal: OpenExternal | undefined;
  readonly reference: SaveOptions["reference"];
}

type Feeds = Readonly<Record<string, Ort.Tensor>>;

/** An adapter's numbers: as they were checked, and as they are fed where all rows have it. */
interface Held {
  readonly parameters: ReadonlyMap<string, AdapterTensor>;
  readonly feeds: Feeds;
}

/** Adapters of the rows of a batch, and what is fed for them. */
interface Rows {
  readonly adapters: readonly (SwapAdapter | null)[];
  readonly feeds: Feeds;
}

/** Opens a graph that `adapt --swappable` wrote, or one of Olive's: its bytes, and the ONNX Runtime to run it on. Throws HutError. */
export async function openSwappable(runtime: OnnxRuntime, graph: Uint8Array, options: OpenSwappableOptions = {}): Promise<SwappableSession> {
  const name = options.name ?? "the graph";
  return await SwappableSession.open(runtime, memorySource(name, graph), options, heldBeside(options.session?.externalData ?? []));
}

/** External data that the caller holds: read from there, and still referred to by the graph that is run. */
function heldBeside(files: Ort.InferenceSession.SessionOptions["externalData"] & object): GraphPlace {
  const held = new Map<string, Source>();
  for (const file of files) if (typeof file === "object" && "path" in file && file.data instanceof Uint8Array) held.set(file.path, memorySource(file.path, file.data));
  const paths = new Map([...held].map(([path, source]) => [source, path]));
  return {
    openExternal: held.size === 0 ? undefined : (location) => held.get(location) ?? missing(location),
    reference: (range: ByteRange) => {
      const location = paths.get(range.source);
      return location === undefined ? undefined : { location, offset: range.offset };
    },
  };
}

function missing(location: string): never {
  throw sessionFailed(location, "the graph points into this file, and externalData doesn't hold it as bytes");
}

/** A session, its adapters, and the one in use. Dispose of it when done. */
export class SwappableSession implements AsyncDisposable {
  /** What the caller feeds. */
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** What adapters fill. */
  readonly adapterInputs: readonly string[];
  readonly #runtime: OnnxRuntime;
  readonly #name: string;
  readonly #slots: Slots;
  /** What is fed without an adapter. */
  readonly #base: Feeds;
  readonly #adapters = new Map<SwapAdapter, Held>();
  #session: Ort.InferenceSession | undefined;
  #active: SwapAdapter | null = null;
  #rows: readonly (SwapAdapter | null)[] | null = null;
  #feeds: Feeds;
  /** The rows that were stacked last. */
  #stacked: Rows | undefined;

  private constructor(runtime: OnnxRuntime, session: Ort.InferenceSession, slots: Slots, name: string) {
    this.#runtime = runtime;
    this.#session = session;
    this.#name = name;
    this.#slots = slots;
    this.adapterInputs = [...slots.byName.keys()];
    this.inputNames = session.inputNames.filter((input) => !slots.byName.has(input));
    this.outputNames = session.outputNames;
    this.#base = Object.fromEntries([...slots.byName].map(([input, slot]) => [input, this.#tensor(slot, slot.base)]));
    this.#feeds = this.#base;
  }

  /** As `openSwappable`, for whoever reads from files. */
  static async open(runtime: OnnxRuntime, source: Source, options: OpenSwappableOptions, place: GraphPlace): Promise<SwappableSession> {
    const name = options.name ?? source.name;
    const model = loadModel(source, place.openExternal);
    const slots = takeSlots(model, name);
    try {
      const { extra, ...session } = options.session ?? {};
      const own = extra?.["session"];
      const created = await runtime.InferenceSession.create(serialized(model, { reference: place.reference }), {
        executionProviders: ["cpu"], logSeverityLevel: 3, ...session, extra: { ...extra, session: { ...EXACT, ...(typeof own === "object" ? own : {}) } },
      });
      return new SwappableSession(runtime, created, slots, name);
    } catch (cause) {
      throw sessionFailed(name, cause);
    }
  }

  /** The adapter in use; null is the base, or that rows have adapters of their own. */
  get active(): SwapAdapter | null {
    return this.#active;
  }

  /** The adapters in use, one a row; null where all rows have one. */
  get activeRows(): readonly (SwapAdapter | null)[] | null {
    return this.#rows;
  }

  /**
   * Reads and checks an adapter, once: the bytes of an `.onnx_adapter`, or a PEFT folder's files. Its numbers then stay here until `unload`. Throws HutError:
   * damage, another method, a tensor that the graph has no input for, a shape or rank that doesn't fit.
   */
  load(adapter: Uint8Array | AdapterFiles, name = "the adapter"): SwapAdapter {
    if (adapter instanceof Uint8Array) return this.#keep(this.#slots.ofParameters(parametersOf(readOnnxAdapter(adapter, name), name), name), name);
    const files = { config: adapter.config, tensors: memorySource(name, adapter.tensors), hut: adapter.hut };
    return this.loadFolder(adapterOfFiles(files, name, (file) => `${name}/${file}`), name);
  }

  /** The same with an adapter's folder that was read. */
  loadFolder(folder: AdapterFolder, name: string): SwapAdapter {
    return this.#keep(this.#slots.ofFolder(folder, name), name);
  }

  /** Lets an adapter's numbers go. The base is in use then, if it was that one. */
  unload(adapter: SwapAdapter): void {
    if (!this.#adapters.delete(adapter)) throw swapForeign(adapter.name);
    if (this.#stacked?.adapters.includes(adapter) === true) this.#stacked = undefined;
    if (this.#active === adapter || this.#rows?.includes(adapter) === true) this.use(null);
  }

  /** From now on runs compute with this adapter; with null they are exactly the base's. Nothing is copied. */
  use(adapter: SwapAdapter | null): void {
    this.#feeds = adapter === null ? this.#base : this.#held(adapter).feeds;
    this.#active = adapter;
    this.#rows = null;
  }

  /**
   * From now on row i of a batch is computed with adapter i; with null it is the base's. Copies the adapters' numbers into one tensor an input, unless the list is the
   * last one again. For graphs of `adapt --swappable --per-row`. Throws HutError on any other.
   */
  useRows(adapters: readonly (SwapAdapter | null)[]): void {
    if (this.#slots.rows === undefined) throw rowsNotTaken(this.#name);
    const last = this.#stacked;
    const isLast = last?.adapters.length === adapters.length && adapters.every((adapter, i) => adapter === last.adapters[i]);
    const { adapters: rows, feeds } = isLast ? last : this.#stack([...adapters]);
    this.#active = null;
    this.#rows = rows;
    this.#feeds = feeds;
  }

  /** Runs the graph on the inputs of `inputNames`, with the adapter that is in use now, whatever is used while it runs. Throws HutError. */
  async run(feeds: Feeds, outputs?: readonly string[]): Promise<Ort.InferenceSession.OnnxValueMapType> {
    const session = this.#session;
    if (session === undefined) throw swapDisposed();
    this.#requireRows(feeds);
    const all = { ...feeds, ...this.#feeds };
    try {
      return await (outputs === undefined ? session.run(all) : session.run(all, [...outputs]));
    } catch (cause) {
      throw runFailed(this.#name, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#adapters.clear();
    this.#stacked = undefined;
    await session?.release();
  }

  #keep(parameters: ReadonlyMap<string, AdapterTensor>, name: string): SwapAdapter {
    checkSlots(this.#slots, parameters, name);
    const own = [...parameters].map(([input, tensor]): [string, Ort.Tensor] => {
      const slot = this.#slots.byName.get(input);
      if (slot === undefined) throw new TypeError("a parameter that was checked and has no input");
      return [input, this.#tensor(slot, tensor)];
    });
    const adapter: SwapAdapter = { name, bytes: own.reduce((sum, [, tensor]) => sum + (tensor.data as Float32Array).byteLength, 0) };
    this.#adapters.set(adapter, { parameters, feeds: { ...this.#base, ...Object.fromEntries(own) } });
    return adapter;
  }

  #held(adapter: SwapAdapter): Held {
    const held = this.#adapters.get(adapter);
    if (held === undefined) throw swapForeign(adapter.name);
    return held;
  }

  #stack(adapters: readonly (SwapAdapter | null)[]): Rows {
    const held = adapters.map((adapter) => (adapter === null ? undefined : this.#held(adapter)));
    const feeds = [...this.#slots.byName].map(([input, slot]): [string, Ort.Tensor] => [input, this.#stackedTensor(slot, stackRows(slot, held.map((h) => h?.parameters.get(input))))]);
    const stacked = { adapters, feeds: Object.fromEntries(feeds) };
    this.#stacked = stacked;
    return stacked;
  }

  /** A batch of another size would be an error of some node deep inside, or none. */
  #requireRows(feeds: Feeds): void {
    const rows = this.#rows?.length;
    for (const input of rows === undefined ? [] : this.#slots.rows ?? []) {
      const batch = feeds[input]?.dims[0];
      if (rows !== undefined && batch !== undefined && batch !== rows) throw rowsDiffer(input, batch, rows);
    }
  }

  /** One adapter's, for all rows where the graph has such an axis. */
  #tensor(slot: Slot, { shape, data }: AdapterTensor): Ort.Tensor {
    return this.#stackedTensor(slot, { shape: this.#slots.rows === undefined ? shape : [1, ...shape], data });
  }

  #stackedTensor({ dataType }: Slot, { shape, data }: AdapterTensor): Ort.Tensor {
    const { Tensor } = this.#runtime;
    return dataType === DataType.FLOAT16 ? new Tensor("float16", Uint16Array.from(data.subarray(0, elementCount(shape)), toFloat16), shape) : new Tensor("float32", data, shape);
  }
}
