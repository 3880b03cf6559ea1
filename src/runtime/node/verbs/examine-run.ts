/** What running a trained model on labelled data shows of its mistakes. */
import { findLogits } from "../../model-outputs.ts";
import { collectRows } from "../../evaluator.ts";
import { glueForm, withGlue } from "../../data/glue.ts";
import { IGNORED_LABEL } from "../../data/task-data.ts";
import type { EvaluateOptions } from "../../options.ts";
import { confusionOf, worstOf, type Prediction } from "../../report/predictions.ts";
import { recordTexts } from "../../report/record-texts.ts";
import type { ExaminedRun } from "../../report/report-data.ts";
import type { OnnxRuntime } from "../../session.ts";
import { classNames } from "../../tasks/problem.ts";
import { requireTaskLogits, takesText } from "../../tasks/registry.ts";
import { readRecords } from "../data-file.ts";
import type { OpenedModel } from "../open-model.ts";
import { deployed, sessionOf } from "./deployed.ts";
import { labelNames, load, runOf } from "./evaluate.ts";
import { openTrained } from "./open-trained.ts";
import { taskOf } from "./task-of.ts";

/** Runs a classifier on `data`; undefined for any other task. `shown`: how many of the worst examples are told. */
export async function mistakesOf(opened: OpenedModel, given: EvaluateOptions, shown: number, runtime: OnnxRuntime | undefined): Promise<Pick<ExaminedRun, "confusion" | "worst"> | undefined> {
  const options = withGlue(given);
  const trained = openTrained(opened, options);
  const task = taskOf(opened, options, trained);
  if (task.problem !== "single") return undefined;
  const model = deployed(opened, options, trained, task);
  const logits = requireTaskLogits(task, model.graph, findLogits(model.graph, options.outputName));
  const classes = logits.shape?.at(-1);
  const numLabels = typeof classes === "number" ? classes : undefined;
  const data = load(opened, options, trained, task, "required", numLabels);
  model.graph.outputs.splice(0, Infinity, logits);
  await using session = await sessionOf(opened, model, options, runtime);
  const rows = await collectRows(runOf(session, data, options), [logits.name], new Set());
  const predictions = rows.map((row, i): Prediction => {
    const example = data.examples[i];
    return { line: example?.line ?? 0, logits: Array.from(row.get(logits.name)?.values ?? [], Number), label: example?.labels?.values[0] ?? IGNORED_LABEL };
  });
  const labels = classNames(predictions[0]?.logits.length ?? 0, labelNames(opened, trained, numLabels) ?? data.id2label);
  const textsAt = shown > 0 && takesText(task) ? recordTexts(readRecords(options.data, glueForm(options.glue)), task, options) : (): readonly string[] => [];
  return { confusion: confusionOf(predictions, labels, options.data), worst: worstOf(predictions, labels, shown, textsAt) };
}
