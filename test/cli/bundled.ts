/** The command line as `npm run build` bundles it: a process begins in a third of the time that it takes from the sources. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Bundles the sources as they are into a folder of its own, where packages are found. `program` are the words before the verb; dispose of it when it is done with. */
export function bundledProgram(): Disposable & { readonly program: readonly string[] } {
  const folder = mkdtempSync(join("node_modules", ".onnx-hut-"));
  execFileSync(process.execPath, ["scripts/bundle.mjs", folder]);
  return { program: [join(folder, "cli", "main.js")], [Symbol.dispose]: () => { rmSync(folder, { recursive: true }); } };
}
