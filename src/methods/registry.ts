/** Every method, by the name that `--method` takes. */
import { methodUnknown } from "../errors/targets.ts";
import { bitfit } from "./bitfit.ts";
import { dora } from "./dora.ts";
import { full } from "./full.ts";
import { headOnly } from "./head-only.ts";
import { hut } from "./hut.ts";
import { ia3 } from "./ia3.ts";
import { loha } from "./loha.ts";
import { lora } from "./lora.ts";
import type { UpdatedTransformation } from "./updated-transformation.ts";
import { vera } from "./vera.ts";

/** In the order in which they are listed. */
export const METHODS: readonly UpdatedTransformation[] = [hut, lora, dora, loha, ia3, vera, bitfit, headOnly, full];

/** The method of this name. Throws HutError (usage) where there is none. */
export function methodNamed(name: string): UpdatedTransformation {
  const found = METHODS.find((m) => m.name === name);
  if (found === undefined) throw methodUnknown(name, METHODS.map((m) => m.name));
  return found;
}
