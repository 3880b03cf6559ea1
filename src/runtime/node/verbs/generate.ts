/** `generate`: a decoder continues prompts, with or without an adapter. */
import { formatShape } from "../../../ir/dim.ts";
import type { Value } from "../../../ir/graph.ts";
import type { Model } from "../../../ir/model.ts";
import { tokenizerMissing } from "../../../errors/data.ts";
import { beamsSample, generationOutputNeeded, noGeneratorLogits, promptAndData, promptBeyondVocabulary, promptEmpty, promptNeeded, promptTooLong } from "../../../errors/generation.ts";
import { lastLogits } from "../../../passes/last-logits.ts";
import { withColumns } from "../../data/columns.ts";
import { askedText } from "../../data/prompt-forms.ts";
import type { TextTokenizer } from "../../data/tokenizer.ts";
import { longestSequence } from "../../examples-of.ts";
import { openDecoder } from "../../generation/decoder.ts";
import { textMetrics } from "../../generation/metrics/text-metrics.ts";
import { generateRows, type GenerationSettings } from "../../generation/generate-rows.ts";
import { promptsOf, type Prompt } from "../../generation/prompts.ts";
import { textStream } from "../../generation/text-stream.ts";
import { findLogits } from "../../model-outputs.ts";
import { DEFAULTS, type GenerateOptions } from "../../options.ts";
import type { GenerateResult } from "../../results.ts";
import type { OnnxRuntime } from "../../session.ts";
import { inputSpecs, vocabularySize } from "../../task-inputs.ts";
import { taskNamed } from "../../tasks/registry.ts";
import { requireWritable, writeFileAtomic } from "../atomic-write.ts";
import { readRecords } from "../data-file.ts";
import { inputFiles, refuseInputsAsOutputs } from "../input-files.ts";
import { eosOfConfig } from "../model-config.ts";
import { openModel } from "../open-model.ts";
import { openTokenizer } from "../open-tokenizer.ts";
import { deployed, sessionOf } from "./deployed.ts";
import { openTrained } from "./open-trained.ts";

/** Continues one prompt, whose text comes piece by piece by `onText`, or each of a file, written as JSONL. Throws HutError. */
export async function generate(path: string, options: GenerateOptions, runtime?: OnnxRuntime): Promise<GenerateResult> {
  const started = performance.now();
  const { prompt, data, output } = options;
  if (prompt !== undefined && data !== undefined) throw promptAndData();
  if (prompt === undefined && data === undefined) throw promptNeeded();
  if (data !== undefined && output === undefined) throw generationOutputNeeded();
  if (samples(options) && (options.numBeams ?? DEFAULTS.numBeams) > 1) throw beamsSample();
  using opened = openModel(path);
  if (output !== undefined) {
    refuseInputsAsOutputs([output], inputFiles(opened, options));
    requireWritable(output);
  }
  const model = deployed(opened, options, openTrained(opened, options), taskNamed({ task: "text-generation" }));
  const { logits, positions } = nextTokenLogits(model, options.outputName);
  const tokenizer = openTokenizer(opened.path, options.tokenizer);
  const prompts = data === undefined ? [promptOf(prompt ?? "", opened.path, tokenizer)] : promptsOf(withColumns(readRecords(data), options, false), tokenizer);
  requireFitting(prompts, { file: data, positions, vocabulary: vocabularySize(model.graph) ?? Infinity });
  const configured = eosOfConfig(opened.path);
  const settings = settingsOf(options, positions, configured.length > 0 ? configured : tokenizer?.eos === undefined ? [] : [tokenizer.eos.id]);
  const isEnd = (token: number | undefined): boolean => token !== undefined && settings.eosIds.includes(token);
  const decode = (tokens: readonly number[]): string | undefined => tokenizer?.decode?.(isEnd(tokens.at(-1)) ? tokens.slice(0, -1) : tokens);
  if (options.dryRun === true) return { examples: prompts.length, tokens: 0, text: null, output: output ?? null, metrics: {}, cached: false, seconds: (performance.now() - started) / 1000, tokensPerSecond: 0 };
  await using session = await sessionOf(opened, model, options, runtime);
  const decoder = openDecoder({ session, inputs: inputSpecs(model.graph), outputs: model.graph.outputs.map(({ name }) => name), logits: logits.name, useCache: options.cache });
  const write = textStream(decode, options.onText);
  const begun = performance.now();
  let done = 0;
  const rows = await generateRows({
    decoder, prompts: prompts.map(({ ids }) => ids), settings, batchSize: options.batchSize ?? DEFAULTS.batchSize, signal: options.signal,
    ...(data === undefined ? { onToken: (_: number, token: number) => { write(token); } } : {}),
    onDone: () => { if (data !== undefined) options.onProgress?.({ phase: "generating", done: done += 1, total: prompts.length, unit: "prompts" }); },
  });
  const seconds = (performance.now() - begun) / 1000;
  const tokens = rows.reduce((sum, row) => sum + row.length, 0);
  if (output !== undefined) {
    const encoder = new TextEncoder();
    writeFileAtomic(output, prompts.map((each, i) => encoder.encode(`${JSON.stringify(recordOf(each, rows[i] ?? [], decode))}\n`)));
  }
  const metrics = textMetrics(prompts.flatMap(({ references }, i) => (references.length === 0 ? [] : [{ text: decode(rows[i] ?? []) ?? "", references }])));
  const text = data === undefined ? decode(rows[0] ?? []) ?? null : null;
  return { examples: prompts.length, tokens, text, output: output ?? null, metrics, cached: decoder.hasCache, seconds: (performance.now() - started) / 1000, tokensPerSecond: tokens / seconds };
}

