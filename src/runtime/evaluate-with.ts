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
  const rooms = new Map<string, Uint8Array<ArrayBuffer>>();
  const roomOf = (name: string, bytes: number): Uint8Array<ArrayBuffer> => {
    const known = rooms.get(name);
    const room = known !== undefined && known.length >= bytes ? known : new Uint8Array(bytes);
    rooms.set(name, room);
    return room;
  };
  const floatsOf = (name: string, { dataType, data, dims }: Tensor): Float32Array => {
    if (dataType !== DataType.FLOAT || data === undefined) throw new TypeError("what is fed is float32");
    // One piece after the other is read into the same place: what is let go of would stay in memory for a while.
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
    const made = { session: await GraphSession.create(runtime, serialized(model), { name: "fold", threads: 1, keepsMemory: false }), dims };
    sessions.set(key, made);
    return made;
  };
  return {
    async evaluate(graph, feeds, room) {
      const { session, dims } = await known(graph);
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
      await session.run(new Map(fed), undefined, new Map([[output, made]]));
      return new Tensor(DataType.FLOAT, dims, room);
    },
    async [Symbol.asyncDispose]() {
      for (const { session } of sessions.values()) await session[Symbol.asyncDispose]();
      sessions.clear();
    },
  };
}
