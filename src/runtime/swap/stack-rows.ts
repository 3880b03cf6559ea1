/** Adapters of the rows of a batch as one tensor an input: ranks differ, and zeros fill up, which change no product A·B. */
import { elementCount } from "../../ir/sizes.ts";
import { RANK } from "../../passes/make-swappable.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import type { Slot } from "./slots.ts";

/** Each row's tensor, A [k, r] of its own r → [rows, k, R], R the largest. What is undefined is the base's. */
export function stackRows({ shape, base }: Pick<Slot, "shape" | "base">, rows: readonly (AdapterTensor | undefined)[]): AdapterTensor {
  const free = shape.indexOf(RANK);
  const tensors = rows.map((tensor) => tensor ?? base);
  const rankOf = (tensor: AdapterTensor): number => tensor.shape[free] ?? 0;
  const rank = Math.max(...tensors.map(rankOf));
  const own = shape.map((d) => (d === RANK ? rank : d));
  const [size, outer, inner] = [own, own.slice(0, Math.max(free, 0)), own.slice(free + 1)].map(elementCount) as [number, number, number];
  const data = new Float32Array(rows.length * size);
  tensors.forEach((tensor, row) => {
    const length = rankOf(tensor) * inner;
    if (rankOf(tensor) === rank) data.set(tensor.data.subarray(0, size), row * size);
    else for (let i = 0; i < outer; i += 1) data.set(tensor.data.subarray(i * length, (i + 1) * length), row * size + i * rank * inner);
  });
  return { shape: [rows.length, ...own], data };
}
