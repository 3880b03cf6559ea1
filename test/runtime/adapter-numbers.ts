/** An adapter's numbers by name: PEFT's, and ours in PEFT's order. */
import { readFileSync } from "node:fs";
import { memorySource } from "../../src/ir/source.ts";
import type { toAdapterFolder } from "../../src/runtime/adapter/to-folder.ts";
import { splitPeftName } from "../../src/runtime/adapter/peft-tensors.ts";
import { readSafetensors, toFloat32 } from "../../src/runtime/adapter/safetensors.ts";

/** Tensors of a safetensors file by our names of them; without the integers that a BatchNorm counts. */
export function tensorsOf(file: string): Map<string, Float32Array> {
  const tensors = readSafetensors(memorySource(file, readFileSync(file)));
  return new Map([...tensors].filter(([, { dtype }]) => dtype !== "I64").map(([name, tensor]) => {
    const { module, parameter } = splitPeftName(name);
    return [`${module}.${parameter}`, toFloat32(tensor, file, name)];
  }));
}

/** What toAdapterFolder calls each tensor, with its values. */
export function flattened(folder: ReturnType<typeof toAdapterFolder>): Map<string, Float32Array> {
  const own = [...folder.modules].flatMap(([module, parameters]) => [...parameters].map(([name, t]) => [`${module}.${name}`, t.data] as const));
  return new Map([...own, ...[...folder.saved].map(([name, t]) => [name, t.data] as const)]);
}
