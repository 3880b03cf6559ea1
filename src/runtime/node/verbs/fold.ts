/** `fold`: merges an adapter into the model: the same graph, only the chosen weights differ. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { interrupted } from "../../../errors/runtime.ts";
import type { Model } from "../../../ir/model.ts";
import { pathOf } from "../../../passes/adapt.ts";
import { attachHead } from "../../../passes/attach-head.ts";
import { dataTypeName } from "../../../ir/data-type.ts";
import { foldWeight, replaceWeight, replaceWhole, type PutWeight } from "../../../passes/fold.ts";
import { openProducts } from "../../../passes/open-products.ts";
import { requantizeWeight } from "../../../passes/requantize.ts";
import { findWeights, storedType, type WeightSite } from "../../../passes/weights/find-weights.ts";
import { prepare, type Prepared } from "../../prepare.ts";
import type { CommonOptions, FoldOptions, FoldResult, HeadOptions } from "../../options.ts";
import type { OnnxRuntime } from "../../session.ts";
import { refuseInputAsOutput, requireWritable } from "../atomic-write.ts";
import { defaultRuntime, evaluateWith } from "../default-runtime.ts";
import { ensureFolder } from "../folder.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { saveModels } from "../save-model.ts";
import { writeModelFolder } from "../model-folder.ts";
import { openAdapter, savedModules } from "./adapt.ts";

/** Writes the merged model: a file, or (where `output` is a folder or has no ending) a model folder in Hugging Face's layout. */
export async function fold(path: string, options: FoldOptions, runtime?: OnnxRuntime): Promise<FoldResult> {
  const started = performance.now();
  using opened = openModel(path);
  const asFolder = !options.output.endsWith(".onnx") || (existsSync(options.output) && statSync(options.output).isDirectory());
  const target = asFolder ? join(options.output, "onnx", "model.onnx") : options.output;
  refuseInputAsOutput(target, [opened.path, ...opened.files]);
  const prepared = prepareFold(opened, options);
  if (!asFolder) requireWritable(target);
  const folded = prepared.adapted.map(({ modulePath, weight }) => ({ modulePath, shape: [weight.k, weight.n] as const }));
  const quantized = changedSites(prepared).filter((s) => s.quantized !== undefined);
  const floated = options.requantize === true ? [] : quantized.map((s) => ({ modulePath: pathOf(s), from: dataTypeName(storedType(s)), to: dataTypeName(s.points[0]?.value.dataType ?? 0) }));
  const result = { folded, replaced: savedModules(prepared), floated, output: target };
  for (const note of prepared.notes) options.onNotice?.(note);
  if (options.requantize === true && quantized.length === 0) options.onNotice?.("--requantize changes nothing here: none of the weights that change is stored as integers");
  if (options.dryRun === true) return { ...result, requantized: [], seconds: (performance.now() - started) / 1000, bytesWritten: 0 };
  const { model, requantized } = await foldedModel(opened, prepared, runtime ?? await defaultRuntime(), options);
  if (asFolder) ensureFolder(join(options.output, "onnx"));
  // Embedded: a merged model stands alone, whatever folder it is in.
  let bytes = saveModels({ base: opened, graphs: [{ path: target, model }], embed: opened.files.length === 1, onNotice: options.onNotice }).bytes;
  if (asFolder) bytes += writeModelFolder(options.output, opened, prepared, openAdapter(options.adapter)?.contents.hut?.id2label);
  return { ...result, requantized, seconds: (performance.now() - started) / 1000, bytesWritten: bytes };
}

/** The adapter on its base, ready to be folded. */
export function prepareFold(opened: OpenedModel, options: HeadOptions & { readonly adapter: string; readonly force?: boolean | undefined }): Prepared {
  return prepare(opened.load(), { adapter: openAdapter(options.adapter), force: options.force, head: options.head, numLabels: options.numLabels, saveHead: true });
}

/** The weights that folding changes: adapted ones and those trained whole. */
export function changedSites(prepared: Prepared): WeightSite[] {
  const whole = new Set(prepared.saved.map((t) => t.modulePath));
  return [...prepared.adapted.map((a) => a.site), ...prepared.sites.filter((s) => whole.has(pathOf(s)))];
}

/** The base with every chosen weight replaced, its head attached where the adapter brings one. With `requantize`, what rounding to integers cost. */
export async function foldedModel(opened: OpenedModel, prepared: Prepared, runtime: OnnxRuntime, options: CommonOptions & Pick<FoldOptions, "requantize">,
): Promise<{ model: Model; requantized: FoldResult["requantized"] }> {
  const model = opened.load();
  const { head } = prepared;
  if (head !== undefined) attachHead(model, { ...head, start: (shape) => new Float32Array(shape.reduce((a, b) => a * b, 1)) });
  const sites = new Map(findWeights(model.graph).map((site) => [site.name, site]));
  const evaluate = evaluateWith(runtime);
  const requantized: FoldResult["requantized"][number][] = [];
  const put: PutWeight = (graph, site, tensor) => {
    if (site.quantized !== undefined && options.requantize === true) {
      requantized.push({ modulePath: pathOf(site), dtype: dataTypeName(storedType(site)), ...requantizeWeight(graph, site, tensor) });
      return;
    }
    openProducts(graph, site, model.opsets);
    replaceWeight(graph, site, tensor);
  };
  for (const [done, adapted] of prepared.adapted.entries()) {
    if (options.signal?.aborted === true) throw interrupted();
    const site = sites.get(adapted.site.name);
    if (site === undefined) throw new TypeError("the base changed while it was folded");
    put(model.graph, site, await foldWeight(adapted, prepared.method, model.opsets, evaluate));
    options.onProgress?.({ phase: "folding", done: done + 1, total: prepared.adapted.length, unit: "weights" });
  }
  for (const module of new Set(prepared.saved.map((t) => t.modulePath))) {
    const name = prepared.sites.find((s) => pathOf(s) === module)?.name;
    const site = name === undefined ? undefined : sites.get(name);
    if (site !== undefined) replaceWhole(model.graph, site, prepared.saved.filter((t) => t.modulePath === module), put);
  }
  return { model, requantized };
}
