/** The fields of a JSON object, read one by one with their types checked; an error names the file and the field. */
import { fieldUnknown, fieldWrong } from "../../errors/adapter.ts";
import type { JsonObject, JsonValue } from "./strict-json.ts";

/** One JSON object and where it stands (`path` is "modules.x." or empty). Its methods throw FIELD_WRONG. */
export class JsonFields {
  readonly file: string;
  readonly path: string;
  readonly #object: JsonObject;

  constructor(file: string, value: JsonValue | undefined, path = "") {
    this.file = file;
    this.path = path;
    if (!(value instanceof Map)) throw fieldWrong(file, path === "" ? "the whole" : path.slice(0, -1), "an object");
    this.#object = value;
  }

  get keys(): string[] {
    return [...this.#object.keys()];
  }

  get(key: string): JsonValue | undefined {
    return this.#object.get(key);
  }

  /** Throws FIELD_UNKNOWN at the first key that isn't among `known`. */
  onlyKeys(known: readonly string[]): void {
    const unknown = this.keys.find((key) => !known.includes(key));
    if (unknown !== undefined) throw fieldUnknown(this.file, this.path + unknown, known);
  }

  text(key: string): string {
    const value = this.get(key);
    return typeof value === "string" ? value : this.wrong(key, "a text");
  }

  textOrNull(key: string): string | null {
    return this.get(key) == null ? null : this.text(key);
  }

  oneOf<const T extends string>(key: string, words: readonly T[]): T {
    return words.find((word) => word === this.get(key)) ?? this.wrong(key, `one of ${words.join(", ")}`);
  }

  texts(key: string): string[] {
    const value = this.get(key);
    if (!Array.isArray(value)) return this.wrong(key, "a list of texts");
    return value.map((entry) => (typeof entry === "string" ? entry : this.wrong(key, "a list of texts")));
  }

  flag(key: string): boolean {
    const value = this.get(key) ?? false;
    return typeof value === "boolean" ? value : this.wrong(key, "true or false");
  }

  number(key: string): number {
    const value = this.get(key);
    return typeof value === "number" ? value : this.wrong(key, "a number");
  }

  /** A whole number of at least `least`. */
  count(key: string, least: number): number {
    const value = this.get(key);
    return isCount(value, least) ? value : this.wrong(key, `a whole number of at least ${String(least)}`);
  }

  counts(key: string, least: number): number[] {
    const value = this.get(key);
    if (!Array.isArray(value)) return this.wrong(key, "a list of whole numbers");
    return value.map((entry) => (isCount(entry, least) ? entry : this.wrong(key, `a list of whole numbers of at least ${String(least)}`)));
  }

  numbers(key: string): number[] {
    const value = this.get(key);
    if (!Array.isArray(value)) return this.wrong(key, "a list of numbers");
    return value.map((entry) => (typeof entry === "number" ? entry : this.wrong(key, "a list of numbers")));
  }

  /** The object under `key` as fields of its own. */
  object(key: string): JsonFields {
    return new JsonFields(this.file, this.get(key), `${this.path}${key}.`);
  }

  /** The list of objects under `key`, each as fields of its own. */
  objects(key: string): JsonFields[] {
    const value = this.get(key);
    if (!Array.isArray(value)) return this.wrong(key, "a list of objects");
    return value.map((entry, i) => new JsonFields(this.file, entry, `${this.path}${key}[${String(i)}].`));
  }

  /** The object under `key`, entry by entry, as a record; "__proto__" becomes an ordinary own key. */
  record<T>(key: string, read: (fields: JsonFields, name: string) => T): Record<string, T> {
    const fields = this.object(key);
    return Object.fromEntries(fields.keys.map((name) => [name, read(fields, name)]));
  }

  wrong(key: string, wanted: string): never {
    throw fieldWrong(this.file, this.path + key, wanted);
  }
}

function isCount(value: JsonValue | undefined, least: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= least;
}
