/** Removes the folders named, so that a build leaves nothing of an older one behind. */
import { rmSync } from "node:fs";
for (const folder of process.argv.slice(2)) rmSync(new URL(`../${folder}`, import.meta.url), { recursive: true, force: true });
