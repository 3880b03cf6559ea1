/** hut.json: what PEFT has no word for. Strict: an unknown key is an error. */
import { fieldWrong } from "../../errors/adapter.ts";
import { EMBEDDING_POOLINGS, type EmbeddingPooling } from "../../passes/attach-contrastive.ts";
import { POOLINGS, type Pooling } from "../../passes/attach-head.ts";
import { PROBLEMS, type ProblemName } from "../options.ts";
import type { Ranges } from "./packed-modules.ts";
import { JsonFields } from "./json-fields.ts";
import { parseStrictJson } from "./strict-json.ts";

/** Some values of a base weight, by which an adapter knows its base again, in whatever export, orientation or precision. */
export interface Fingerprint {
  /** [k, n]. */
  readonly shape: readonly [number, number];
  /** Places in [k, n] order, rising. */
  readonly positions: readonly number[];
  /** The values there, as float32. */
  readonly values: readonly number[];
  /** For a quantized weight: the largest step from one integer to the next there, by which the values may be off. */
  readonly step?: number;
}

/** One adapted weight of the base. */
export interface HutModule {
  readonly initializer: string;
  /** [k, n], however it is stored. */
  readonly shape: readonly [number, number];
  /** "kn": the initializer is [k, n]; "nk": it is the transposed. */
  readonly stored: "kn" | "nk";
  readonly fingerprint: Fingerprint;
  /** Of a packed weight adapted by roles: the roles in the order in which their factors are stacked, and the columns of each as runs [first, end). */
  readonly blocks?: Readonly<Record<string, Ranges>>;
}

/** One tensor that was trained whole. */
export interface HutSaved {
  /** Its initializer in the base; null where the base has none (an attached head). */
  readonly initializer: string | null;
  /** As in the safetensors file. */
  readonly shape: readonly number[];
  /** How the initializer holds a matrix; null for vectors and where there is no initializer. */
  readonly stored: "kn" | "nk" | null;
  /** "kn" where PyTorch has the matrix as [k, n], as GPT-2's Conv1D does, and so has the safetensors file; left out where it is [n, k] or none. */
  readonly layout?: "kn";
}

/** The head that was attached because the export had none. */
export interface HutHead {
  readonly pooling: Pooling;
  /** Its module path. */
  readonly module: string;
  readonly numLabels: number;
}

/** hut.json, version 1. */
export interface HutJson {
  readonly formatVersion: 1;
  readonly method: string;
  /** s = alpha / rank. */
  readonly alpha: number;
  /** The roles that were chosen ("q", "v"); empty where modules were chosen otherwise. */
  readonly roles: readonly string[];
  /** By module path. */
  readonly modules: Readonly<Record<string, HutModule>>;
  readonly head?: HutHead;
  /** The classes' names in order, where the data or the model's config told them. */
  readonly id2label?: readonly string[];
  /** What a classifier was trained for. */
  readonly problem?: ProblemName;
  /** Of a model of embeddings: how they were made of hidden states. */
  readonly pooling?: EmbeddingPooling;
  /** By parameter path ("classifier.weight"). */
  readonly saved: Readonly<Record<string, HutSaved>>;
}

/** Values in one fingerprint: enough that two weights of one shape never agree by chance, and few enough to read from a large file. */
const FINGERPRINT_VALUES = 64;

/** Most values read in a fingerprint; those that are written have 64. */
const MAX_FINGERPRINT_VALUES = 4096;

/** The golden ratio's fraction: its multiples fall evenly into [0, 1) and never repeat. */
const GOLDEN = 0.6180339887498949;

/**
 * The fixed places of a [k, n] weight's fingerprint: one in each of 64 equal stretches, or all of a smaller weight. Where in its stretch
 * differs from one to the next: equal steps can run along a diagonal, where a matrix and its transposed are the same.
 */
export function fingerprintPositions(k: number, n: number): number[] {
  const count = Math.min(FINGERPRINT_VALUES, k * n);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + ((i * GOLDEN) % 1)) * k * n) / count));
}

/** The fingerprint of a [k, n] weight; `valueAt` gives its element at a place in [k, n] order. */
export function fingerprintOf(shape: readonly [number, number], valueAt: (position: number) => number): Fingerprint {
  const positions = fingerprintPositions(...shape);
  return { shape, positions, values: positions.map((position) => Math.fround(valueAt(position))) };
}

/** Reads hut.json's text; `file` names it in messages. Throws JSON_BROKEN, FIELD_WRONG, FIELD_UNKNOWN. */
export function parseHutJson(text: string, file: string): HutJson {
  const fields = new JsonFields(file, parseStrictJson(text, file));
  if (fields.get("formatVersion") !== 1) throw fieldWrong(file, "formatVersion", "1, the only version this onnx-hut reads");
  fields.onlyKeys(["formatVersion", "method", "alpha", "roles", "modules", "head", "id2label", "problem", "pooling", "saved"]);
  const alpha = fields.number("alpha");
  if (alpha === 0) fields.wrong("alpha", "a number other than 0");
  return {
    formatVersion: 1,
    method: fields.text("method"),
    alpha,
    roles: fields.texts("roles"),
    modules: fields.record("modules", (modules, name) => readModule(modules.object(name))),
    ...(fields.get("head") === undefined ? {} : { head: readHead(fields.object("head")) }),
    ...(fields.get("id2label") === undefined ? {} : { id2label: fields.texts("id2label") }),
    ...(fields.get("problem") === undefined ? {} : { problem: fields.oneOf("problem", PROBLEMS) }),
    ...(fields.get("pooling") === undefined ? {} : { pooling: fields.oneOf("pooling", EMBEDDING_POOLINGS) }),
    saved: fields.record("saved", (saved, name) => readSaved(saved.object(name))),
  };
}

