/**
 * Writes docs/hut.config.schema.json, which editors check config files by, from the flags of the commands.
 *
 *     node --import tsx scripts/generate-config-schema.ts             write
 *     node --import tsx scripts/generate-config-schema.ts --check     exit 1 where the file is stale
 */
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../src/cli/commands.ts";
import { configJsonSchema } from "../src/cli/config/schema.ts";
import { writeOrCheck } from "./write-or-check.ts";

writeOrCheck(fileURLToPath(new URL("../docs/hut.config.schema.json", import.meta.url)), `${JSON.stringify(configJsonSchema(COMMANDS), null, 2)}\n`, "generate-config-schema.ts");
