/** Ends before the first test where there is no Chromium: with 0 where HUT_CHROMIUM=optional says that this is no failure. */
import { findChromium } from "./chromium.ts";

export function mochaGlobalSetup(): void {
  if (findChromium() !== undefined) return;
  process.stdout.write("no Chromium on this machine: the browser's tests were not run (CHROMIUM names one that is not on the PATH)\n");
  process.exit(process.env["HUT_CHROMIUM"] === "optional" ? 0 : 1);
}
