/** `verify`: is the merged model the base with exactly this adapter folded in, and nothing else changed? */
import { HutError } from "../../../errors/hut-error.ts";
import { interrupted } from "../../../errors/runtime.ts";
import { differencesFromComputed } from "../../../ir/compare.ts";
import { byteLength, DataType, isFloating } from "../../../ir/data-type.ts";
import type { Model } from "../../../ir/model.ts";
import { modelToProto } from "../../../ir/save.ts";
import { elementCount } from "../../../ir/sizes.ts";
import { planBatches } from "../../data/batches.ts";
import { collate, type Feed } from "../../data/collate.ts";
import { elementKind } from "../../data/element-kind.ts";
import { madeInput } from "../../data/made-inputs.ts";
import { pathOf } from "../../../passes/adapt.ts";
import { arePresented } from "../../../passes/present-logits.ts";
import { findWeights, type WeightSite } from "../../../passes/weights/find-weights.ts";
import type { VerifyOptions } from "../../options.ts";
import type { VerifyResult } from "../../results.ts";
import { deployable } from "../../adapted-modules.ts";
import { evaluateWith } from "../../evaluate-with.ts";
import { changedSites, foldedModel, presentLogitsOf } from "../../fold-model.ts";
import type { Prepared } from "../../prepare.ts";
import { Random } from "../../random.ts";
import { GraphSession, type OnnxRuntime } from "../../session.ts";
import { inputSpecs, vocabularySize } from "../../task-inputs.ts";
import type { Task } from "../../tasks/task.ts";
import { taskOf } from "./task-of.ts";
import { defaultRuntime } from "../default-runtime.ts";
import { loadExamples } from "../load-examples.ts";
import { openModel, type OpenedModel } from "../open-model.ts";
import { prepareFold, requireTrained } from "./fold.ts";

/** How far logits may differ where weights are stored as float32, and in 16 bits. */
const TOLERANCE = { wide: 1e-4, half: 1e-2 };
/** Records that logits are compared on, and pairs that latency is measured over. */
const COMPARED_RECORDS = 64;
const LATENCY_PAIRS = 11;
/** Made inputs: rows, tokens of a row (as few as the shortest model takes), and any other free size. */
const MADE = { batch: 4, tokens: 8, other: 32 };

/** Recomputes U(W), compares every byte of the merged model, then its logits with the adapted model's. */
export async function verify(path: string, options: VerifyOptions, runtime?: OnnxRuntime): Promise<VerifyResult> {
  const ort = runtime ?? await defaultRuntime();
  using base = openModel(path);
  using merged = openModel(options.merged);
  const trained = requireTrained("verify", base, options);
  const prepared = prepareFold(base, options, trained);
  const requantize = isQuantized(merged, prepared);
  await using evaluator = evaluateWith(ort);
  const { model: expected } = await foldedModel(base, prepared, evaluator.evaluate, { ...options, requantize });
  // In a model folder the logits have the form that its readers ask for.
  const isPresented = prepared.logits !== undefined && !arePresented(prepared.logits) && merged.load().graph.outputs.some(arePresented);
  if (isPresented) presentLogitsOf(expected, prepared);
  const places = await differencesFromComputed(modelToProto(expected), modelToProto(merged.load()), (done, total) => {
    if (options.signal?.aborted === true) throw interrupted();
    options.onProgress?.({ phase: "comparing", done, total, unit: "weights" });
  });
  const problems = places.map((place) => `${place} differs from the base with this adapter folded in`);
  const sameExceptWeights = problems.length === 0;

  const half = prepared.adapted.some(({ site }) => (byteLength(foldedType(site), 1) ?? 0) < 4);
  const tolerance = requantize ? null : half ? TOLERANCE.half : TOLERANCE.wide;
  const adaptedModel = deployable(prepared);
  const shown = isPresented ? presentLogitsOf(adaptedModel, prepared) : prepared.logits;
  const outputs = (shown === undefined ? adaptedModel.graph.outputs : [shown]).map((v) => v.name);
  const session = async (model: Model, from: OpenedModel): Promise<GraphSession> => GraphSession.create(ort, model,
    { name: from.path, threads: options.threads, provider: options.provider, folder: from.folder, save: { reference: (range) => from.locate(range) } });
  const batches = options.data === undefined ? [madeInputs(base)] : dataBatches(base, options, taskOf(base, {}, trained));
  let maxAbsDiff = NaN;
  let latencyRatio = NaN;
  try {
    await using mergedSession = await session(merged.load(), merged);
    await using adaptedSession = await session(adaptedModel, base);
    maxAbsDiff = await compare(adaptedSession, mergedSession, batches, outputs);
    await using baseSession = await session(base.load(), base);
    latencyRatio = await latency(baseSession, mergedSession, batches[0] ?? new Map<string, Feed>(), outputs);
  } catch (error) {
    if (!(error instanceof HutError) || sameExceptWeights) throw error;
    problems.push(error.message);
  }
  if (tolerance !== null && !(maxAbsDiff <= tolerance)) problems.push(`logits of merged and adapted differ by ${String(maxAbsDiff)}, more than ${String(tolerance)}`);
  return { maxAbsDiff, sameExceptWeights, latencyRatio, tolerance, problems, ok: problems.length === 0 };
}

