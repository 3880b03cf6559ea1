/** Every method, by the name that `--method` takes. */
import { HutError, list } from "../errors/hut-error.ts";
import { hut } from "./hut.ts";
import type { UpdatedTransformation } from "./updated-transformation.ts";

export const METHODS: readonly UpdatedTransformation[] = [hut];

/** The method of this name. Throws HutError (usage) where there is none. */
export function methodNamed(name: string): UpdatedTransformation {
  const found = METHODS.find((m) => m.name === name);
  if (found === undefined) {
    throw new HutError("UNKNOWN_METHOD", { method: name, known: METHODS.map((m) => m.name) }, `There is no method ${JSON.stringify(name)}; there ${METHODS.length === 1 ? "is" : "are"} ${list(METHODS.map((m) => m.name))}.`, { exitCode: 2 });
  }
  return found;
}

/** The method that PEFT calls by this `peft_type`, if we have it. */
export function methodOfPeftType(peftType: string): UpdatedTransformation | undefined {
  return METHODS.find((m) => m.peftType === peftType.toUpperCase());
}
