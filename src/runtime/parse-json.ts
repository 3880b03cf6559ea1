/** JSON read by JavaScript's own parser, which takes any depth: what walks the value afterwards would overflow the stack. */
import { jsonBroken } from "../errors/adapter.ts";

/** Deepest nesting of a file that is read so. tokenizer.json nests 8 deep, config.json and rows of data less. */
export const MAX_JSON_NESTING = 100;

/** A JSON file's value; `file` names it in messages. Throws JSON_BROKEN. */
export function parseJson(text: string, file: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw jsonBroken(file, cause instanceof Error ? cause.message : String(cause), cause);
  }
  if (isTooDeep(value)) throw jsonBroken(file, `it nests deeper than ${String(MAX_JSON_NESTING)}`);
  return value;
}

/** Whether lists and objects nest deeper than MAX_JSON_NESTING; looked for level by level, without recursion. */
export function isTooDeep(value: unknown): boolean {
  let level = isContainer(value) ? [value] : [];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_JSON_NESTING) return true;
    const below: object[] = [];
    for (const container of level) for (const inner of Object.values(container)) if (isContainer(inner)) below.push(inner);
    level = below;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
