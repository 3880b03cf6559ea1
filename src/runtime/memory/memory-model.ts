/** The verbs on a model in memory, for a browser: the same pieces as those on files, and an ONNX Runtime that is handed in. */
import { inspectModel } from "../inspect-model.ts";
import { labelsIn } from "../model-folder/config-json.ts";
import type { InspectOptions, TargetOptions, TaskOptions } from "../options.ts";
import type { InspectResult } from "../results.ts";
import type { OnnxRuntime } from "../session.ts";
import { AdaptedModel } from "./adapted-model.ts";
import { openMemory, type ModelFiles, type OpenedMemory } from "./memory-files.ts";

/** What is trained, and for which task. */
export interface MemoryAdaptOptions extends Omit<TargetOptions, "adapter" | "force">, TaskOptions {
  /** Remarks worth showing: a word that meant two things. */
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/** A model in memory. */
export class MemoryModel {
  readonly #runtime: OnnxRuntime;
  readonly #opened: OpenedMemory;
  readonly #classes: readonly string[] | undefined;

  /** @internal */
  constructor(runtime: OnnxRuntime, files: ModelFiles) {
    this.#runtime = runtime;
    this.#opened = openMemory(files);
    this.#classes = files.classes ?? labelsIn(this.#opened.config);
  }

  /** Tells what the model is. Works for any ONNX file; never reads its weights. */
  inspect(options: InspectOptions = {}): InspectResult {
    return inspectModel(this.#opened, this.#opened.name, options);
  }

  /** Chooses the weights to train, and what they start from. Throws HutError: no weight matches, a rank that doesn't fit, no logits and no head asked for. */
  adapt(options: MemoryAdaptOptions = {}): AdaptedModel {
    return new AdaptedModel(this.#runtime, this.#opened, options, this.#classes);
  }
}

/**
 * Opens a model from bytes. `runtime` is what `import * as ort from "onnxruntime-web"` gives. Throws HutError where the file is no ONNX file or is damaged, a file of
 * its external data isn't given, a companion is no JSON, or its tokenizer can't be made.
 */
export function openModel(runtime: OnnxRuntime, files: ModelFiles): MemoryModel {
  return new MemoryModel(runtime, files);
}
