/** Looks for a config file. Apart from what reads one: every command asks, and most have none. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { configTwice } from "../../errors/config.ts";

/** Endings of config files. */
export const CONFIG_ENDINGS: readonly string[] = [".ts", ".js", ".mjs", ".json", ".yaml", ".yml"];
const STEM = "hut.config";

/** The config file in a folder; undefined where there is none. Folders above, and the model's, are not looked at: the file may be a program. Throws CONFIG_TWICE. */
export function findConfig(folder: string): string | undefined {
  const found = CONFIG_ENDINGS.map((ending) => STEM + ending).filter((name) => existsSync(join(folder, name)));
  if (found.length > 1) throw configTwice(found);
  return found[0];
}
