/** An `.onnx_adapter`'s parameters as an adapter: names tell module path and parameter, `<module path>.hut_A`, `….lora_A.weight`, `classifier.weight`. */
import { adapterEmpty } from "../../errors/adapter.ts";
import { METHODS, methodNamed } from "../../methods/registry.ts";
import type { ParameterSpec } from "../../methods/updated-transformation.ts";
import { transposed } from "../../passes/adapt.ts";
import { parentPath } from "../../passes/weights/module-path.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import type { AdapterConfig } from "../adapter/peft-config.ts";
import { isTurned } from "../adapter/peft-shapes.ts";
import { checkTensors, specsOf, type AdapterTensor } from "../adapter/peft-tensors.ts";

/** A parameter of a method that may come in as an input. */
interface Known {
  readonly method: string;
  readonly spec: ParameterSpec;
}

/** Those of our methods; LoRA's are called as in Olive's graphs: A [in, r], B [r, out], the scale multiplied into B. */
const KNOWN: readonly Known[] = METHODS.filter((m) => m.swappable).flatMap(({ name }) => specsOf(name).map((spec): Known => ({ method: name, spec })));

/** `file` is for messages. Throws the errors of src/errors/adapter.ts where parameters miss their partner, or don't fit each other. */
export function adapterOfParameters(parameters: ReadonlyMap<string, AdapterTensor>, file: string): AdapterFolder {
  const modules = new Map<string, Map<string, AdapterTensor>>();
  const saved = new Map<string, AdapterTensor>();
  const methods = new Set<string>();
  for (const [name, tensor] of parameters) {
    const known = KNOWN.find(({ spec }) => name.endsWith(`.${spec.name}`));
    if (known === undefined) {
      saved.set(name, tensor);
      continue;
    }
    const module = name.slice(0, -known.spec.name.length - 1);
    modules.set(module, (modules.get(module) ?? new Map<string, AdapterTensor>()).set(known.spec.peft.name, asPeft(tensor, known.spec)));
    methods.add(known.method);
  }
  const [method, ...others] = methods;
  if (method === undefined || others.length > 0) throw adapterEmpty(file);
  const inner = specsOf(method).find(({ peft }) => peft.axes[0] === "rank")?.peft.name ?? "";
  const ranks = [...modules].map(([module, tensors]) => [module, tensors.get(inner)?.shape[0] ?? 0] as const);
  const rank = ranks[0]?.[1] ?? 0;
  const config: AdapterConfig = {
    method, rank, rankPattern: Object.fromEntries(ranks.filter(([, own]) => own !== rank)), targetModules: [...modules.keys()],
    modulesToSave: [...new Set([...saved.keys()].map(parentPath))], fanInFanOut: false, taskType: null, baseModel: null,
    // s is multiplied in.
    ...(methodNamed(method).peft?.alpha === undefined ? {} : { alpha: rank, alphaPattern: Object.fromEntries(ranks) }),
  };
  checkTensors({ modules, saved }, config, { ...config, excludeModules: [], layersToTransform: [], layersPattern: [] }, file, file);
  return { ...config, modules, saved };
}

/** [k, r] → [r, k] where PEFT has it so. */
function asPeft({ shape, data }: AdapterTensor, spec: ParameterSpec): AdapterTensor {
  const [rows = 0, columns = 0] = shape;
  return isTurned(spec) && shape.length === 2 ? { shape: [columns, rows], data: transposed(data, rows, columns) } : { shape, data };
}
