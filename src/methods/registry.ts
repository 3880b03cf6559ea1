/** Every method, by the name that `--method` takes. */
import { methodUnknown } from "../errors/targets.ts";
import { hut } from "./hut.ts";
import type { UpdatedTransformation } from "./updated-transformation.ts";

/** In the order in which they are listed. */
export const METHODS: readonly UpdatedTransformation[] = [hut];

/** The method of this name. Throws HutError (usage) where there is none. */
export function methodNamed(name: string): UpdatedTransformation {
  const found = METHODS.find((m) => m.name === name);
  if (found === undefined) throw methodUnknown(name, METHODS.map((m) => m.name));
  return found;
}
