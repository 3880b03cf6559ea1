/**
 * Writes docs/cli.md from the help texts of the commands themselves.
 *
 *     node --import tsx scripts/generate-cli-docs.ts             write
 *     node --import tsx scripts/generate-cli-docs.ts --check     exit 1 where the file is stale
 */
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../src/cli/commands.ts";
import { helpText } from "../src/cli/program.ts";
import { writeOrCheck } from "./write-or-check.ts";

const target = fileURLToPath(new URL("../docs/cli.md", import.meta.url));
/** Columns of the help texts; wider ones would scroll in a browser. */
const WIDTH = 100;

/** docs/cli.md as it should be. */
function page(): string {
  const help = (verb?: string): string => `\`\`\`text\n${helpText(COMMANDS, verb, WIDTH).trimEnd()}\n\`\`\``;
  const verbs = COMMANDS.map(({ name, summary }) => `## ${name}\n\n${summary.charAt(0).toUpperCase()}${summary.slice(1)}.\n\n${help(name)}\n`);
  return `<!-- Made by scripts/generate-cli-docs.ts from src/cli. Do not edit. -->
# The command line

${help()}

Every verb has \`--json\`: one object on stdout and nothing else. Where the verb fails the object is
\`{"error": {"code", "message", …}}\` with the facts of the error as further keys, and the exit code is the same as without
\`--json\`. Progress and notes go to stderr. Options can stand in a config file as well: [config-file.md](config-file.md).

${verbs.join("\n")}`;
}

writeOrCheck(target, page(), "generate-cli-docs.ts");
