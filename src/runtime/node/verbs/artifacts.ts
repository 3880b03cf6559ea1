/** `artifacts`: the graphs and the manifest that train a model on any ONNX Runtime. */
import { join } from "node:path";
import { adaptedModules, openAdapter, savedModules } from "./adapt.ts";
import { parameterCount, type StepKind } from "../../../passes/build-step.ts";
import { initialTheta, prepare, type Prepared } from "../../prepare.ts";
import type { ArtifactsOptions, ArtifactsResult } from "../../options.ts";
import { manifestOf, THETA_FILE } from "../../manifest.ts";
import { requireTaskLogits, taskNamed } from "../../tasks/registry.ts";
import { trainingGraph } from "../../training-graphs.ts";
import { bytesOf } from "../../../ir/tensor.ts";
import { writeFileAtomic } from "../atomic-write.ts";
import { ensureFolder } from "../folder.ts";
import { openModel } from "../open-model.ts";
import { saveModels } from "../save-model.ts";

const KINDS: readonly StepKind[] = ["step", "grad", "apply", "eval"];

/** Writes step.onnx, grad.onnx, apply.onnx, eval.onnx, theta.bin and manifest.json, the manifest last. */
export async function artifacts(path: string, options: ArtifactsOptions): Promise<ArtifactsResult> {
  const started = performance.now();
  using opened = openModel(path);
  const adapter = openAdapter(options.adapter);
  const task = taskNamed(options.task);
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter, saveHead: task.savesHead });
  const prepared = fresh();
  requireTaskLogits(task, prepared.model.graph, prepared.logits);
  for (const note of prepared.notes) options.onNotice?.(note);
  const graphs = KINDS.map((kind) => ({ kind, path: join(options.output, `${kind}.onnx`), model: trainingGraph(kind, task, fresh) }));
  const manifest = manifestOf(prepared, graphs, options, { adapted: adaptedModules(prepared), saved: savedModules(prepared) });
  const result = { trainableParams: parameterCount(prepared.trainables), files: [...graphs.map((g) => g.path), join(options.output, THETA_FILE), join(options.output, "manifest.json")] };
  if (options.dryRun === true) return await Promise.resolve({ ...result, bytesWritten: 0, seconds: (performance.now() - started) / 1000 });
  ensureFolder(options.output);
  const saved = saveModels({ base: opened, graphs, embed: options.embed, onNotice: options.onNotice, dataFile: "base.onnx_data" });
  let bytes = saved.bytes + writeFileAtomic(join(options.output, THETA_FILE), [bytesOf(initialTheta(prepared.trainables))]);
  bytes += writeFileAtomic(join(options.output, "manifest.json"), [new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`)]);
  return { ...result, files: [...new Set([...saved.files, ...result.files])], bytesWritten: bytes, seconds: (performance.now() - started) / 1000 };
}
