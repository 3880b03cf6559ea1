/** What running a trained model shows: its mistakes on labelled data, what training did to the weights, and which words decide. */
import { attributions, type Attribution, type AttributionOptions } from "../../attributions.ts";
import { withGlue } from "../../data/glue.ts";
import { IGNORED_LABEL } from "../../data/task-data.ts";
import { evaluateWith } from "../../evaluate-with.ts";
import { collectRows } from "../../evaluator.ts";
import type { LoadedExamples } from "../../examples-of.ts";
import { findLogits } from "../../model-outputs.ts";
import type { EvaluateOptions } from "../../options.ts";
import { prepare, type PrepareOptions } from "../../prepare.ts";
import { confusionOf, shownRecords, worstOf, type Prediction } from "../../report/predictions.ts";
import type { AttributedText, ExaminedRun, MatrixCorrelation, WordScores } from "../../report/report-data.ts";
import type { OnnxRuntime } from "../../session.ts";
import { classNames } from "../../tasks/problem.ts";
import { requireTaskLogits, takesText } from "../../tasks/registry.ts";
import { weightCorrelations } from "../../weight-correlations.ts";
import { defaultRuntime } from "../default-runtime.ts";
import type { OpenedModel } from "../open-model.ts";
import { openTokenizer } from "../open-tokenizer.ts";
import { deployed, sessionOf } from "./deployed.ts";
import { labelNames, load, runOf } from "./evaluate.ts";
import { openTrained } from "./open-trained.ts";
import { taskOf } from "./task-of.ts";

/** A run to examine. */
export interface Examination {
  readonly opened: OpenedModel;
  /** What `evaluate` would be asked of it: the adapter, the data. */
  readonly asked: EvaluateOptions;
  /** What the run began with; undefined where that isn't known any more. */
  readonly begun: PrepareOptions | undefined;
  /** Most texts of the data that are told, of each kind. */
  readonly shown: number;
  readonly runtime: OnnxRuntime | undefined;
}

/** A classifier's mistakes on the data; undefined for any other task. */
export async function mistakesOf({ opened, asked, shown, runtime }: Examination): Promise<(Pick<ExaminedRun, "confusion" | "worst"> & { readonly predictions: readonly Prediction[] }) | undefined> {
  const options = withGlue(asked);
  const trained = openTrained(opened, options);
  const task = taskOf(opened, options, trained);
  if (task.problem !== "single") return undefined;
  const model = deployed(opened, options, trained, task);
  const logits = requireTaskLogits(task, model.graph, findLogits(model.graph, options.outputName));
  const classes = logits.shape?.at(-1);
  const numLabels = typeof classes === "number" ? classes : undefined;
  const data = load(opened, { ...options, keepsTexts: true }, trained, task, "required", numLabels);
  model.graph.outputs.splice(0, Infinity, logits);
  await using session = await sessionOf(opened, model, options, runtime);
  const rows = await collectRows(runOf(session, data, options), [logits.name], new Set());
  const predictions = rows.map((row, i): Prediction => {
    const example = data.examples[i];
    return { line: example?.line ?? 0, texts: example?.texts ?? [], logits: Array.from(row.get(logits.name)?.values ?? [], Number), label: example?.labels?.values[0] ?? IGNORED_LABEL };
  });
  const labels = classNames(predictions[0]?.logits.length ?? 0, labelNames(opened, trained, numLabels) ?? data.id2label);
  return { confusion: confusionOf(predictions, labels, options.data), worst: worstOf(predictions, labels, shown), predictions };
}

/** How the matrices that training changed correlate with what they were. */
export async function weightsOf({ opened, asked, begun, runtime }: Examination): Promise<readonly MatrixCorrelation[]> {
  const trained = openTrained(opened, asked);
  const { savesHead: saveHead } = taskOf(opened, asked, trained);
  await using evaluator = evaluateWith(runtime ?? await defaultRuntime());
  const before = begun === undefined ? undefined : prepare(opened.load(), begun);
  const { matrices } = await weightCorrelations({ before, after: prepare(opened.load(), { adapter: trained, saveHead }) }, evaluator.evaluate, asked);
  return matrices;
}

/** Which words decided, by the fine-tuned model and by the one that the run began with: of records that the fine-tuned one is surest of, and of those that it is most wrong about. */
export async function wordsOf({ opened, asked, begun, shown, runtime }: Examination, predictions: readonly Prediction[]): Promise<readonly AttributedText[] | null> {
  const options = withGlue(asked);
  const trained = openTrained(opened, options);
  const task = taskOf(opened, options, trained);
  if (begun === undefined || !takesText(task)) return null;
  const numLabels = predictions[0]?.logits.length;
  const loaded = load(opened, { ...options, keepsTexts: true }, trained, task, "required", numLabels);
  const chosen = shownRecords(predictions, shown).flatMap((i) => loaded.examples[i] ?? []);
  const data: LoadedExamples = { ...loaded, examples: chosen };
  const more: Omit<AttributionOptions, "open"> = { task, data, tokenizer: openTokenizer(opened.path, options.tokenizer), names: labelNames(opened, trained, numLabels) ?? loaded.id2label, batchSize: options.batchSize, signal: options.signal };
  const open: AttributionOptions["open"] = (model) => sessionOf(opened, model, options, runtime);
  const tuned = await attributions(prepare(opened.load(), { adapter: trained, saveHead: task.savesHead }), { ...more, open });
  const original = await attributions(prepare(opened.load(), begun), { ...more, open });
  return tuned.map((each, i): AttributedText => ({ label: each.label ?? null, tuned: wordScores(each), original: wordScores(original[i]) }));
}

function wordScores(attribution: Attribution | undefined): WordScores {
  return { words: attribution?.words ?? [], scores: attribution?.scores ?? [], prediction: attribution?.prediction ?? "" };
}
