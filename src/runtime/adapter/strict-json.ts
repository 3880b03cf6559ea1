/** JSON as it stands in files from others: doubled keys, deep nesting and everything JSON.parse would let pass silently are errors. */
import { jsonBroken } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";

/** A JSON value; objects are Maps, so that no key ("__proto__", "constructor") means anything special. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object, keys in file order. */
export type JsonObject = Map<string, JsonValue>;

/** Deepest nesting read unless told otherwise: configurations nest 4 deep, and recursion must not overflow the stack. */
export const MAX_JSON_DEPTH = 32;

/** Parses one JSON text; `file` names it in messages. Throws JSON_BROKEN with the place. */
export function parseStrictJson(text: string, file: string, maxDepth: number = MAX_JSON_DEPTH): JsonValue {
  const reader = new JsonReader(text, file, maxDepth);
  const value = reader.value(0);
  reader.end();
  return value;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\n\r]*/y;

class JsonReader {
  readonly #text: string;
  readonly #file: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, file: string, maxDepth: number) {
    this.#text = text;
    this.#file = file;
    this.#maxDepth = maxDepth;
  }

  value(depth: number): JsonValue {
    if (depth > this.#maxDepth) this.#fail(`it nests deeper than ${String(this.#maxDepth)}`);
    this.#take(SPACE);
    const first = this.#text[this.#at];
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === "\"") return this.#string();
    const number = this.#take(NUMBER);
    if (number !== undefined) {
      const value = Number(number);
      return Number.isFinite(value) ? value : this.#fail("a number is too large");
    }
    const word = this.#take(WORD) ?? this.#fail("a value is missing");
    return word === "null" ? null : word === "true";
  }

  end(): void {
    this.#take(SPACE);
    if (this.#at < this.#text.length) this.#fail("there is more text after the value");
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = new Map();
    this.#at++;
    if (this.#next("}")) return object;
    do {
      this.#take(SPACE);
      const key = this.#string();
      if (object.has(key)) this.#fail(`key ${quote(key)} stands twice`);
      if (!this.#next(":")) this.#fail("a colon is missing");
      object.set(key, this.value(depth + 1));
    } while (this.#next(","));
    if (!this.#next("}")) this.#fail("an object doesn't end");
    return object;
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#next("]")) return array;
    do {
      array.push(this.value(depth + 1));
    } while (this.#next(","));
    if (!this.#next("]")) this.#fail("a list doesn't end");
    return array;
  }

  /** Looks for the closing quote by hand: a pattern that steps over escapes overflows the stack on long texts. */
  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== "\"") this.#fail("a text in double quotes is missing");
    let end = start;
    do {
      end = this.#text.indexOf("\"", end + 1);
      if (end < 0) this.#fail("a text in double quotes doesn't end");
    } while (this.#isEscaped(end));
    this.#at = end + 1;
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)));
    } catch {
      this.#at = start;
      this.#fail("a text has a broken escape or a control character");
    }
  }

  #isEscaped(quote: number): boolean {
    let before = quote;
    while (this.#text[before - 1] === "\\") before--;
    return (quote - before) % 2 === 1;
  }

  #next(sign: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#at] !== sign) return false;
    this.#at++;
    return true;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(problem: string): never {
    throw jsonBroken(this.#file, `${problem}, at character ${String(this.#at)}`);
  }
}