/** Whether tokens are drawn. */
function samples({ temperature, topK, topP }: GenerateOptions): boolean {
  return temperature !== undefined || topK !== undefined || topP !== undefined;
}

function settingsOf(options: GenerateOptions, longest: number, eosIds: readonly number[]): GenerationSettings {
  const { temperature, topK, topP, seed, numBeams, lengthPenalty, noRepeatNgramSize, maxNewTokens } = { ...DEFAULTS, ...given(options) };
  return { sample: samples(options), temperature, topK, topP, seed, beams: numBeams, lengthPenalty, noRepeatNgramSize, maxNewTokens, longest, eosIds };
}

/** Options that have a value: one that is undefined must not hide its default. */
function given(options: GenerateOptions): Partial<typeof DEFAULTS> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Throws PROMPT_EMPTY, PROMPT_TOO_LONG, PROMPT_BEYOND_VOCABULARY. */
function requireFitting(prompts: readonly Prompt[], { file, positions, vocabulary }: { readonly file: string | undefined; readonly positions: number; readonly vocabulary: number }): void {
  for (const { ids, line } of prompts) {
    const place = file === undefined ? "The prompt" : `Line ${String(line)} of ${file}`;
    if (ids.length === 0) throw promptEmpty(place);
    if (ids.length >= positions) throw promptTooLong(place, ids.length, positions);
    const beyond = ids.find((id) => id < 0 || id >= vocabulary);
    if (beyond !== undefined) throw promptBeyondVocabulary(place, beyond, vocabulary);
  }
}

/** The output that tells the next token, of the last position alone where the graph can say it so, and how many positions the model has. Throws NO_NEXT_TOKEN. */
function nextTokenLogits(model: Model, outputName: string | undefined): { readonly logits: Value; readonly positions: number } {
  const { graph } = model;
  const logits = findLogits(graph, outputName);
  if (logits?.shape?.length !== 3) throw noGeneratorLogits(logits?.name, formatShape(logits?.shape));
  const fixed = graph.inputs.find(({ name }) => name === "input_ids")?.shape?.[1];
  const positions = typeof fixed === "number" ? fixed : longestSequence(graph);
  if (typeof fixed !== "number") lastLogits(model, logits);
  return { logits, positions };
}

function promptOf(text: string, modelPath: string, tokenizer: TextTokenizer | undefined): Prompt {
  if (tokenizer === undefined) throw tokenizerMissing(modelPath, "prompt");
  return { ids: askedText(text, undefined, tokenizer).ids, text, references: [], line: 1 };
}

/** As it is written: texts where there is a tokenizer, else ids. */
function recordOf({ text, ids, references }: Prompt, added: readonly number[], decode: (tokens: readonly number[]) => string | undefined): Record<string, unknown> {
  const completion = decode(added);
  return { ...(text === undefined ? { input_ids: ids } : { prompt: text }), ...(completion === undefined || text === undefined ? { completion_ids: added } : { completion }), ...(references.length > 0 ? { references } : {}) };
}
