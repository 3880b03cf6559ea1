/** GLUE's own files: which columns of theirs are text, what the labels are called, and which figures are the official ones. */
import { glueContradicts, glueColumnsMissing, glueUnlabelled } from "../../errors/data.ts";
import type { MetricName } from "../metric-names.ts";
import type { GlueName, ProblemName, TaskName } from "../options.ts";
import type { Task } from "../tasks/task.ts";
import { withOfficial } from "../tasks/with-official.ts";
import { placeholders } from "./class-labels.ts";
import { own, type DataFile, type DataRecord } from "./records.ts";
import type { TableForm } from "./parse-records.ts";

/** One of GLUE's tasks. */
export interface GlueTask {
  readonly problem: ProblemName;
  /** The classes' names in GLUE's order: label 0 is the first. None for a regression. */
  readonly classes?: readonly string[];
  /** The columns of text in its own files, then as the hub's copy calls them. */
  readonly texts: readonly (readonly string[])[];
  /** The column of labels, in that order. */
  readonly labels: readonly string[];
  /** The figures that GLUE reports, the first one first. */
  readonly metrics: readonly [MetricName, ...MetricName[]];
  /** The columns of a file that has no header, told by a label in the second of its four cells. */
  readonly headerless?: readonly string[];
}

const YES_NO = ["entailment", "not_entailment"];
const SENTENCES = [["sentence1", "sentence2"]];

export const GLUE_TASKS: Readonly<Record<GlueName, GlueTask>> = {
  cola: { problem: "single", classes: ["unacceptable", "acceptable"], texts: [["sentence"]], labels: ["label"], metrics: ["matthews_correlation"], headerless: ["source", "label", "mark", "sentence"] },
  sst2: { problem: "single", classes: ["negative", "positive"], texts: [["sentence"]], labels: ["label"], metrics: ["accuracy"] },
  mrpc: { problem: "single", classes: ["not_equivalent", "equivalent"], texts: [["#1 String", "#2 String"], ...SENTENCES], labels: ["Quality", "label"], metrics: ["accuracy", "f1"] },
  stsb: { problem: "regression", texts: SENTENCES, labels: ["score", "label"], metrics: ["pearson", "spearmanr"] },
  qqp: { problem: "single", classes: ["not_duplicate", "duplicate"], texts: [["question1", "question2"]], labels: ["is_duplicate", "label"], metrics: ["accuracy", "f1"] },
  mnli: { problem: "single", classes: ["entailment", "neutral", "contradiction"], texts: [...SENTENCES, ["premise", "hypothesis"]], labels: ["gold_label", "label"], metrics: ["accuracy"] },
  qnli: { problem: "single", classes: YES_NO, texts: [["question", "sentence"]], labels: ["label"], metrics: ["accuracy"] },
  rte: { problem: "single", classes: YES_NO, texts: SENTENCES, labels: ["label"], metrics: ["accuracy"] },
  wnli: { problem: "single", classes: ["not_entailment", "entailment"], texts: SENTENCES, labels: ["label"], metrics: ["accuracy"] },
};

/** What MNLI's annotators couldn't agree on: GLUE leaves such records out. */
const NO_GOLD = "-";

/** The options that a GLUE task settles. */
interface GlueOptions {
  readonly glue?: GlueName | undefined;
  readonly task?: TaskName | undefined;
  readonly problem?: ProblemName | undefined;
  readonly head?: unknown;
  readonly numLabels?: number | undefined;
}

/** The options, with what the GLUE task says: task, problem, and the classes of a head that is attached. Throws GLUE_CONTRADICTS where a flag says otherwise. */
export function withGlue<T extends GlueOptions>(options: T): T {
  if (options.glue === undefined) return options;
  const { problem, classes } = GLUE_TASKS[options.glue];
  const numLabels = classes?.length ?? 1;
  if (options.task !== undefined && options.task !== "text-classification") throw glueContradicts(options.glue, "--task", options.task, "text-classification");
  if (options.problem !== undefined && options.problem !== problem) throw glueContradicts(options.glue, "--problem", options.problem, problem);
  if (options.numLabels !== undefined && options.numLabels !== numLabels) throw glueContradicts(options.glue, "--num-labels", String(options.numLabels), String(numLabels));
  return { ...options, task: "text-classification", problem, ...(options.head === undefined ? {} : { numLabels }) };
}

