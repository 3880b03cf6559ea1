/**
 * What a swappable graph tells of its inputs for adapters, so that a loader needs nothing else: JSON in the model's metadata_props. Input names are
 * `<module path>.<parameter>`; this says what stands behind them.
 */
import type { Value } from "../../ir/graph.ts";
import type { Role } from "../../passes/weights/find-weights.ts";
import type { Trainable } from "../../passes/adapt.ts";
import { RANK } from "../../passes/make-swappable.ts";
import { ROLES } from "../../passes/select-weights.ts";
import { readRanges, readShape } from "../adapter/hut-json.ts";
import { JsonFields } from "../adapter/json-fields.ts";
import type { MatchableSite } from "../adapter/match-adapter.ts";
import { columnsOf, rangesOf } from "../adapter/packed-modules.ts";
import { parseStrictJson } from "../adapter/strict-json.ts";
import type { Prepared } from "../prepare.ts";

/** The key in metadata_props. */
export const SWAPPABLE_KEY = "onnx_hut.swappable";

/** One input that an adapter fills. */
export interface SwappableInput {
  readonly name: string;
  readonly modulePath: string;
  /** "hut_A", "hut_B"; of a module trained whole "weight", "bias", … */
  readonly parameter: string;
  /** The free dimension is "lora_r". */
  readonly shape: readonly (number | typeof RANK)[];
  /** What the weight does, or of a packed weight the part that this is. */
  readonly role: Role | null;
  /** The place of the adapted weight in `weights`; null of a tensor trained whole. */
  readonly weight: number | null;
  /** Whether this is of the packed weight's columns of `role` alone. */
  readonly isPart: boolean;
}

/** All that a loader needs to know. */
export interface SwappableInfo {
  readonly formatVersion: 1;
  readonly method: string;
  /** The model's own inputs whose first axis is the batch, where each of its rows may have an adapter of its own: inputs for adapters then have the rows before `shape`. */
  readonly rows?: readonly string[] | undefined;
  readonly inputs: readonly SwappableInput[];
  /** The adapted weights, as a module of an adapter is matched with them. */
  readonly weights: readonly MatchableSite[];
}

/** What to tell of a prepared model and its inputs; `rows` as above. */
export function swappableInfo({ method, adapted }: Prepared, inputs: ReadonlyMap<Trainable, Value>, rows?: readonly string[]): SwappableInfo {
  const sites = [...new Set(adapted.map((part) => part.site))];
  const shapeOf = (value: Value): (number | typeof RANK)[] => (value.shape ?? []).slice(rows === undefined ? 0 : 1).map((d) => (typeof d === "number" ? d : RANK));
  const places = new Map(adapted.flatMap(({ site, block, parameters }) => parameters.map((p) => [p, { site, block }] as const)));
  return {
    formatVersion: 1, method: method.name, rows,
    weights: sites.map(({ name, modulePath, role, layer, blocks, k, n }) => ({ name, modulePath, role, layer, blocks, k, n })),
    inputs: [...inputs].map(([trainable, value]): SwappableInput => {
      const { modulePath, parameter } = trainable;
      const place = places.get(trainable);
      const role = place?.block?.role ?? (place?.site ?? trainable.site)?.role ?? null;
      return { name: value.name, modulePath, parameter, shape: shapeOf(value), role, weight: place === undefined ? null : sites.indexOf(place.site), isPart: place?.block !== undefined };
    }),
  };
}

/** The JSON. Columns of packed weights stand as runs. */
export function formatSwappableInfo({ weights, ...info }: SwappableInfo): string {
  return JSON.stringify({
    ...info,
    weights: weights.map(({ name, modulePath, role, layer, blocks, k, n }) => ({
      name, modulePath: modulePath ?? null, role: role ?? null, layer: layer ?? null, shape: [k, n],
      blocks: blocks === undefined ? null : Object.fromEntries([...blocks].map(([own, columns]) => [own, rangesOf(columns).flat()])),
    })),
  });
}

/** Deepest nesting: the whole, its weights, one of them, its blocks, a role's runs. */
const MAX_DEPTH = 6;

/** Reads it. `file` is for messages. Throws JSON_BROKEN, FIELD_WRONG, FIELD_UNKNOWN. */
export function parseSwappableInfo(text: string, file: string): SwappableInfo {
  const fields = new JsonFields(file, parseStrictJson(text, file, MAX_DEPTH));
  fields.onlyKeys(["formatVersion", "method", "rows", "inputs", "weights"]);
  if (fields.get("formatVersion") !== 1) fields.wrong("formatVersion", "1, the only version this onnx-hut reads");
  const weights = fields.objects("weights").map(weightOf);
  const rows = fields.get("rows") === undefined ? undefined : fields.texts("rows");
  return { formatVersion: 1, method: fields.text("method"), rows, weights, inputs: fields.objects("inputs").map((input) => inputOf(input, weights.length)) };
}

function inputOf(fields: JsonFields, weights: number): SwappableInput {
  fields.onlyKeys(["name", "modulePath", "parameter", "shape", "role", "weight", "isPart"]);
  const shape = fields.get("shape");
  const sizes = Array.isArray(shape) ? shape.filter((d): d is number | typeof RANK => d === RANK || (typeof d === "number" && Number.isSafeInteger(d) && d >= 0)) : [];
  if (!Array.isArray(shape) || sizes.length !== shape.length) fields.wrong("shape", `a list of sizes and "${RANK}"`);
  const weight = fields.get("weight") === null ? null : fields.count("weight", 0);
  if (weight !== null && weight >= weights) fields.wrong("weight", "the place of one of the weights");
  return {
    name: fields.text("name"), modulePath: fields.text("modulePath"), parameter: fields.text("parameter"), shape: sizes, role: roleOf(fields) ?? null, weight,
    isPart: fields.flag("isPart"),
  };
}

function weightOf(fields: JsonFields): MatchableSite {
  fields.onlyKeys(["name", "modulePath", "role", "layer", "shape", "blocks"]);
  const [k, n] = readShape(fields);
  const blocks = fields.get("blocks") === null ? undefined
    : new Map(Object.entries(fields.record("blocks", (all, role) => columnsOf(readRanges(all, role, n)))).map(([role, columns]) => [role as Role, columns]));
  const layer = fields.get("layer") === null ? undefined : fields.count("layer", 0);
  return { name: fields.text("name"), modulePath: fields.textOrNull("modulePath") ?? undefined, role: roleOf(fields), layer, blocks, k, n };
}

function roleOf(fields: JsonFields): Role | undefined {
  return fields.get("role") === null ? undefined : fields.oneOf("role", [...ROLES, "qkv"]);
}
