/** What TensorBoard shows of a run's event files: read by a reader of its own, with TensorBoard's rule for a run that goes on. */
import { readFileSync } from "node:fs";
import protobuf from "protobufjs/minimal.js";
import { eventFiles } from "../../../src/runtime/node/tensorboard.ts";

/** One point of a curve. */
export interface Point {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** The points that are left of the files in a folder. At SessionLog.START those of its step and later ones go. */
export function curves(folder: string): Point[] {
  let points: Point[] = [];
  for (const file of eventFiles(folder)) {
    const bytes = readFileSync(file);
    let at = 0;
    // A record that a kill cut short ends the file.
    while (at + 12 <= bytes.length && at + 16 + Number(bytes.readBigUInt64LE(at)) <= bytes.length) {
      const length = Number(bytes.readBigUInt64LE(at));
      const { step, restart, values } = eventIn(bytes.subarray(at + 12, at + 12 + length));
      if (restart) points = points.filter((point) => point.step < step);
      points.push(...values.map(([tag, value]) => ({ tag, step, value })));
      at += 16 + length;
    }
  }
  return points;
}

function eventIn(bytes: Uint8Array): { step: number; restart: boolean; values: [string, number][] } {
  let [step, restart] = [0, false];
  const values: [string, number][] = [];
  fields(bytes, (field, reader) => {
    if (field === 2) step = Number(reader.int64());
    else if (field === 5) fields(reader.bytes(), (_, summary) => { values.push(valueIn(summary.bytes())); return true; });
    else if (field === 7) fields(reader.bytes(), (_, session) => { restart = session.int32() === 1; return true; });
    else return false;
    return true;
  });
  return { step, restart, values };
}

function valueIn(bytes: Uint8Array): [string, number] {
  const found: [string, number] = ["", 0];
  fields(bytes, (field, reader) => {
    if (field === 1) found[0] = reader.string();
    else found[1] = reader.float();
    return true;
  });
  return found;
}

/** Calls `take` for each field, which reads it, or returns false where it hasn't. */
function fields(bytes: Uint8Array, take: (field: number, reader: protobuf.Reader) => boolean): void {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    if (!take(key >>> 3, reader)) reader.skipType(key & 7);
  }
}
