/** The end of every generator of docs: the page is written, or with --check compared. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** Writes a page; with --check sets the exit code to 1 where the file is another. `script` is the generator's own name. */
export function writeOrCheck(target: string, wanted: string, script: string): void {
  if (!process.argv.includes("--check")) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, wanted);
  } else if (!existsSync(target) || readFileSync(target, "utf8") !== wanted) {
    console.error(`${relative(fileURLToPath(new URL("../", import.meta.url)), target)} is stale; run scripts/${script}`);
    process.exitCode = 1;
  }
}
