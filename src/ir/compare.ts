/** Where two models differ: every field of every message, bytes compared piece by piece, nothing left out. */
import { ByteRange, ComputedBytes, fetchBytes, readBytes, type Bytes } from "./source.ts";

/** Bytes compared at a time. */
const PIECE = 4 * 1024 * 1024;

/** The paths at which two messages differ, at most `limit` of them. */
export function differences(a: unknown, b: unknown, limit = 8): string[] {
  const found: string[] = [];
  visit(a, b, "", { found, limit });
  return found;
}

/** The same where bytes of the first are still to be computed: after all else, one after the other, told of each. */
export async function differencesFromComputed(a: unknown, b: unknown, onComputed: (done: number, total: number) => void, limit = 8): Promise<string[]> {
  const found: string[] = [];
  const later: Later[] = [];
  visit(a, b, "", { found, limit, later });
  for (const [i, { path, computed, other }] of later.entries()) {
    if (found.length < limit && !sameBytes(await fetchBytes(computed), other)) found.push(path);
    onComputed(i + 1, later.length);
  }
  return found;
}

interface Later {
  readonly path: string;
  readonly computed: ComputedBytes;
  readonly other: Bytes;
}

interface Comparison {
  readonly found: string[];
  readonly limit: number;
  readonly later?: Later[];
}

function visit(a: unknown, b: unknown, path: string, comparison: Comparison): void {
  const { found, limit, later } = comparison;
  if (found.length >= limit || Object.is(a, b)) return;
  if (isBytes(a) && isBytes(b)) {
    if (a instanceof ComputedBytes && later !== undefined) later.push({ path, computed: a, other: b });
    else if (!sameBytes(a, b)) found.push(path);
    return;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) found.push(`${path} (${String(a.length)} entries against ${String(b.length)})`);
    else a.forEach((item: unknown, i) => { visit(item, b[i], `${path}[${nameOf(item) ?? String(i)}]`, comparison); });
    return;
  }
  if (isObject(a) && isObject(b) && !isBytes(a) && !isBytes(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) visit(a[key], b[key], path === "" ? key : `${path}.${key}`, comparison);
    return;
  }
  found.push(path);
}

function isBytes(value: unknown): value is Bytes {
  return value instanceof Uint8Array || value instanceof ByteRange;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function nameOf(item: unknown): string | undefined {
  return isObject(item) && typeof item["name"] === "string" && item["name"] !== "" ? item["name"] : undefined;
}

/** Whether two runs of bytes are the same, read piece by piece. */
export function sameBytes(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let at = 0; at < a.length; at += PIECE) {
    const length = Math.min(PIECE, a.length - at);
    const [x, y] = [piece(a, at, length), piece(b, at, length)];
    for (let i = 0; i < length; i += 1) if (x[i] !== y[i]) return false;
  }
  return true;
}

function piece(bytes: Bytes, at: number, length: number): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes.subarray(at, at + length);
  return bytes.verbatim ? bytes.source.read(bytes.offset + at, length) : readBytes(bytes).subarray(at, at + length);
}
