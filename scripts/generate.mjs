/** Runs every generator; with --check, fails where a generated file is stale. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const generators = ["generate-proto.ts", "generate-builders.ts", "generate-cli-docs.ts", "generate-config-schema.ts", "generate-operator-docs.ts", "generate-limits-docs.ts", "generate-task-docs.ts", "generate-method-docs.ts"].filter((name) => existsSync(new URL(name, import.meta.url)));
let failed = false;
for (const name of generators) {
  const { status } = spawnSync(process.execPath, ["--import", "tsx", `scripts/${name}`, ...process.argv.slice(2)], { stdio: "inherit", cwd: new URL("..", import.meta.url) });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
