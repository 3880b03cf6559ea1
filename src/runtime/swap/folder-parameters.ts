/**
 * An adapter's modules → the inputs of a swappable graph: by path, compared from the end, and by role where a path is missing or a weight is packed, as an
 * adapter is matched with a graph's weights everywhere.
 */
import { tensorTwice } from "../../errors/adapter.ts";
import { swapInputMissing, swapMethodDiffers } from "../../errors/swap.ts";
import { HutError } from "../../errors/hut-error.ts";
import { nearest } from "../../errors/nearest.ts";
import { methodNamed } from "../../methods/registry.ts";
import type { UpdatedTransformation } from "../../methods/updated-transformation.ts";
import { pathOf, transposed } from "../../passes/adapt.ts";
import { parentPath, roleOfPath } from "../../passes/weights/module-path.ts";
import { elementCount } from "../../ir/sizes.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import { matchAdapter, onlyAt, type MatchableSite, type MatchedPart } from "../adapter/match-adapter.ts";
import { isScaledInPeft, isTurned } from "../adapter/peft-shapes.ts";
import { moduleScale, specsOf, weightShape, type AdapterTensor } from "../adapter/peft-tensors.ts";
import type { SwappableInfo, SwappableInput } from "./swappable-info.ts";

/**
 * The parameters by input name. `folder` is for messages. Throws SWAP_METHOD_DIFFERS, SWAP_INPUT_MISSING, and where a module fits no weight or several
 * the errors of matching.
 */
export function folderParameters(adapter: AdapterFolder, folder: string, info: SwappableInfo): Map<string, AdapterTensor> {
  if (adapter.method !== info.method) throw swapMethodDiffers(folder, adapter.method, info.method);
  const method = methodNamed(info.method);
  const parameters = new Map<string, AdapterTensor>();
  const put = (input: SwappableInput | undefined, name: string, tensor: AdapterTensor): void => {
    if (input === undefined) throw swapInputMissing(folder, name, nearest(name, info.inputs.map((i) => i.name), 3));
    if (parameters.has(input.name)) throw tensorTwice(folder, input.name);
    parameters.set(input.name, tensor);
  };
  for (const part of matched(asPacked(adapter, folder, info), folder, info, method)) {
    for (const spec of specsOf(method.name)) {
      const { name, peft } = spec;
      const tensor = part.tensors.get(peft.name);
      if (tensor === undefined) throw new TypeError(`the adapter was checked and has no ${peft.name}`);
      const input = info.inputs.find((i) => i.parameter === name && i.weight !== null && info.weights[i.weight] === part.site && i.isPart === (part.block !== undefined)
        && (part.block === undefined || i.role === part.block.role));
      const scale = spec.scalable && !isScaledInPeft(method, spec) ? moduleScale(adapter, part.module) : 1;
      const own = isTurned(spec) ? turned(tensor) : tensor;
      put(input, `${part.module}.${peft.name}`, scale === 1 ? own : { ...own, data: own.data.map((v) => v * scale) });
    }
  }
  for (const [name, tensor] of adapter.saved) put(wholeInput(name, folder, info), name, tensor);
  return parameters;
}

/** The adapter's modules by the graph's adapted weights. Of the model's other weights the graph tells nothing. */
function matched(adapter: AdapterFolder, folder: string, { weights }: SwappableInfo, method: UpdatedTransformation): MatchedPart<MatchableSite>[] {
  try {
    return matchAdapter(adapter, folder, weights, method);
  } catch (error) {
    if (!(error instanceof HutError) || error.code !== "ADAPTER_MODULE_MISSING") throw error;
    throw swapInputMissing(folder, String(error.details["module"]), error.details["nearest"] as readonly string[]);
  }
}

/** Roles that the adapter keeps apart in one module are that module whole where the graph adapts it whole: their factors are stacked already. */
function asPacked(adapter: AdapterFolder, folder: string, { weights, inputs }: SwappableInfo): AdapterFolder {
  const { hut } = adapter;
  if (hut === undefined) return adapter;
  const modules = Object.fromEntries(Object.entries(hut.modules).map(([module, { blocks, ...own }]) => {
    const site = blocks === undefined ? undefined : onlyAt(module, folder, weights, pathOf);
    const isWhole = site !== undefined && site.n === weightShape(adapter, module)[1] && inputs.some((i) => i.weight !== null && weights[i.weight] === site && !i.isPart);
    return [module, isWhole || blocks === undefined ? own : { ...own, blocks }];
  }));
  return { ...adapter, hut: { ...hut, modules } };
}

/** The input of a tensor trained whole: by its path, else the head's where it is called as heads are. */
function wholeInput(name: string, folder: string, { inputs }: SwappableInfo): SwappableInput | undefined {
  const module = parentPath(name);
  const own = inputs.filter((i) => i.weight === null && `${module}.${i.parameter}` === name);
  const heads = own.filter((i) => i.role === "head");
  return onlyAt(module, folder, own, (i) => i.modulePath) ?? (roleOfPath(module) === "head" && heads.length === 1 ? heads[0] : undefined);
}

/** [r, k, ..] → [k·.., r]: a kernel's further axes belong to k. */
function turned({ shape: [rows = 0, ...others], data }: AdapterTensor): AdapterTensor {
  const columns = elementCount(others);
  return { shape: [columns, rows], data: transposed(data, rows, columns) };
}
