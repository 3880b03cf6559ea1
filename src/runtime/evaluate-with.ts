/** ONNX Runtime for passes that need numbers. */
import { DataType } from "../ir/data-type.ts";
import type { Model } from "../ir/model.ts";
import { allNumbers, elementCount } from "../ir/sizes.ts";
import { ByteRange } from "../ir/source.ts";
import { bytesOf, Tensor } from "../ir/tensor.ts";
import type { Evaluate, KeyedGraph } from "../passes/fold.ts";
import type { Feed } from "./data/collate.ts";
import { serialized } from "./serialized.ts";
import { GraphSession, type OnnxRuntime } from "./session.ts";

/** Sessions kept: a model's weights have few shapes, and take turns. */
const KEPT_SESSIONS = 16;

/** From this size on what a graph makes on the way is put into memory that is kept. It costs a copy, which onnxruntime-node makes of each output. */
const KEPT_BYTES = 8 * 1024 * 1024;

/** A session, the shape of what it makes, and large tensors that it makes on the way, by name. */
interface Known {
  readonly session: GraphSession;
  readonly dims: readonly number[] | undefined;
  readonly between: ReadonlyMap<string, readonly number[]>;
}

/** Runs small graphs of float32, and frees its sessions when disposed of. */
export interface Evaluator extends AsyncDisposable {
  readonly evaluate: Evaluate;
}

/**
 * What runs small graphs for passes that need numbers. A graph that was run before is run by the session that it had: a session for each of
 * RoBERTa-large's 48 q and v, their weights inside, took 0.8 s instead of 0.3 s, and five times a weight's memory. What a graph makes on the way is asked for as an output where it is large, so that it
 * is put where it was put the last time: of what the runtime lets go of, the C library kept 50 MB and more for weights of 10 MB.
 */
export function evaluateWith(runtime: OnnxRuntime): Evaluator {
  const sessions = new Map<string, Known>();
  const rooms = new Map<string, Uint8Array<ArrayBuffer>>();
  const roomOf = (name: string, bytes: number): Uint8Array<ArrayBuffer> => {
    const known = rooms.get(name);
    const room = known !== undefined && known.length >= bytes ? known : new Uint8Array(bytes);
    rooms.set(name, room);
    return room;
  };
  const floatsOf = (name: string, { dataType, data, dims }: Tensor): Float32Array => {
    if (dataType !== DataType.FLOAT || data === undefined) throw new TypeError("what is fed is float32");
    // One weight after the other is read into the same place: what is let go of would stay in memory for a while.
    if (data instanceof ByteRange && data.verbatim) {
      return new Tensor(dataType, dims, data.source.read(data.offset, data.length, roomOf(name, data.length))).toNumbers() as Float32Array;
    }
    return new Tensor(dataType, dims, data).toNumbers() as Float32Array;
  };
  const known = async ({ key, make }: KeyedGraph): Promise<Known> => {
    const found = sessions.get(key);
    if (found !== undefined) return found;
    const [oldest] = sessions;
    if (oldest !== undefined && sessions.size >= KEPT_SESSIONS) {
      sessions.delete(oldest[0]);
      await oldest[1].session[Symbol.asyncDispose]();
    }
    const model = make();
    const dims = allNumbers(model.graph.outputs[0]?.shape);
    const between = largeBetween(model);
    const made = { session: await GraphSession.create(runtime, serialized(model), { name: "fold", threads: 1, keepsMemory: false }), dims, between };
    sessions.set(key, made);
    return made;
  };
  const placesOf = (between: Known["between"]): [string, Feed][] => [...between].map(([name, dims], i) => {
    const size = elementCount(dims);
    return [name, { dataType: DataType.FLOAT, dims, data: new Float32Array(roomOf(`between ${String(i)}`, 4 * size).buffer, 0, size) }];
  });
  return {
    async evaluate(graph, feeds, room) {
      const { session, dims, between } = await known(graph);
      const fed = [...feeds].map(([name, tensor]) => [name, { dataType: DataType.FLOAT, dims: tensor.dims, data: floatsOf(name, tensor) }] as const);
      const [output] = session.outputNames;
      if (output === undefined) throw new TypeError("a graph without output");
      // Only where somebody hands in room, as in Node: onnxruntime-web makes outputs of its own beside what it is given.
      if (dims === undefined || room?.length !== 4 * elementCount(dims)) {
        const result = (await session.run(new Map(fed), [output])).get(output);
        if (result === undefined) throw new TypeError("a graph without output");
        return new Tensor(result.dataType, result.dims, bytesOf(result.data));
      }
      const made = { dataType: DataType.FLOAT, dims, data: new Float32Array(room.buffer, room.byteOffset, room.length / 4) };
      await session.run(new Map(fed), undefined, new Map([[output, made], ...placesOf(between)]));
      return new Tensor(DataType.FLOAT, dims, room);
    },
    async [Symbol.asyncDispose]() {
      for (const { session } of sessions.values()) await session[Symbol.asyncDispose]();
      sessions.clear();
    },
  };
}

/** Makes outputs of the large tensors of float32 that a graph makes on the way. */
function largeBetween({ graph }: Model): Map<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const value of graph.nodes.flatMap((node) => node.outputs)) {
    const dims = allNumbers(value?.shape);
    if (value === undefined || dims === undefined || value.dataType !== DataType.FLOAT || graph.outputs.includes(value) || 4 * elementCount(dims) < KEPT_BYTES) continue;
    graph.outputs.push(value);
    found.set(value.name, dims);
  }
  return found;
}
