/** What methods share that adapt no weight and train tensors whole instead: W itself is the parameter, U the identity. */
import type { UpdatedTransformation } from "./updated-transformation.ts";

/** A method of this kind. PEFT has no type for one. */
export function wholeTraining(told: Pick<UpdatedTransformation, "name" | "summary" | "numbers" | "defaultLearningRate"> & { readonly trains: NonNullable<UpdatedTransformation["trains"]> }): UpdatedTransformation {
  return { ...told, takes: [], scale: () => 1, parameters: () => [], apply: (_, w) => w, swappable: false, flops: () => 0 };
}
