/**
 * A run's figures for TensorBoard: event files in runs/, where Hugging Face's Trainer has its own, with its names for them.
 *
 * The files are for looking at; nothing is read back from them, and metrics.jsonl is the log. A file can't be cut where a run is resumed. Instead the run goes on in a new one
 * that begins with SessionLog.START, at which TensorBoard forgets the steps from there on.
 * That step's own records are written again: a kill may have come between the log and the event file.
 */
import { closeSync, existsSync, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createCRC32, type IHasher } from "hash-wasm";
import protobuf from "protobufjs/minimal.js";
import { outputUnwritable, systemCode } from "../../errors/files.ts";
import { ensureFolder } from "./folder.ts";
import type { MetricsRecord } from "./metrics-log.ts";

/** What TensorBoard looks for in a name is "tfevents", and it reads the files of a folder in the order of their names. The number is the second of the file's beginning. */
const EVENT_FILE = /^events\.out\.tfevents\.(\d{10})\.onnx-hut$/;
/** Castagnoli's polynomial, its bits reversed: CRC-32C. */
const CASTAGNOLI = 0x82f63b78;
/** TFRecord's files hold checksums masked, since they may be checksummed themselves. */
const MASK_DELTA = 0xa282ead8;

/** The event files in a folder that are ours, oldest first. */
export function eventFiles(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => EVENT_FILE.test(name)).sort().map((name) => join(folder, name)) : [];
}

/** One event file, open to be appended to. */
export class EventsLog implements Disposable {
  readonly file: string;
  readonly #fd: number;
  readonly #crc32c: IHasher;
  readonly #now: () => number;

  private constructor(file: string, crc32c: IHasher, now: () => number) {
    this.file = file;
    this.#crc32c = crc32c;
    this.#now = now;
    // A new file, whoever may have put one there.
    this.#fd = this.#system(() => openSync(file, "wx"));
  }

  /**
   * Begins a new file in the folder, which is made where it is missing. `resumedAt`: the step that the run goes on from; what older files say of it and later ones is void.
   * `now` gives milliseconds.
   * Throws OUTPUT_UNWRITABLE, FOLDER_UNMAKABLE.
   */
  static async begin(folder: string, { resumedAt, now = Date.now }: { resumedAt?: number | undefined; now?: (() => number) | undefined } = {}): Promise<EventsLog> {
    ensureFolder(folder);
    const last = EVENT_FILE.exec(eventFiles(folder).at(-1)?.slice(folder.length + 1) ?? "")?.[1];
    // After the last one also where the clock was set back, or two runs begin in one second.
    const second = Math.max(Math.floor(now() / 1000), Number(last ?? 0) + 1);
    const log = new EventsLog(join(folder, `events.out.tfevents.${String(second)}.onnx-hut`), await createCRC32(CASTAGNOLI), now);
    const from = resumedAt ?? 0;
    log.#write(from, (event) => event.uint32(tag(Field.fileVersion, Wire.bytes)).string("brain.Event:2"));
    if (resumedAt !== undefined) log.#write(from, (event) => event.uint32(tag(Field.sessionLog, Wire.bytes)).fork().uint32(tag(1, Wire.varint)).int32(SESSION_START).ldelim());
    return log;
  }

  /** The record's figures at its step. Throws OUTPUT_UNWRITABLE. */
  append(record: MetricsRecord): void {
    const scalars = scalarsOf(record);
    this.#write(record["step"] ?? 0, (event) => {
      event.uint32(tag(Field.summary, Wire.bytes)).fork();
      // repeated Value value = 1 { string tag = 1; float simple_value = 2 }
      for (const [name, value] of scalars) event.uint32(tag(1, Wire.bytes)).fork().uint32(tag(1, Wire.bytes)).string(name).uint32(tag(2, Wire.float)).float(value).ldelim();
      return event.ldelim();
    });
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** An Event: when, at which step, and what; framed as TFRecord frames it. One write, so that a kill cuts no more than the last. */
  #write(step: number, what: (event: protobuf.Writer) => protobuf.Writer): void {
    const event = protobuf.Writer.create().uint32(tag(Field.wallTime, Wire.double)).double(this.#now() / 1000);
    // protobuf leaves zeros out.
    if (step !== 0) event.uint32(tag(Field.step, Wire.varint)).int64(step);
    const bytes = what(event).finish();
    const record = new DataView(new ArrayBuffer(8 + 4 + bytes.length + 4));
    record.setBigUint64(0, BigInt(bytes.length), true);
    record.setUint32(8, this.#masked(new Uint8Array(record.buffer, 0, 8)), true);
    new Uint8Array(record.buffer).set(bytes, 12);
    record.setUint32(12 + bytes.length, this.#masked(bytes), true);
    // A disk that fills up takes a part first.
    for (let written = 0; written < record.byteLength;) written += this.#system(() => writeSync(this.#fd, new Uint8Array(record.buffer, written)));
  }

  #masked(bytes: Uint8Array): number {
    const digest = this.#crc32c.init().update(bytes).digest("binary");
    const crc = new DataView(digest.buffer, digest.byteOffset).getUint32(0);
    return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
  }

  #system<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw systemCode(error) === undefined ? error : outputUnwritable(this.file, error);
    }
  }
}

/** Hugging Face's names: `eval_loss` is `eval/loss`, and all else of the training's. An evaluation's epoch is that of its step, which has it already. */
function scalarsOf(record: MetricsRecord): (readonly [name: string, value: number])[] {
  const entries = Object.entries(record).filter(([name]) => name !== "step");
  const evaluation = entries.filter(([name]) => name.startsWith(EVAL));
  if (evaluation.length > 0) return evaluation.map(([name, value]) => [`eval/${name.slice(EVAL.length)}`, value]);
  return entries.map(([name, value]) => [`train/${name}`, value]);
}

const EVAL = "eval_";

/** Fields of tensorflow.Event (event.proto), and SessionLog.START. */
const Field = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SESSION_START = 1;
/** protobuf's wire types. */
const Wire = { varint: 0, double: 1, bytes: 2, float: 5 } as const;

function tag(field: number, wire: number): number {
  return (field << 3) | wire;
}
