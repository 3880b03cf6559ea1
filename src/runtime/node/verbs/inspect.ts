/** `inspect`: what a model is made of, which weights could be adapted, and what has no gradient. */
import { inspectModel } from "../../inspect-model.ts";
import type { InspectOptions } from "../../options.ts";
import type { InspectResult } from "../../results.ts";
import { openModel } from "../open-model.ts";

/** Reads a model and tells what it is. Works for any ONNX file; never reads its weights. */
export async function inspect(path: string, options: InspectOptions = {}): Promise<InspectResult> {
  const started = performance.now();
  using opened = openModel(path);
  return await Promise.resolve({ ...inspectModel(opened, opened.path, options), seconds: (performance.now() - started) / 1000 });
}
