/** An adapter in memory. */
import type { HutJson } from "./hut-json.ts";
import type { AdapterConfig } from "./peft-config.ts";
import type { AdapterTensors } from "./peft-tensors.ts";

/** In PEFT's words: its tensors are as PEFT's file has them, with s multiplied into hira_B. */
export interface AdapterFolder extends AdapterConfig, AdapterTensors {
  /** Of folders that we wrote. */
  readonly hut?: HutJson;
}
