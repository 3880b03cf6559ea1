/** The training loops of docs/artifacts.md, run as they stand there: each in a folder with `artifacts/`, `batch.jsonl` and the packages. */
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { artifacts, type ArtifactsOptions } from "../../src/index.ts";
import { codeBlocks } from "./code-blocks.ts";

const PAGE = "docs/artifacts.md";
const HEADING = "## A whole loop";

/** The loops by the language of their block, and the file that the page calls them. */
export const LOOPS = { js: "loop.mjs", python: "loop.py", html: "loop.html" } as const;

/** A loop's text. */
export function loopOf(language: keyof typeof LOOPS): string {
  const [code] = codeBlocks(PAGE, language, HEADING);
  if (code === undefined) throw new Error(`${PAGE} has no loop in ${language}`);
  return code;
}

/** What all loops print. */
export interface Printed {
  /** One a step. */
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  readonly logits: { readonly dims: readonly number[]; readonly first: number };
}

/** Reads a loop's lines. Throws where there is another line among them. */
export function parsePrinted(text: string): Printed {
  const lines = text.trim().split("\n");
  const last = /^logits \[([\d,]+)\], the first (-?[\d.]+)$/.exec(lines.pop() ?? "");
  const steps = lines.map((line, i) => {
    const [, step, loss, norm] = /^step (\d+): loss ([\d.]+), gradient norm ([\d.]+)$/.exec(line) ?? [];
    if (Number(step) !== i + 1) throw new Error(`no line of step ${String(i + 1)}: ${line}`);
    return { loss: Number(loss), norm: Number(norm) };
  });
  if (last === null) throw new Error(`no logits: ${text}`);
  return { losses: steps.map((s) => s.loss), gradientNorms: steps.map((s) => s.norm), logits: { dims: (last[1] ?? "").split(",").map(Number), first: Number(last[2]) } };
}

/** Writes a model's artifacts, its batch, the loops and a link to the packages into a folder. */
export async function prepareLoops(folder: string, model: string, batch: string, options: Partial<ArtifactsOptions> = {}): Promise<void> {
  await artifacts(model, { embed: true, ...options, output: join(folder, "artifacts") });
  copyFileSync(batch, join(folder, "batch.jsonl"));
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"), "dir");
  for (const [language, file] of Object.entries(LOOPS)) writeFileSync(join(folder, file), loopOf(language as keyof typeof LOOPS));
}

const printed = (command: string, words: readonly string[], cwd: string): Printed => parsePrinted(execFileSync(command, words, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));

/** The Node loop. */
export function runNode(folder: string): Printed {
  return printed(process.execPath, [LOOPS.js], folder);
}

/** The Node loop on the WASM build of ONNX Runtime, which is handed in under the name of the native one. */
export function runWasm(folder: string): Printed {
  writeFileSync(join(folder, "wasm.mjs"), loopOf("js").replace('"onnxruntime-node"', '"onnxruntime-web"'));
  return printed(process.execPath, ["wasm.mjs"], folder);
}

/** The Python loop. */
export function runPython(folder: string): Printed {
  return printed(python(), [LOOPS.python], folder);
}

/** Why the Python loop can't run here, undefined where it can. */
export function whyNoPython(): string | undefined {
  return spawnSync(python(), ["-c", "import onnxruntime, numpy"]).status === 0 ? undefined : `${python()} has no onnxruntime and numpy (the environment variable PYTHON names another)`;
}

function python(): string {
  return process.env["PYTHON"] ?? "python3";
}
