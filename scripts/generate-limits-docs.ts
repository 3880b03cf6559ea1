/**
 * Writes docs/limits.md from the source: every constant whose name begins with MAX_ or LONGEST_ is a limit, its docstring the reason.
 *
 *     node --import tsx scripts/generate-limits-docs.ts             write
 *     node --import tsx scripts/generate-limits-docs.ts --check     exit 1 where the file is stale
 *
 * A limit without a docstring, or in a file that no group below claims, is an error: the page would not say what it guards.
 */
import { fileURLToPath } from "node:url";
import { Node, Project, type SourceFile, type VariableDeclaration } from "ts-morph";
import { writeOrCheck } from "./write-or-check.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const TARGET = `${ROOT}docs/limits.md`;

/** What the limits guard, in the order of the page. The first group with a prefix of a file's path below src/ has the file. */
const GROUPS: readonly { readonly title: string; readonly about: string; readonly files: readonly string[] }[] = [
  { title: "Model files", about: "What is read as ONNX: the bytes, the messages in them, the graphs that these make.", files: ["ir/proto/", "ir/load.ts", "ir/source.ts"] },
  { title: "Functions", about: "A model's own functions, counted before one of them is written out.", files: ["passes/check-functions.ts", "passes/inline-functions.ts"] },
  { title: "Following shapes and weights", about: "None of these is an error. What lies beyond is not followed: a shape is unknown, a weight has no role, a gradient rule says why it can't be written.",
    files: ["ir/dim.ts", "ir/print.ts", "ops/", "passes/"] },
  { title: "External data, and files in general", about: "", files: ["runtime/node/external-data.ts", "runtime/node/file-source.ts"] },
  { title: "Adapters and checkpoints", about: "", files: ["runtime/adapter/", "runtime/checkpoint/", "runtime/flatbuffers/", "runtime/swap/", "runtime/node/peft-folder.ts", "runtime/node/onnx-adapter-file.ts",
    "runtime/node/run-folder.ts", "runtime/node/verbs/open-trained.ts", "runtime/read-manifest.ts"] },
  { title: "Tokenizers, configurations and data", about: "", files: ["runtime/data/", "runtime/node/open-loss.ts", "runtime/node/data-file.ts", "runtime/node/json-file.ts", "runtime/node/open-tokenizer.ts", "runtime/node/model-config.ts", "runtime/model-folder/"] },
  { title: "Writing", about: "", files: ["runtime/"] },
  { title: "Messages and tables", about: "", files: ["errors/", "cli/"] },
];

/** Limits of the formats, which no constant of ours holds. */
const INTRO = `<!-- Made by scripts/generate-limits-docs.ts from src. Do not edit. -->
# Limits

A file from a stranger can be small and ask for much. So everything that is read has a limit, most of them far above anything that real files hold; each
says how far. A file beyond one is refused with one sentence that names the file, or, where the text below says so, what lies beyond is left alone.
Nothing is allocated by a size that a file claims before that size was held against the bytes that are there.

Who is guarded against what stands in [SECURITY.md](../SECURITY.md). These are limits of single files and graphs, not of a run: within them a model may
still take hours.

The formats have limits of their own:

- One protobuf message holds 2 GB (2^31 − 1 bytes). A model whose weights make it larger keeps them as external data: other files beside it, of any size.
- Offsets and lengths of external data are numbers of up to 15 digits, a million GB.
- A tensor's dimensions, and their product, are integers up to 2^53 − 1.
`;

/** Constants of that kind of name that bound no file: buffers, pieces of work, what the command line shows or takes. */
const NO_LIMITS = new Set(["MAX_WINDOW", "MAX_READ_BYTES", "MAX_WRITTEN_OUT", "MAX_THREADS", "MAX_HELP_WIDTH", "MAX_COMPARED", "MAX_TRIES", "MAX_WAIT_MS"]);

interface Limit {
  readonly name: string;
  readonly value: string;
  readonly reason: string;
  readonly path: string;
  readonly line: number;
}

