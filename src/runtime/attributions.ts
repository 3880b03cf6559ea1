/** Which words of a text made a model say what it says: gradient × input, summed over each word's tokens (figure 4 of arXiv 2409.13501). */
import { attributionsUnsupported } from "../errors/runtime.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { attachAttributions, classLogit, logLikelihood } from "../passes/attach-attributions.ts";
import { finish } from "../passes/build-step.ts";
import { normalizeForTraining } from "../passes/normalize-for-training.ts";
import { TOKEN_IDS } from "../passes/weights/token-look-ups.ts";
import { deployable } from "./adapted-modules.ts";
import type { Example } from "./data/examples.ts";
import { CLASS_NUMBERS } from "./data/task-data.ts";
import { textWords } from "./data/text-words.ts";
import type { TextTokenizer } from "./data/tokenizer.ts";
import { collectRows } from "./evaluator.ts";
import type { LoadedExamples } from "./examples-of.ts";
import { DEFAULTS, type CommonOptions } from "./options.ts";
import type { Prepared } from "./prepare.ts";
import type { GraphSession } from "./session.ts";
import { classNames } from "./tasks/problem.ts";
import { requireTaskLogits } from "./tasks/registry.ts";
import type { Task } from "./tasks/task.ts";
import { decideBranches } from "./training-graphs.ts";

/** One record's words and scores. */
export interface Attribution {
  /** The record's text, a pair's two with a line break between them; of a record that came as tokens, these with blanks between them. */
  readonly text: string;
  /** Words and punctuation in the text's own spelling, without blanks. What the model was not given is left out. */
  readonly words: readonly string[];
  /** Where in `text` each word begins. */
  readonly starts: readonly number[];
  /** Of each word: positive where it speaks for what is explained, negative where against it. */
  readonly scores: readonly number[];
  /** What the tokens of no word come to: special tokens and padding. */
  readonly rest: number;
  /** The class whose logit is explained, by name; of a task that has a loss for each token null, and then it is the log-likelihood of the labels. */
  readonly explained: string | null;
  /** The logit that is explained. */
  readonly logit: number | null;
  /** The predicted class, by name, and its score as a pipeline tells it; null where the task has no classes of records. */
  readonly prediction: string | null;
  readonly score: number | null;
  /** The record's own class, where it has one. */
  readonly label?: string;
}

export interface AttributionOptions extends CommonOptions {
  readonly task: Task;
  /** The records, loaded with `keepsTexts`. */
  readonly data: LoadedExamples;
  /** The tokenizer that they were loaded with. */
  readonly tokenizer: TextTokenizer | undefined;
  /** The classes' names in order, where they are known. */
  readonly names?: readonly string[] | undefined;
  /** Of a classifier, which logit is explained: that of the class it predicts, or of the record's label, where it has one. Default: "prediction". */
  readonly toward?: "prediction" | "label" | undefined;
  readonly batchSize?: number | undefined;
  /** Makes a session of a graph. */
  readonly open: (model: Model) => Promise<GraphSession>;
}

/**
 * Scores of the words of each record, in the data's order. `prepared` is the model with the trained adapter or, for the original, as the run began: prepared with the run's own
 * options, seed included, so that a head which was attached is the one that the run began with. Its graph is changed. Works for text classification of every kind, and for tasks
 * with a loss for each token, whose records must have labels. Throws HutError: another task, a model that takes no token ids, an operator without a gradient.
 */
export async function attributions(prepared: Prepared, { task, data, tokenizer, names = data.id2label, toward, batchSize = DEFAULTS.batchSize, open, signal, onProgress }: AttributionOptions): Promise<Attribution[]> {
  const { model, scores, logits } = attributionGraph(task, prepared);
  const labels = data.examples.map((example) => (task.data.labelKind === CLASS_NUMBERS ? classOf(example) : undefined));
  const towards = labels.map((label) => (toward === "label" ? label : undefined));
  // Of a classifier, a record without a label is explained by the class that is predicted.
  const run = logits === undefined ? data : {
    ...data, padding: { ...data.padding, labels: CLASS_NUMBERS }, examples: data.examples.map(({ labels: own, ...example }, i) => (own === undefined || towards[i] === undefined ? example : { ...example, labels: own })),
  };
  await using session = await open(model);
  const rows = await collectRows({ ...run, session, batchSize, signal, onProgress }, [scores.name, ...(logits === undefined ? [] : [logits.name])], new Set([scores.name]));
  return data.examples.map((example, i) => {
    const valuesOf = (output: Value | undefined): number[] => Array.from(rows[i]?.get(output?.name ?? "")?.values ?? [], Number);
    const told = logits === undefined ? { explained: null, logit: null, prediction: null, score: null } : saidBy(task, valuesOf(logits), names, { label: labels[i], toward: towards[i] });
    return { ...inWords(example, valuesOf(scores), tokenizer), ...told };
  });
}

/** The class that a record is labelled with, by number; undefined where it has none that counts. */
function classOf({ labels }: Example): number | undefined {
  const [label = -1] = labels?.values ?? [];
  return label < 0 ? undefined : label;
}