/** hut.json's text: keys in a fixed order, entries sorted by name, lists of numbers on one line. */
export function formatHutJson(hut: HutJson): string {
  const { formatVersion, method, alpha, roles, modules, head, id2label, problem, pooling, saved } = hut;
  // What is undefined is left out by JSON.stringify.
  const sorted = { formatVersion, method, alpha, roles, modules: sortedByName(modules, flatBlocks), head, id2label, problem, pooling, saved: sortedByName(saved) };
  const text = JSON.stringify(sorted, null, 2);
  // A line break is never inside a JSON text, so this touches lists alone.
  return `${text.replace(/\[\n\s+([-+.\deE,\s]+?)\n\s+\]/g, (_, items: string) => `[${items.replace(/\s+/g, " ")}]`)}\n`;
}

function readModule(fields: JsonFields): HutModule {
  fields.onlyKeys(["initializer", "shape", "stored", "fingerprint", "blocks"]);
  const initializer = fields.text("initializer");
  const shape = readShape(fields);
  const stored = fields.oneOf("stored", ["kn", "nk"]);
  const blocks = fields.get("blocks") === undefined ? undefined : fields.record("blocks", (list, role) => readRanges(list, role, shape[1]));
  return { initializer, shape, stored, fingerprint: readFingerprint(fields.object("fingerprint"), shape), ...(blocks === undefined ? {} : { blocks }) };
}

/** Runs of columns within [0, n), one number after the other in the file: rising, none empty. */
export function readRanges(fields: JsonFields, role: string, n: number): Ranges {
  const numbers = fields.counts(role, 0);
  if (!["q", "k", "v"].includes(role)) fields.wrong(role, "a role: q, k or v");
  const rising = numbers.every((v, i) => (i % 2 === 0 ? i === 0 || v >= (numbers[i - 1] ?? 0) : v > (numbers[i - 1] ?? 0)));
  const isRuns = numbers.length > 0 && numbers.length % 2 === 0 && rising && (numbers.at(-1) ?? 0) <= n;
  if (!isRuns) fields.wrong(role, "runs of columns, first and end by turns, rising");
  return Array.from({ length: numbers.length / 2 }, (_, i) => [numbers[2 * i] ?? 0, numbers[2 * i + 1] ?? 0] as const);
}

function readFingerprint(fields: JsonFields, [k, n]: readonly [number, number]): Fingerprint {
  fields.onlyKeys(["shape", "positions", "values", "step"]);
  const shape = readShape(fields);
  if (shape[0] !== k || shape[1] !== n) fields.wrong("shape", "its module's shape");
  const positions = fields.counts("positions", 0);
  const values = fields.numbers("values");
  if (positions.length === 0 || positions.length > MAX_FINGERPRINT_VALUES) fields.wrong("positions", `a list of 1 to ${String(MAX_FINGERPRINT_VALUES)} places`);
  if (positions.some((position) => position >= k * n)) fields.wrong("positions", "places within the shape");
  if (values.length !== positions.length) fields.wrong("values", "as long as positions");
  if (fields.get("step") === undefined) return { shape, positions, values };
  const step = fields.number("step");
  return step > 0 ? { shape, positions, values, step } : fields.wrong("step", "a number above 0");
}

/** [k, n]. */
export function readShape(fields: JsonFields): [number, number] {
  const [k, n, ...rest] = fields.counts("shape", 1);
  return k === undefined || n === undefined || rest.length > 0 ? fields.wrong("shape", "[k, n]") : [k, n];
}

function readHead(fields: JsonFields): HutHead {
  fields.onlyKeys(["pooling", "module", "numLabels"]);
  return { pooling: fields.oneOf("pooling", POOLINGS), module: fields.text("module"), numLabels: fields.count("numLabels", 1) };
}

function readSaved(fields: JsonFields): HutSaved {
  fields.onlyKeys(["initializer", "shape", "stored", "layout"]);
  const stored = fields.get("stored") === null ? null : fields.oneOf("stored", ["kn", "nk"]);
  const layout = fields.get("layout") === undefined ? {} : { layout: fields.oneOf("layout", ["kn"]) };
  return { initializer: fields.textOrNull("initializer"), shape: fields.counts("shape", 0), stored, ...layout };
}

/** Runs are written as one list of numbers. */
function flatBlocks(module: HutModule): object {
  if (module.blocks === undefined) return module;
  return { ...module, blocks: Object.fromEntries(Object.entries(module.blocks).map(([role, ranges]) => [role, ranges.flat()])) };
}

function sortedByName<T>(record: Readonly<Record<string, T>>, written: (entry: T) => unknown = (entry) => entry): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, entry]) => [name, written(entry)]));
}
