/**
 * Writes src/ir/proto/generated/schema.ts, the types and tables of the ONNX codec, from scripts/onnx.proto (ONNX 1.23.2, copied as it is).
 *
 *     npx tsx scripts/generate-proto.ts            writes the file
 *     npx tsx scripts/generate-proto.ts --check    writes nothing; exits 1 when the file is not what would be written
 */
import { readFileSync, writeFileSync } from "node:fs";
import protobuf from "protobufjs";
import { IndentationText, Project, type SourceFile, VariableDeclarationKind } from "ts-morph";

const PROTO = new URL("./onnx.proto", import.meta.url);
const OUTPUT = new URL("../src/ir/proto/generated/schema.ts", import.meta.url);

/** The one `bytes` field that holds weights: read only when asked for. */
const LAZY = ".onnx.TensorProto.rawData";

/** What stands in the generated file as it is: the words its tables are written in. */
const PREAMBLE = `/** An int64 or uint64 as the file holds it: a number where that is exact. */
export type Int = number | bigint;

/** How a field stands on the wire. Enums are int32: a file may hold numbers that no schema knows. */
export type WireKind = "int32" | "int64" | "uint64" | "float" | "double" | "string" | "bytes" | "message";

/** What the codec knows of a field. */
export interface FieldSpec {
  readonly name: string;
  readonly kind: WireKind;
  /** "one" value or undefined; "many" in an array; "lazy": one Bytes (raw_data as it is, a packed field as its payload). */
  readonly held: "one" | "many" | "lazy";
  /** The message type, for kind "message". */
  readonly message?: MessageName;
  /** The other members of its oneof, which it replaces. */
  readonly rivals?: readonly string[];
}

/** Every message type by name. */
export type MessageName = keyof Messages;

/** What the codec knows of a message type: its fields by number, and how to make an empty one. */
export interface MessageSpec<T> {
  readonly fields: Readonly<Record<number, FieldSpec>>;
  readonly create: () => T;
}`;

const SCALARS: Readonly<Record<string, string>> = {
  string: "string", bytes: "Uint8Array", float: "number", double: "number", int32: "number", int64: "Int", uint64: "Int",
};

/** "TypeProto.Tensor" → TypeProtoTensor. */
function nameOf(type: protobuf.ReflectionObject): string {
  return type.fullName.replace(/^\.onnx\./, "").replaceAll(".", "");
}

/** All of a kind below a namespace, in file order, nested ones after what holds them. */
function below<T extends protobuf.ReflectionObject>(namespace: protobuf.NamespaceBase, kind: new (...args: never[]) => T): T[] {
  return namespace.nestedArray.flatMap((object) => [
    ...(object instanceof kind ? [object] : []),
    ...(object instanceof protobuf.Namespace ? below(object, kind) : []),
  ]);
}

function heldOf(field: protobuf.Field): "one" | "many" | "lazy" {
  if (field.packed || field.fullName === LAZY) return "lazy";
  return field.repeated ? "many" : "one";
}

function wireKindOf(field: protobuf.Field): string {
  if (field.resolvedType instanceof protobuf.Enum) return "int32";
  if (field.resolvedType instanceof protobuf.Type) return "message";
  if (!(field.type in SCALARS)) throw new Error(`${field.fullName}: the codec has no ${field.type}`);
  return field.type;
}

function typeOf(field: protobuf.Field): string {
  if (heldOf(field) === "lazy") return "Bytes";
  const one = field.resolvedType instanceof protobuf.Type ? nameOf(field.resolvedType) : SCALARS[wireKindOf(field)] ?? "never";
  return field.repeated ? `${one}[]` : one;
}

