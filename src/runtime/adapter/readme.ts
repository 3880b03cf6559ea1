/** The model card of an adapter folder. */
import { methodNamed } from "../../methods/registry.ts";
import type { AdapterConfig } from "./peft-config.ts";

/** By this line a card is known as ours, and may be written anew. */
const MARK = "<!-- written by onnx-hut; remove this line to keep your own text -->";

/** What is trained by methods that adapt nothing. */
const WHOLE = { nothing: "the head", biases: "all biases", everything: "all weights" } as const;

/** The card: front matter as the hub reads it, then what the adapter is and how to use it. JSON's texts are YAML's double-quoted ones. */
export function adapterReadme(config: AdapterConfig): string {
  const { baseModel, method, rank, targetModules, modulesToSave } = config;
  const baseTags = baseModel === null ? [] : [JSON.stringify(`base_model:adapter:${baseModel}`)];
  const tags = [...baseTags, ...(method === "hut" ? ["hira", "hut"] : [method]), "onnx"];
  const { takes, peft, trains } = methodNamed(method);
  const whole = modulesToSave.length > 0 ? [`trained whole: ${oneLine(modulesToSave.join(", "))}`] : trains === undefined ? [] : [`trained whole: ${WHOLE[trains]}`];
  const targets = typeof targetModules === "string" ? targetModules : targetModules.join(", ");
  return [
    "---",
    ...(baseModel === null ? [] : [`base_model: ${JSON.stringify(baseModel)}`]),
    "library_name: peft",
    "tags:",
    ...tags.map((tag) => `- ${tag}`),
    "---",
    "",
    MARK,
    "",
    `# ${method.toUpperCase()} adapter`,
    "",
    `${[...(takes.includes("rank") ? [`rank ${String(rank)}`] : []), ...(targets === "" ? [] : [`on ${oneLine(targets)}`]), ...whole].join(", ")}.`.replace(/^./, (first) => first.toUpperCase()).replace(", trained whole", "; trained whole"),
    ...(method === "hut" ? ["PEFT reads it as HiRA, which is the same function."] : []),
    ...(peft === undefined ? ["PEFT has no such type. The tensors have PyTorch's names: `model.load_state_dict(load_file(\"adapter_model.safetensors\"), strict=False)`."] : []),
    "",
    "    npx onnx-hut fold model.onnx --adapter . -o merged.onnx",
    "",
  ].join("\n");
}

/** Whether a card was written by adapterReadme and not edited since to be kept. */
export function isOurReadme(text: string): boolean {
  return text.includes(MARK);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