/** The task with what GLUE reports of it first. */
export function withGlueMetrics(task: Task, glue: GlueName | undefined): Task {
  return glue === undefined ? task : withOfficial(task, GLUE_TASKS[glue].metrics);
}

/** How a table of the task is read. Rows of QQP and of others have broken lines; GLUE's own readers leave them out. */
export function glueForm(glue: GlueName | undefined): TableForm {
  if (glue === undefined) return {};
  const { headerless } = GLUE_TASKS[glue];
  const columnsOf = (first: readonly string[]): readonly string[] | undefined => (first.length === headerless?.length && /^[01]$/.test(first[1] ?? "") ? headerless : undefined);
  return { skipsRagged: true, ...(headerless === undefined ? {} : { columnsOf }) };
}

/**
 * The file with its columns known, and its labels by name. The names are `known`, the model's own, where it has some: GLUE's by name or, where they have other
 * names, by order. Throws GLUE_COLUMNS_MISSING, and GLUE_UNLABELLED where `labelled` asks for labels that GLUE keeps to itself.
 */
export function glueFile(data: DataFile, glue: GlueName, known: readonly string[] | undefined, labelled: boolean): { readonly data: DataFile; readonly id2label: readonly string[] | undefined } {
  const { texts, labels, classes } = GLUE_TASKS[glue];
  const has = (names: readonly string[]): boolean => names.every((name) => data.columns.includes(name));
  const columns = data.texts ?? texts.find(has);
  if (columns === undefined) throw glueColumnsMissing(data.file, glue, texts, data.columns);
  const label = data.label ?? labels.find((name) => data.columns.includes(name));
  if (label === undefined && labelled) throw glueUnlabelled(data.file, glue);
  if (label === undefined || !labelled) return { data: { ...data, texts: columns }, id2label: known ?? classes };
  const kept = data.records.filter(({ fields }) => own(fields, label) !== NO_GOLD);
  const without = data.records.filter(({ fields }) => own(fields, label) === NO_GOLD).map(({ line }) => line);
  const leftOut = [...data.leftOut ?? [], ...(without.length === 0 ? [] : [{ why: "without a gold label (-)", lines: without }])];
  const read = { ...data, texts: columns, label, records: kept, leftOut };
  // The hub's test files say -1.
  if (classes !== undefined && kept.every(({ fields }) => String(own(fields, label)) === "-1")) throw glueUnlabelled(data.file, glue);
  if (classes === undefined) return { data: read, id2label: undefined };
  const names = namesFor(classes, known);
  return { data: { ...read, records: kept.map((record) => ({ ...record, fields: { ...record.fields, [label]: nameOf(own(record.fields, label), classes, names) } satisfies DataRecord["fields"] })) }, id2label: known !== undefined && !placeholders(known) ? known : classes };
}

/** What each of GLUE's classes is called in the model, in GLUE's order. */
function namesFor(classes: readonly string[], known: readonly string[] | undefined): readonly string[] {
  if (known?.length !== classes.length || placeholders(known)) return classes;
  const bare = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, "");
  const same = classes.map((name) => known.find((k) => bare(k) === bare(name)));
  return same.every((name) => name !== undefined) ? same : known;
}

/** A label's name; what is none of GLUE's stays as it is, and is refused as any other. */
function nameOf(value: unknown, classes: readonly string[], names: readonly string[]): unknown {
  const text = String(value);
  const id = classes.includes(text) ? classes.indexOf(text) : /^\d+$/.test(text) ? Number(text) : -1;
  return names[id] ?? value;
}
