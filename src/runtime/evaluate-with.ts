/** ONNX Runtime for passes that need numbers. */
import { DataType } from "../ir/data-type.ts";
import { allNumbers, elementCount } from "../ir/sizes.ts";
import { ByteRange } from "../ir/source.ts";
import { bytesOf, Tensor } from "../ir/tensor.ts";
import type { Evaluate, KeyedGraph } from "../passes/fold.ts";
import { serialized } from "./serialized.ts";
import { GraphSession, type OnnxRuntime } from "./session.ts";

/** Sessions kept: a model's weights have few shapes, and take turns. */
const KEPT_SESSIONS = 16;

/** A session, and the shape of what it makes. */
interface Known {
  readonly session: GraphSession;
  readonly dims: readonly number[] | undefined;
}

/** Runs small graphs of float32, and frees its sessions when disposed of. */
export interface Evaluator extends AsyncDisposable {
  readonly evaluate: Evaluate;
}

/**
 * What runs small graphs for passes that need numbers. A graph that was run before is run by the session that it had: a session for each of
 * RoBERTa-large's 48 q and v, their weights inside, took 0.8 s instead of 0.3 s, and five times a weight's memory.
 */
export function evaluateWith(runtime: OnnxRuntime): Evaluator {
  const sessions = new Map<string, Known>();
  const rooms = new Map<string, Uint8Array>();
  const floatsOf = (name: string, { dataType, data, dims }: Tensor): Float32Array => {
    if (dataType !== DataType.FLOAT || data === undefined) throw new TypeError("what is fed is float32");
    // One weight after the other is read into the same place: what is let go of would stay in memory for a while.
    if (data instanceof ByteRange && data.verbatim) {
      const known = rooms.get(name);
      const room = known !== undefined && known.length >= data.length ? known : new Uint8Array(data.length);
      rooms.set(name, room);
      return new Tensor(dataType, dims, data.source.read(data.offset, data.length, room)).toNumbers() as Float32Array;
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
    const made = { session: await GraphSession.create(runtime, serialized(model), { name: "fold", threads: 1, keepsMemory: false }), dims: allNumbers(model.graph.outputs[0]?.shape) };
    sessions.set(key, made);
    return made;
  };
  return {
    async evaluate(graph, feeds, room) {
      const { session, dims } = await known(graph);
      const fed = [...feeds].map(([name, tensor]) => [name, { dataType: DataType.FLOAT, dims: tensor.dims, data: floatsOf(name, tensor) }] as const);
      const [output] = session.outputNames;
      const into = room === undefined || output === undefined || dims === undefined || 4 * elementCount(dims) !== room.length ? undefined
        : new Map([[output, { dataType: DataType.FLOAT, dims, data: new Float32Array(room.buffer, room.byteOffset, room.length / 4) }]]);
      const [result] = (await session.run(new Map(fed), undefined, into)).values();
      if (into !== undefined && room !== undefined && dims !== undefined) return new Tensor(DataType.FLOAT, dims, room);
      if (result === undefined) throw new TypeError("a graph without output");
      return new Tensor(result.dataType, result.dims, bytesOf(result.data));
    },
    async [Symbol.asyncDispose]() {
      for (const { session } of sessions.values()) await session[Symbol.asyncDispose]();
      sessions.clear();
    },
  };
}