function addInterface(file: SourceFile, type: protobuf.Type): void {
  file.addInterface({
    name: nameOf(type),
    isExported: true,
    docs: [`${type.fullName.slice(1)}: see scripts/onnx.proto. An optional field that the file doesn't hold is undefined, a repeated one empty.`],
    properties: [
      ...fieldsOf(type).map((field) => ({
        name: field.name,
        type: heldOf(field) === "many" ? typeOf(field) : `${typeOf(field)} | undefined`,
        hasQuestionToken: heldOf(field) !== "many",
        docs: field.packed ? [`The packed payload as it stands in the file: read it with \`unpack("${field.type}", …)\`.`] : [],
      })),
      {
        name: "unknownFields", type: "Uint8Array | undefined", hasQuestionToken: true,
        docs: ["Fields that the schema doesn't know: tags and values, end to end, as they stood."],
      },
    ],
  });
  file.addFunction({
    name: functionOf(type),
    isExported: true,
    docs: [`A new ${nameOf(type)} with the fields given and no others.`],
    parameters: [{ name: "init", type: `Partial<${nameOf(type)}>`, initializer: "{}" }],
    returnType: nameOf(type),
    statements: [`return { ${[...fieldsOf(type).filter((f) => heldOf(f) === "many").map((f) => `${f.name}: []`), "...init"].join(", ")} };`],
  });
}

function addEnum(file: SourceFile, type: protobuf.Enum): void {
  const members = Object.entries(type.values).map(([name, value]) => `  ${name}: ${String(value)},\n`).join("");
  file.addVariableStatement({
    isExported: true,
    declarationKind: VariableDeclarationKind.Const,
    docs: [`${type.fullName.slice(1)}: see scripts/onnx.proto.`],
    declarations: [{ name: nameOf(type), initializer: `{\n${members}} as const` }],
  });
}

/** A message's fields by number, the order in which they are written. */
function fieldsOf(type: protobuf.Type): protobuf.Field[] {
  return [...type.fieldsArray].sort((a, b) => a.id - b.id);
}

/** NodeProto → nodeProto. */
function functionOf(type: protobuf.Type): string {
  const name = nameOf(type);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function specOf(field: protobuf.Field): string {
  const rivals = (field.partOf?.fieldsArray ?? []).map((member) => member.name).filter((name) => name !== field.name);
  return [
    `${String(field.id)}: { name: "${field.name}", kind: "${wireKindOf(field)}", held: "${heldOf(field)}"`,
    ...(field.resolvedType instanceof protobuf.Type ? [`message: "${nameOf(field.resolvedType)}"`] : []),
    ...(rivals.length > 0 ? [`rivals: ${JSON.stringify(rivals)}`] : []),
  ].join(", ") + " }";
}

function generate(): string {
  const { root } = protobuf.parse(readFileSync(PROTO, "utf8"));
  root.resolveAll();
  const messages = below(root, protobuf.Type);

  const file = new Project({ useInMemoryFileSystem: true, manipulationSettings: { indentationText: IndentationText.TwoSpaces } }).createSourceFile("schema.ts");
  file.addStatements(["// Written by scripts/generate-proto.ts from scripts/onnx.proto. Don't edit.",
    `import type { Bytes } from "../../source.ts";`, PREAMBLE]);
  for (const type of below(root, protobuf.Enum)) addEnum(file, type);
  for (const type of messages) addInterface(file, type);
  file.addInterface({
    name: "Messages", isExported: true, docs: ["Every message type."],
    properties: messages.map((type) => ({ name: nameOf(type), type: nameOf(type) })),
  });
  file.addStatements([
    "/** The table the codec works by. */",
    "export const MESSAGES: { readonly [N in MessageName]: MessageSpec<Messages[N]> } = {",
    ...messages.flatMap((type) => [
      `  ${nameOf(type)}: {`, `    create: ${functionOf(type)},`, "    fields: {", ...fieldsOf(type).map((f) => `      ${specOf(f)},`), "    },", "  },",
    ]),
    "};",
  ].join("\n"));
  return `${file.getFullText().trimEnd()}\n`;
}

const text = generate();
if (process.argv.includes("--check")) {
  // A checkout on Windows may have turned the line ends.
  const current = readFileSync(OUTPUT, "utf8").replaceAll("\r\n", "\n");
  if (current !== text) {
    console.error("src/ir/proto/generated/schema.ts is stale: run npx tsx scripts/generate-proto.ts");
    process.exitCode = 1;
  }
} else {
  writeFileSync(OUTPUT, text);
}
