/** The zod schema of config files, made from the flags: one definition of an option's name, type and range. */
import { z } from "zod";
import { list } from "../../errors/hut-error.ts";
import type { Command } from "../command.ts";
import { rangeText, type Flag, type FlagKind, type NumberRange } from "../flag.ts";
import { sharedOptions, type Flags } from "./config-options.ts";

/** Not blank, and without NUL, which ends a path for the system. */
const TEXT = /^[^\0]*[^\s\0][^\0]*$/;
/** An entry of a list of names: a /regular expression/, or words without commas. */
const NAME = /^(?:\/.+\/|[^\s,/](?:[^,]*[^\s,])?)$/;

/** The schema of a whole file. */
export function configSchema(commands: readonly Command[]): z.ZodType {
  const sections = commands.map((command) => [command.name, z.strictObject(shape(command.flags)).describe(`Options of \`onnx-hut ${command.name}\` alone: ${command.summary}.`).optional()] as const);
  return z.strictObject({
    $schema: z.string().describe("Where this schema is, for editors.").optional(),
    model: schemaOf({ type: "text", path: true, optional: false }).describe("MODEL: a model.onnx, or a folder that holds onnx/model.onnx or model.onnx; relative to this file.").optional(),
    ...shape(sharedOptions(commands)),
    ...Object.fromEntries(sections),
  });
}

/** The schema as JSON Schema, for editors. */
export function configJsonSchema(commands: readonly Command[]): Record<string, unknown> {
  return { title: "hut.config", description: "Config file of onnx-hut: options of all verbs at the top, of one verb in its section.", ...z.toJSONSchema(configSchema(commands)) };
}

/** What a value of this kind must be, in words that complete "must be …". */
export function kindText(kind: FlagKind): string {
  switch (kind.type) {
    case "number": return rangeText(kind.range);
    case "numbers": return `a list, each ${rangeText(kind.range)}`;
    case "choice": return `${kind.known.length === 1 ? "" : "one of "}${list(kind.known, 20)}`;
    case "choices": return `a list of words out of ${list(kind.known, 20)}`;
    case "names": return "a list of names, as [\"q\", \"v\"]";
    case "word or numbers": return `${list(kind.known, 20)}, or a list of numbers of at least 0`;
    case "text": return `${kind.path ? "a path" : "a text"}${kind.optional ? ", or true" : ""}`;
    case "toggle": return "true or false";
  }
}

function shape(flags: Flags): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(flags).map(([option, flag]) => [option, schemaOf(flag.kind).describe(description(flag)).optional()]));
}

function description({ flags, help, kind, default: fallback }: Flag<unknown>): string {
  return `${flags}: ${help}${kind.type === "text" && kind.path ? "; relative to this file" : ""}${fallback === undefined ? "" : ` (default: ${fallback})`}`;
}

function schemaOf(kind: FlagKind): z.ZodType {
  switch (kind.type) {
    case "number": return numberSchema(kind.range);
    case "numbers": return z.array(numberSchema(kind.range)).min(1);
    case "choice": return z.enum(kind.known);
    case "choices": return z.array(z.enum(kind.known)).min(1);
    case "names": return z.array(z.string().regex(NAME)).min(1);
    case "word or numbers": return z.union([z.enum(kind.known), z.array(z.number().min(0)).min(1)]);
    case "text": return kind.optional ? z.union([z.boolean(), z.string().regex(TEXT)]) : z.string().regex(TEXT);
    case "toggle": return z.boolean();
  }
}

function numberSchema({ integer, min, max, above, below }: NumberRange): z.ZodType {
  let schema = integer === true ? z.int() : z.number();
  if (min !== undefined) schema = schema.min(min);
  if (max !== undefined) schema = schema.max(max);
  if (above !== undefined) schema = schema.gt(above);
  if (below !== undefined) schema = schema.lt(below);
  return schema;
}
