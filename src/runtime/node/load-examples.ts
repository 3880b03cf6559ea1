/** A data file → examples for a model: read, and tokenized by the tokenizer that lies beside the model. */
import { glueForm } from "../data/glue.ts";
import { examplesOf, type ExamplesOptions, type LoadedExamples } from "../examples-of.ts";
import type { DataOptions } from "../options.ts";
import { readRecords } from "./data-file.ts";
import { openTokenizer } from "./open-tokenizer.ts";

export interface LoadOptions extends ExamplesOptions, Pick<DataOptions, "tokenizer"> {
  readonly file: string;
  readonly modelPath: string;
}

/** Reads a file for a model. Throws HutError: a missing column, a label out of range, a tokenizer of another model. */
export function loadExamples(options: LoadOptions): LoadedExamples {
  return examplesOf(readRecords(options.file, glueForm(options.glue)), openTokenizer(options.modelPath, options.tokenizer), options);
}
