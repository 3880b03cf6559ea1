/** A folded model as a folder in Hugging Face's layout: config, tokenizer files and a model card beside `onnx/model.onnx`. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { CARD_FILE, madeFiles } from "../model-folder/made-files.ts";
import { isOurCard } from "../model-folder/model-card.ts";
import type { OpenedAdapter, Prepared } from "../prepare.ts";
import { companions, openTokenizerFiles } from "./base-files.ts";
import { openConfig } from "./model-config.ts";
import type { OpenedModel } from "./open-model.ts";
import type { Outputs } from "./outputs.ts";
import { runFacts } from "./run-facts.ts";

/** A folder that is to be written, and whose. */
export interface FolderOf {
  readonly output: string;
  readonly opened: OpenedModel;
  readonly prepared: Prepared;
  readonly trained: OpenedAdapter;
  /** The adapter's own folder; undefined where a checkpoint gave the numbers, which its run folder knows nothing of. */
  readonly adapter: string | undefined;
}

/** A model folder, read and put together, and not yet written. */
export interface ModelFolder {
  /** What doesn't go without saying. */
  readonly notes: readonly string[];
  /** Writes everything but the graph, whose files are given; config.json comes last. Returns the bytes written. */
  write(graphFiles: readonly string[], outputs: Outputs): number;
}

/** Reads what base and run folder have to give. Throws JSON_BROKEN. */
export function modelFolder({ output, opened, prepared, trained, adapter }: FolderOf): ModelFolder {
  const copied = companions(opened.path, prepared.logits === undefined);
  const { notes, beside } = madeFiles({
    name: basename(resolve(output)), prepared, adapter: trained.contents, run: adapter === undefined ? undefined : runFacts(adapter),
    base: { graph: opened.loadInlined().graph, config: openConfig(opened.path), tokenizer: openTokenizerFiles(opened.path), copied: new Set(copied.keys()), isPath: existsSync },
  });
  const card = join(output, CARD_FILE);
  const keepsCard = existsSync(card) && !isOurCard(readFileSync(card, "utf8"));
  return {
    notes: [...notes, ...(keepsCard ? [`${card} was there, is not onnx-hut's, and stays as it is`] : [])],
    write(graphFiles, outputs) {
      let bytes = 0;
      const write = (name: string, content: Uint8Array): void => {
        outputs.folder(dirname(join(output, name)));
        bytes += outputs.write(join(output, name), [content]);
      };
      for (const [name, file] of copied) write(name, readFileSync(file));
      for (const [name, text] of beside(graphFiles.map((file) => relative(output, file).replaceAll("\\", "/")))) {
        if (name !== CARD_FILE || !keepsCard) write(name, new TextEncoder().encode(text));
      }
      return bytes;
    },
  };
}