/** The limits of one file. */
function limitsOf(file: SourceFile): Limit[] {
  const path = file.getFilePath().slice(`${ROOT}src/`.length);
  return file.getVariableDeclarations().filter((d) => /^(MAX|LONGEST)_[A-Z_]+$/.test(d.getName()) && !NO_LIMITS.has(d.getName())).map((d) => {
    const reason = d.getVariableStatement()?.getJsDocs().at(-1)?.getCommentText()?.replaceAll(/\s*\n\s*/g, " ").trim() ?? "";
    if (reason === "") throw new Error(`src/${path}: ${d.getName()} has no docstring that gives its reason`);
    return { name: d.getName(), value: valueOf(d), reason, path, line: d.getStartLineNumber() };
  });
}

/** The number, readable: bytes in kB, MB, GB, powers of two as such, others with their digits in groups. */
function valueOf(declaration: VariableDeclaration): string {
  const number = numberOf(declaration.getInitializerOrThrow());
  if (number === undefined) throw new Error(`${declaration.getName()} is "${declaration.getInitializerOrThrow().getText()}", and a limit should be a number`);
  const unit = /BYTES|SIZE/.test(declaration.getName()) ? " bytes" : /LENGTH|TEXT|QUOTED|PART$|EQUATION/.test(declaration.getName()) ? " characters" : "";
  return `${readable(number, unit === " bytes")}${unit}`;
}

/** What an expression of whole numbers comes to; undefined for any other. */
function numberOf(expression: Node): number | undefined {
  if (Node.isNumericLiteral(expression)) return expression.getLiteralValue();
  if (Node.isParenthesizedExpression(expression)) return numberOf(expression.getExpression());
  if (!Node.isBinaryExpression(expression)) return undefined;
  const [a, b] = [numberOf(expression.getLeft()), numberOf(expression.getRight())];
  if (a === undefined || b === undefined) return undefined;
  switch (expression.getOperatorToken().getText()) {
    case "+": return a + b;
    case "-": return a - b;
    case "*": return a * b;
    case "**": return a ** b;
    default: return undefined;
  }
}

function readable(number: number, isBytes: boolean): string {
  const power = Math.log2(number + 1);
  if (Number.isInteger(power) && power > 16) return `2^${String(power)} − 1`;
  for (const [size, word] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]] as const) {
    if (isBytes && number >= size && number % size === 0) return `${String(number / size)} ${word}, ${grouped(number)}`;
  }
  return Number.isInteger(Math.log2(number)) && number > 2 ** 16 ? `2^${String(Math.log2(number))}` : grouped(number);
}

const grouped = (number: number): string => number.toLocaleString("en-US");

function page(): string {
  const project = new Project({ tsConfigFilePath: `${ROOT}tsconfig.json`, skipAddingFilesFromTsConfig: true });
  const limits = project.addSourceFilesAtPaths(`${ROOT}src/**/*.ts`).flatMap(limitsOf).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line));
  const groupOf = ({ path, name }: Limit): (typeof GROUPS)[number] => {
    const found = GROUPS.find(({ files }) => files.some((prefix) => path.startsWith(prefix)));
    if (found === undefined) throw new Error(`no group of this script has src/${path}, which holds ${name}`);
    return found;
  };
  const sections = GROUPS.map((group) => ({ group, rows: limits.filter((limit) => groupOf(limit) === group) })).filter(({ rows }) => rows.length > 0);
  return INTRO + sections.map(({ group, rows }) => `
## ${group.title}
${group.about === "" ? "" : `\n${group.about}\n`}
| Limit | Value | What and why | Where |
| --- | --- | --- | --- |
${rows.map((l) => `| \`${l.name}\` | ${l.value} | ${l.reason.replaceAll("|", "\\|")} | [${l.path}](../src/${l.path}) |`).join("\n")}
`).join("");
}

writeOrCheck(TARGET, page(), "generate-limits-docs.ts");
