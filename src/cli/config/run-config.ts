/**
 * Runs a config file that is a program. c12 does it, since its jiti reads TypeScript and modules of either kind on every Node, and in projects without a compiler.
 * Everything else that c12 can do is off: it would fetch what `extends` names, and read .env files, package.json and rc files of this folder, the workspace and the user.
 */
import { basename, dirname } from "node:path";
import { loadConfig } from "c12";
import { configFailed, configNoOptions, configSlow } from "../../errors/config.ts";
import { HutError } from "../../errors/hut-error.ts";
import { plainValues } from "./plain-values.ts";
import { defineConfig } from "./define-config.ts";

/** A program that waits for longer waits for something that doesn't come: options need no network. */
const MAX_CONFIG_SECONDS = 10;

/** What the file exports: its default, or all where it has none. Throws CONFIG_FAILED, CONFIG_SLOW, CONFIG_NO_OPTIONS. */
export async function runConfig(file: string, path: string): Promise<unknown> {
  const cwd = dirname(path);
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<never>((_, reject) => { timer = setTimeout(() => { reject(configSlow(file, MAX_CONFIG_SECONDS)); }, MAX_CONFIG_SECONDS * 1000); });
  try {
    const loaded = await Promise.race([tooSlow, loadConfig({
      cwd, configFile: basename(path), rcFile: false, globalRc: false, dotenv: false, packageJson: false, extend: false, giget: false, envName: false,
      // Nothing is written, and `onnx-hut` is there also for a program run by npx: what a config file wants of it is this.
      jitiOptions: { interopDefault: false, fsCache: false, moduleCache: false, virtualModules: { "onnx-hut": { defineConfig } } },
      // c12 would look for the file in .config/ too, call a function and take NODE_ENV's part of what it gets.
      resolve: async (_source, options) => {
        const exported = await options.jiti?.import(path);
        const value = defaultOf(exported);
        if (typeof value !== "object" || value === null || value instanceof Promise) throw configNoOptions(file, value);
        return { config: value, configFile: path, cwd };
      },
      // The object itself, not a merged copy, from which some keys are missing.
      merger: (...sources) => sources.find((source) => source !== undefined && source !== null) ?? {},
    })]);
    return plainValues(loaded.config);
  } catch (error) {
    throw error instanceof HutError ? error : configFailed(file, problemOf(error), error);
  } finally {
    clearTimeout(timer);
  }
}

function defaultOf(exported: unknown): unknown {
  return typeof exported === "object" && exported !== null && "default" in exported ? exported.default : exported;
}

/** The first line of what was thrown; of a text that doesn't compile, the place as well. */
function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [first = ""] = message.split("\n", 1);
  const [, problem, line, column] = /^ParseError: (.*?)\s*\n.*:(\d+):(\d+)$/.exec(message) ?? [];
  return problem === undefined ? first : `${problem}, at line ${line ?? ""}, column ${column ?? ""}`;
}
