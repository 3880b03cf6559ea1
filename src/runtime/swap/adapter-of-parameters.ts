/** An `.onnx_adapter`'s parameters as an adapter: names tell module path and parameter, `<module path>.hut_A`, `….lora_A.weight`, `classifier.weight`. */
import { adapterEmpty } from "../../errors/adapter.ts";
import { METHODS } from "../../methods/registry.ts";
import type { ParameterSpec } from "../../methods/updated-transformation.ts";
import { transposed } from "../../passes/adapt.ts";
import { parentPath } from "../../passes/weights/module-path.ts";
import type { AdapterFolder } from "../adapter/adapter-folder.ts";
import type { AdapterConfig, AdapterMethod } from "../adapter/peft-config.ts";
import { checkTensors, type AdapterTensor } from "../adapter/peft-tensors.ts";

/** A parameter of a method: what it is called in graphs, and how PEFT holds it. */
interface Known {
  readonly method: AdapterMethod;
  readonly ending: string;
  readonly peft: Pick<ParameterSpec["peft"], "name" | "transposed" | "side">;
}

/** Those of our methods, and Olive's LoRA: A [in, r], B [r, out], the scale multiplied into B. */
const KNOWN: readonly Known[] = [
  ...METHODS.flatMap((method) => method.parameters({ k: 1, n: 1, rank: 1, alpha: 1 }).map(({ name, peft }): Known => ({ method: method.name === "lora" ? "lora" : "hut", ending: name, peft }))),
  { method: "lora", ending: "lora_A.weight", peft: { name: "lora_A.weight", transposed: true, side: "in" } },
  { method: "lora", ending: "lora_B.weight", peft: { name: "lora_B.weight", transposed: true, side: "out" } },
];

/** `file` is for messages. Throws the errors of src/errors/adapter.ts where parameters miss their partner, or don't fit each other. */
export function adapterOfParameters(parameters: ReadonlyMap<string, AdapterTensor>, file: string): AdapterFolder {
  const modules = new Map<string, Map<string, AdapterTensor>>();
  const saved = new Map<string, AdapterTensor>();
  const methods = new Set<AdapterMethod>();
  for (const [name, tensor] of parameters) {
    const known = KNOWN.find(({ ending }) => name.endsWith(`.${ending}`));
    if (known === undefined) {
      saved.set(name, tensor);
      continue;
    }
    const module = name.slice(0, -known.ending.length - 1);
    modules.set(module, (modules.get(module) ?? new Map<string, AdapterTensor>()).set(known.peft.name, asPeft(tensor, known)));
    methods.add(known.method);
  }
  const [method, ...others] = methods;
  if (method === undefined || others.length > 0) throw adapterEmpty(file);
  const inner = KNOWN.find((known) => known.method === method && known.peft.side === "in")?.peft.name ?? "";
  const ranks = [...modules].map(([module, tensors]) => [module, tensors.get(inner)?.shape[0] ?? 0] as const);
  const rank = ranks[0]?.[1] ?? 0;
  const config: AdapterConfig = {
    method, rank, rankPattern: Object.fromEntries(ranks.filter(([, own]) => own !== rank)), targetModules: [...modules.keys()],
    modulesToSave: [...new Set([...saved.keys()].map(parentPath))], fanInFanOut: false, taskType: null, baseModel: null,
    // s is multiplied in.
    ...(method === "lora" ? { alpha: rank, alphaPattern: Object.fromEntries(ranks) } : {}),
  };
  checkTensors({ modules, saved }, config, { ...config, excludeModules: [], layersToTransform: [], layersPattern: [] }, file, file);
  return { ...config, modules, saved };
}

/** [k, r] → [r, k] where PEFT has it so. */
function asPeft({ shape, data }: AdapterTensor, { peft }: Known): AdapterTensor {
  const [rows = 0, columns = 0] = shape;
  return peft.transposed && shape.length === 2 ? { shape: [columns, rows], data: transposed(data, rows, columns) } : { shape, data };
}
