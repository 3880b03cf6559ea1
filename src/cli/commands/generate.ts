/** `onnx-hut generate`: a decoder continues prompts. */
import type { GenerateOptions } from "../../runtime/options.ts";
import type { GenerateResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import {
  adapter, batchSize, checkpoint, dataFile, dryRun, force, lengthPenalty, maxNewTokens, noCache, noRepeatNgramSize, numBeams, output, outputName, prompt, provider, seed, temperature,
  textColumn, threads, tokenizer, topK, topP,
} from "../flags.ts";
import { duration, figure, grouped, label } from "../format.ts";
import { facts } from "../table.ts";

export const generate: Command = defineCommand<GenerateOptions, GenerateResult>({
  name: "generate",
  alsoCalled: ["complete", "continue", "chat", "sample"],
  summary: "let a decoder continue a prompt, or each prompt of a file",
  description: "Continues --prompt and prints the text as it comes, or each prompt of --data (a column prompt, messages, instruction or text) and writes one JSON record a line with "
    + "prompt and completion; a prompt that stands there several times is continued once, and has all its answers under references. The likeliest token is taken, unless --num-beams looks for the likeliest text, "
    + "or --temperature, --top-k or --top-p ask to draw. A cache is used where the export has one. Where the file has answers, the texts are compared with them by BLEU, NIST, METEOR, ROUGE-L and CIDEr.",
  flags: {
    prompt, data: dataFile("prompts to be continued: .tsv, .csv, .jsonl or .parquet"), output: output("file", "the .jsonl to write; needed with --data"),
    adapter: adapter("with this adapter"), checkpoint: checkpoint("what was trained elsewhere"), textColumn, tokenizer, batchSize,
    maxNewTokens, numBeams, lengthPenalty, noRepeatNgramSize, temperature, topK, topP, seed, cache: noCache, outputName, force, threads, provider, dryRun,
  },
  contradictions: [["prompt", "data"]],
  example: "onnx-hut generate gpt2/ --adapter run/adapter --data prompts.jsonl -o texts.jsonl --num-beams 4",
  gives: ["examples", "tokens", "text", "output", "metrics", "cached", "seconds", "tokensPerSecond"],
  run: (verbs, model, options) => verbs.generate(model, options),
  show: (result, { dryRun: dry }) => (result.output === null ? [] : facts([
    ["prompts", grouped(result.examples)], [dry === true ? "would write" : "written", result.output],
    ...(dry === true ? [] : [...Object.entries(result.metrics).map(([name, value]) => [label(name), figure(value)]), ["tokens", `${grouped(result.tokens)}, ${grouped(result.tokensPerSecond)} tokens/s${result.cached ? "" : ", without a cache"}`], ["took", duration(result.seconds)]]),
  ])),
});
