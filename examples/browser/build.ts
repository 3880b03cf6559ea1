/** Bundles the page into `dist/` beside this file. */
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { serveFolders, type Served } from "./serve-folders.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ROOT = join(HERE, "../..");
const DIST = join(HERE, "dist");

/** Builds the page and its worker. */
export async function buildExample(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  await build({ entryPoints: ["main.ts", "worker.ts"].map((file) => join(HERE, file)), outdir: DIST, bundle: true, platform: "browser", format: "esm", target: "es2023", minify: true, sourcemap: true, logLevel: "warning" });
  for (const file of ["index.html", "style.css"]) cpSync(join(HERE, file), join(DIST, file));
}

/** The files of transformers.js, and of the ONNX Runtime that it brings, which is of another version than the page's. */
export function transformersFolders(): Readonly<Record<string, string>> {
  const transformers = createRequire(import.meta.url).resolve("@huggingface/transformers");
  return { "/transformers/": dirname(transformers), "/transformers-ort/": dirname(createRequire(transformers).resolve("onnxruntime-web")) };
}

/** Serves the page with ONNX Runtime's own files, transformers.js and the demo's model, all from this machine. */
export async function serveExample(port = 0): Promise<Served> {
  return await serveFolders({ "/": DIST, "/ort/": join(ROOT, "node_modules/onnxruntime-web/dist"), "/demo/": join(ROOT, "fixtures/demo"), ...transformersFolders() }, port);
}