/** Whether the merged model holds integers where an adapted weight of the base does: it was folded with `requantize` then. */
function isQuantized(merged: OpenedModel, prepared: Prepared): boolean {
  const quantized = new Set(changedSites(prepared).filter((s) => s.quantized !== undefined).map(pathOf));
  return findWeights(merged.load().graph).some((s) => s.quantized !== undefined && quantized.has(pathOf(s)));
}

/** The type that a folded weight is rounded to: its stored one, or for integers the one that products compute in. */
function foldedType({ quantized, tensor }: WeightSite): number {
  return quantized?.dataType ?? tensor.dataType;
}

type Feeds = ReadonlyMap<string, Feed>;

function dataBatches(base: OpenedModel, options: VerifyOptions, task: Task): Feeds[] {
  const { examples, inputs, padding } = loadExamples({
    file: options.data ?? "", modelPath: base.path, tokenizer: options.tokenizer, graph: base.loadInlined().graph, task, labels: "none", numLabels: undefined,
  });
  const chosen = examples.slice(0, COMPARED_RECORDS);
  const plan = planBatches(chosen.map((e) => e.length), { batchSize: 16, shuffle: false, seed: 0, epoch: 0, byLength: true });
  return plan.map((indices) => collate(chosen, indices, inputs, padding).feeds);
}

/** Inputs of the graph's own shapes, caches empty: token ids within the vocabulary, all tokens counting, floats between −1 and 1. */
function madeInputs(base: OpenedModel): Feeds {
  const { graph } = base.loadInlined();
  const random = new Random(0);
  const vocabulary = vocabularySize(graph) ?? 2;
  return new Map(inputSpecs(graph).map((spec): [string, Feed] => {
    const made = madeInput(spec)?.(MADE.batch);
    if (made !== undefined) return [spec.name, made];
    const { name, dtype } = spec;
    const dims = spec.shape.map((d, i) => (typeof d === "number" ? d : i === 0 ? MADE.batch : isFloating(dtype) ? MADE.other : MADE.tokens));
    const next = isFloating(dtype) ? () => random.uniform(-1, 1) : dtype === DataType.BOOL || name.includes("mask") ? () => 1
      : name === "input_ids" ? () => random.below(vocabulary) : () => 0;
    return [name, { dataType: dtype, dims, data: elementKind(spec).pack(Float64Array.from({ length: elementCount(dims) }, next)) }];
  }));
}

/** The largest difference of any output element; NaN counts as infinite. */
async function compare(a: GraphSession, b: GraphSession, batches: readonly Feeds[], outputs: readonly string[]): Promise<number> {
  let largest = 0;
  for (const feeds of batches) {
    const [x, y] = [await a.run(feeds, outputs), await b.run(feeds, outputs)];
    for (const name of outputs) {
      const [p, q] = [x.get(name)?.data as ArrayLike<number>, y.get(name)?.data as ArrayLike<number>];
      for (let i = 0; i < p.length; i += 1) {
        const difference = Math.abs(Number(p[i]) - Number(q[i]));
        if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
      }
    }
  }
  return largest;
}

/** Median time of merged over median time of base, run in turn so that a busy machine slows both. */
async function latency(base: GraphSession, merged: GraphSession, feeds: Feeds, outputs: readonly string[]): Promise<number> {
  const common = (s: GraphSession): string[] => { const there = outputs.filter((o) => s.outputNames.includes(o)); return there.length > 0 ? there : [...s.outputNames]; };
  const times: { base: number[]; merged: number[] } = { base: [], merged: [] };
  for (let i = -1; i < LATENCY_PAIRS; i += 1) {
    for (const [key, session] of [["base", base], ["merged", merged]] as const) {
      const started = performance.now();
      await session.run(feeds, common(session));
      if (i >= 0) times[key].push(performance.now() - started);
    }
  }
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
  return median(times.merged) / median(times.base);
}