/** What a classifier says by its logits, and which of them was explained: the first of the highest, or that of a class. */
function saidBy(task: Task, logits: readonly number[], names: readonly string[] | undefined, { label, toward }: { readonly label: number | undefined; readonly toward: number | undefined }): Pick<Attribution, "explained" | "logit" | "prediction" | "score" | "label"> {
  const classes = classNames(logits.length, names);
  const answer = task.answer?.(logits, names);
  const explained = toward ?? logits.indexOf(Math.max(...logits));
  const own = label === undefined ? undefined : classes[label];
  return { explained: classes[explained] ?? null, logit: logits[explained] ?? null, prediction: answer?.label ?? null, score: answer?.score ?? null, ...(own === undefined ? {} : { label: own }) };
}

/** The graph: batch, labels → the logits of a classifier, and the scores of its tokens. */
function attributionGraph(task: Task, prepared: Prepared): { readonly model: Model; readonly scores: Value; readonly logits: Value | undefined } {
  if (task.findOutput !== undefined) throw attributionsUnsupported(task.name);
  const model = deployable(prepared);
  const { graph } = model;
  const found = decideBranches(model, requireTaskLogits(task, graph, prepared.logits));
  const at = graph.outputs.indexOf(found);
  normalizeForTraining(model);
  const logits = graph.outputs[at] ?? found;
  const isClassifier = task.logits.length === 2;
  const scores = attachAttributions(model, isClassifier ? classLogit(model, logits) : logLikelihood(model, logits, task.attachLoss(model, logits)));
  graph.outputs.splice(0, Infinity, ...(isClassifier ? [logits] : []), scores);
  finish(model);
  return { model, scores, logits: isClassifier ? logits : undefined };
}

/** The scores of T tokens as those of words. */
function inWords(example: Example, scores: readonly number[], tokenizer: TextTokenizer | undefined): Pick<Attribution, "text" | "words" | "starts" | "scores" | "rest"> {
  const words = wordsOfText(example, tokenizer) ?? wordsOfTokens(example, tokenizer);
  const sums = words.tokens.map((tokens) => tokens.reduce((sum, t) => sum + (scores[t] ?? NaN), 0));
  const all = scores.reduce((sum, score) => sum + score, 0);
  return { text: words.text, words: words.words, starts: words.starts, scores: sums, rest: all - sums.reduce((sum, score) => sum + score, 0) };
}

/** A record in words, and the tokens of its row that each is made of. */
interface RecordWords extends Pick<Attribution, "text" | "words" | "starts"> {
  readonly tokens: readonly (readonly number[])[];
}

/** Undefined where the row isn't its texts' tokens, one behind the other from their beginning, as where a prompt's form writes more around them. */
function wordsOfText({ texts, fields }: Example, tokenizer: TextTokenizer | undefined): RecordWords | undefined {
  const ids = fields.get(TOKEN_IDS)?.values ?? [];
  const { plain, places } = tokenizer ?? {};
  if (texts === undefined || tokenizer === undefined || plain === undefined || places === undefined) return undefined;
  if (tokenizer.encode(texts, ids.length).ids.some((id, t) => id !== ids[t])) return undefined;
  const rows = texts.map(() => new Map<number, number>());
  for (const [t, place] of places(texts, ids.length).entries()) if (place !== undefined) rows[place.text]?.set(place.token, t);
  if (rows.some((row) => row.size > 0 && !row.has(0))) return undefined;
  const found = texts.flatMap((text, i) => {
    const row = rows[i] ?? new Map<number, number>();
    const offset = texts.slice(0, i).reduce((sum, before) => sum + before.length + 1, 0);
    return textWords(text, plain, row.size).map(({ start, end, from, to }) => {
      const tokens = Array.from({ length: Math.min(to, row.size) - from }, (_, t) => row.get(from + t) ?? NaN);
      return { word: text.slice(start, end), start: offset + start, tokens };
    });
  });
  return { text: texts.join("\n"), words: found.map((w) => w.word), starts: found.map((w) => w.start), tokens: found.map((w) => w.tokens) };
}

/** Each token that counts as a word, as the tokenizer decodes it, and those that it has no text for left out; without a tokenizer, ids. */
function wordsOfTokens({ fields }: Example, tokenizer: TextTokenizer | undefined): RecordWords {
  const ids = fields.get(TOKEN_IDS)?.values ?? [];
  const mask = fields.get("attention_mask")?.values;
  const found = ids.flatMap((id, t) => {
    const word = mask?.[t] === 0 ? "" : (tokenizer?.decode === undefined ? String(id) : tokenizer.decode([id])).trim();
    return word === "" ? [] : [{ word, t }];
  });
  const words = found.map((w) => w.word);
  return { text: words.join(" "), words, starts: words.map((_, i) => words.slice(0, i).reduce((sum, word) => sum + word.length + 1, 0)), tokens: found.map((w) => [w.t]) };
}
