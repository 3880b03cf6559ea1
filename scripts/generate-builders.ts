/**
 * Writes src/ops/generated/ from onnx-schemas.json: `schemas.ts`, the table of operator versions, and `builder.ts`, one typed method an operator.
 *
 *     npm run generate            write
 *     npm run generate -- --check exit 1 where a file is stale
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Project, Scope, type ParameterDeclarationStructure, type OptionalKind } from "ts-morph";

interface Version { since: number; inputs: string[]; outputs: string[]; attributes: Record<string, string> }
type Schemas = Record<string, Version[]>;

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/ops/generated");
const schemas = JSON.parse(readFileSync(join(here, "onnx-schemas.json"), "utf8")) as Schemas;
const HEAD = "// Made by scripts/generate-builders.ts from scripts/onnx-schemas.json. Do not edit.\n";

const ATTRIBUTE_TYPES: Record<string, string> = { int: "number", ints: "readonly number[]", float: "number", floats: "readonly number[]", string: "string",
  strings: "readonly string[]", tensor: "Tensor" };

/** Operators that hold graphs or make optional and sequence values are not for builders: no rule of ours emits them. */
const isBuildable = (v: Version): boolean => Object.values(v.attributes).every((t) => t.replace("?", "") in ATTRIBUTE_TYPES);

function schemaTable(): string {
  const rows = Object.entries(schemas).map(([name, versions]) => `  ${name}: [\n${versions.map((v) =>
    `    { since: ${String(v.since)}, inputs: ${JSON.stringify(v.inputs)}, outputs: ${JSON.stringify(v.outputs)}, attributes: ${JSON.stringify(v.attributes)} },`).join("\n")}\n  ],`);
  return `${HEAD}
/** One version of an operator. "?" after a name means optional, "*" variadic. */
export interface SchemaVersion {
  readonly since: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, string>>;
}

/** Every operator of ONNX's own domain up to opset 24, oldest version first. */
export const SCHEMAS: Readonly<Record<string, readonly SchemaVersion[]>> = {
${rows.join("\n")}
};
`;
}

function parameterName(name: string): string {
  const plain = name.replace(/[?*]$/, "").replace(/\W/g, "");
  return ["in", "var", "function", "else", "then", "if"].includes(plain) ? `${plain}_` : plain;
}

function builderClass(): string {
  const file = new Project({ useInMemoryFileSystem: true }).createSourceFile("builder.ts");
  const cls = file.addClass({ name: "OpBuilder", extends: "Emitter", isExported: true,
    docs: ["One method an operator, in its newest form up to opset 24; `Emitter` brings it to the form of the graph's own opset."] });
  for (const [name, versions] of Object.entries(schemas)) {
    const newest = versions.at(-1);
    if (newest === undefined || !isBuildable(newest)) continue;
    const variadic = newest.inputs.some((i) => i.endsWith("*"));
    const parameters: OptionalKind<ParameterDeclarationStructure>[] = newest.inputs.map((i) => ({ name: parameterName(i),
      type: i.endsWith("*") ? "readonly Operand[]" : i.endsWith("?") ? "Operand | undefined" : "Operand" }));
    const attributes = Object.entries(newest.attributes);
    const required = attributes.some(([, type]) => !type.endsWith("?"));
    const optionalTail = !required && attributes.length > 0;
    if (attributes.length > 0) {
      parameters.push({ name: "attributes", type: `{ ${attributes.map(([a, type]) => `readonly ${a}${type.endsWith("?") ? "?" : ""}: ${ATTRIBUTE_TYPES[type.replace("?", "")] ?? "never"}${type.endsWith("?") ? " | undefined" : ""}`).join("; ")} }`,
        ...(required ? {} : { initializer: "{}" }) });
    }
    const many = newest.outputs.length > 1 || newest.outputs.some((o) => o.endsWith("*"));
    if (many) parameters.push({ name: "outputs", type: "number", ...(optionalTail || attributes.length === 0 ? { initializer: "1" } : {}) });
    const inputs = newest.inputs.map((i) => (i.endsWith("*") ? `...${parameterName(i)}` : parameterName(i))).join(", ");
    const call = `this.emit("${name}", [${inputs}], ${attributes.length > 0 ? "attributes" : "{}"}, ${many ? "outputs" : "1"})`;
    // Trailing optional inputs may be left out of a call when nothing required follows.
    if (!variadic && !required) for (let i = newest.inputs.length - 1; i >= 0 && newest.inputs[i]?.endsWith("?"); i -= 1) {
      const parameter = parameters[i];
      if (parameter !== undefined) { parameter.type = "Operand"; parameter.hasQuestionToken = true; }
    }
    cls.addMethod({ name, scope: Scope.Public, parameters, returnType: many ? "Value[]" : "Value", statements: many ? `return ${call};` : `return this.first(${call});` });
  }
  return `${HEAD}\nimport { Emitter, type Operand } from "../emitter.ts";\nimport type { Value } from "../../ir/graph.ts";\nimport type { Tensor } from "../../ir/tensor.ts";\n\n${file.getFullText()}`;
}

let stale = 0;
for (const [name, text] of [["schemas.ts", schemaTable()], ["builder.ts", builderClass()]] as const) {
  const path = join(target, name);
  const old = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (old === text) continue;
  if (process.argv.includes("--check")) {
    console.error(`src/ops/generated/${name} is stale: run npm run generate`);
    stale = 1;
  } else {
    writeFileSync(path, text);
  }
}
process.exitCode = stale;
