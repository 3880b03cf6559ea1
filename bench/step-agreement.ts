/**
 * Do all runtimes train the same? The loops of docs/artifacts.md on one manifest: 20 steps in Node, in WASM in Node, in Python, and in Chromium on WASM and
 * WebGPU. Prints by how much each loss differs at most from Node's, and writes bench/results/step-agreement.json. Ends with 1 where that is over 1e-4.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TaskName } from "../src/index.ts";
import { findChromium, launchChromium } from "../test/browser/chromium.ts";
import { runInPage, webgpuAdapter } from "../test/browser/pages.ts";
import { prepareLoops, runNode, runPython, runWasm, whyNoPython, type Printed } from "../test/docs/loops.ts";

/** How far a loss may be from Node's. */
const BOUND = 1e-4;

const CASES: Readonly<Record<string, TaskName>> = { bert: "text-classification", gpt2: "text-generation", vit: "image-classification" };

/** What one runtime printed, or why it wasn't run. */
type Outcome = Printed | { readonly missing: string };
type Run = (folder: string) => Outcome | Promise<Outcome>;

async function inChromium(folder: string, provider: "wasm" | "webgpu"): Promise<Outcome> {
  if (findChromium() === undefined) return { missing: "no Chromium" };
  const browser = await launchChromium({ webgpu: provider === "webgpu" });
  try {
    if (provider === "webgpu" && (await webgpuAdapter(browser)) === undefined) return { missing: "no WebGPU adapter" };
    return await runInPage(browser, folder, provider);
  } finally {
    await browser.close();
  }
}

const RUNS: Readonly<Record<string, Run>> = {
  "Node, onnxruntime-node": runNode,
  "Node, onnxruntime-web (WASM)": runWasm,
  "Python, onnxruntime": (folder) => {
    const why = whyNoPython();
    return why === undefined ? runPython(folder) : { missing: why };
  },
  "Chromium, onnxruntime-web (WASM)": (folder) => inChromium(folder, "wasm"),
  "Chromium, onnxruntime-web (WebGPU)": (folder) => inChromium(folder, "webgpu"),
};

interface Row {
  readonly model: string;
  readonly runtime: string;
  readonly first: number | null;
  readonly last: number | null;
  readonly largestDifference: number | null;
  readonly missing?: string;
}

const rows: Row[] = [];
for (const [model, task] of Object.entries(CASES)) {
  const folder = mkdtempSync(join(tmpdir(), "hut-agreement-"));
  try {
    await prepareLoops(folder, `fixtures/cases/${model}/model.ts.onnx`, `fixtures/cases/${model}/batch.jsonl`, { task });
    let node: Printed | undefined;
    for (const [runtime, run] of Object.entries(RUNS)) {
      const outcome = await run(folder);
      if ("missing" in outcome) {
        rows.push({ model, runtime, first: null, last: null, largestDifference: null, missing: outcome.missing });
        continue;
      }
      node ??= outcome;
      const wanted = node.losses;
      const differences = outcome.losses.map((loss, i) => Math.abs(loss - (wanted[i] ?? NaN)));
      rows.push({ model, runtime, first: outcome.losses[0] ?? null, last: outcome.losses.at(-1) ?? null, largestDifference: Math.max(...differences) });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const fixed = (value: number | null): string => (value === null ? "–" : value.toFixed(7));
console.log(`| model | runtime | loss of step 1 | of step 20 | largest difference to Node |\n| --- | --- | --- | --- | --- |`);
for (const row of rows) console.log(`| ${row.model} | ${row.runtime} | ${fixed(row.first)} | ${fixed(row.last)} | ${row.missing ?? (row.largestDifference ?? NaN).toExponential(1)} |`);
writeFileSync("bench/results/step-agreement.json", `${JSON.stringify({ date: new Date().toISOString(), bound: BOUND, steps: 20, rows }, null, 2)}\n`);
if (rows.some((row) => (row.largestDifference ?? 0) > BOUND)) process.exitCode = 1;
