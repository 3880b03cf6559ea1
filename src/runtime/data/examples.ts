/** Records → examples: numbers for every input of the graph, and a label. */

import { dataFieldMissing, dataFieldShape, dataLengthsDiffer, dataPairsMissing, dataTextEmpty, dataTextsEmpty, inputMissing, tokenizerBeyondVocabulary, type RecordPlace } from "../../errors/data.ts";
import { tokenIdBeyondVocabulary } from "../../errors/runtime.ts";
import { isFloating } from "../../ir/data-type.ts";
import type { LabelOptions } from "./class-labels.ts";
import type { DataReport } from "./data-report.ts";
import { readField, tokenField, type Field, type InputSpec } from "./field.ts";
import { canFill, fillInput } from "./fill-inputs.ts";
import { madeInput } from "./made-inputs.ts";
import { textKey, type Texts } from "./overlap.ts";
import { own, type DataFile, type DataRecord } from "./records.ts";
import { textReader, type ReadText, type TextOptions, type TextReader } from "./read-text.ts";
import { IGNORED_LABEL, type TokenRow } from "./task-data.ts";

/** One record, ready to be batched. */
export interface Example {
  /** Values by the name of the graph's input; every input of the graph is there but those that `madeInput` makes. */
  readonly fields: ReadonlyMap<string, Field>;
  /** What the task learns of it, -100 where nothing: one number, or one a token. Absent where labels weren't asked for. */
  readonly labels?: Field;
  /** T, the positions the record takes in a batch before padding; 1 where the graph takes no row of tokens. */
  readonly length: number;
  /** How many of these positions count by the attention mask. */
  readonly tokens: number;
  /** Where the record starts in its file. */
  readonly line: number;
  /** Where its texts are rows of their own: these, in the order of the columns. `fields` are those of the first. */
  readonly rows?: readonly Pick<Example, "fields" | "line">[];
  /** Where the record is a list of words: how many they are, and the word of each token. */
  readonly words?: TokenRow["words"];
  /** Where its row of tokens was made of text, and `keepsTexts` was said: the texts. */
  readonly texts?: readonly string[];
}

/** How records become examples. */
export interface ExampleOptions extends LabelOptions, TextOptions {
  /** The inputs of the graph that the data must feed. */
  readonly inputs: readonly InputSpec[];
  readonly labels: "required" | "none";
  /** Whether the labels are to be learnt from, and not only measured by. */
  readonly learns?: boolean | undefined;
  /** The row of tokens that labels are given for, one a token; `input_ids` where not given. */
  readonly labelled?: string | undefined;
  /** Rows of the embedding, where they are known. */
  readonly vocabulary?: number | undefined;
  /** Whether examples shall have their texts. A training has no use for them, and they would stay in memory. */
  readonly keepsTexts?: boolean | undefined;
}

/** All examples of a file, in file order. */
export interface Examples {
  readonly examples: readonly Example[];
  /** The classes' names in order, where the file or the options give them. */
  readonly id2label: readonly string[] | undefined;
  readonly report: DataReport;
  readonly texts: Texts;
}

/** The input that text becomes, the one its padding is seen in, and the one that tells a pair's texts apart. */
const IDS = "input_ids";
const MASK = "attention_mask";
const SEGMENTS = "token_type_ids";
const OF_TEXT: ReadonlySet<string> = new Set([IDS, MASK, SEGMENTS, "position_ids"]);

/** Where the values of a file's records come from; the same for all of them. */
interface Layout {
  /** Columns named after an input. */
  readonly given: readonly InputSpec[];
  /** Reads the text; undefined where the ids are given. */
  readonly text: TextReader | undefined;
  /** Where a record's texts are rows of their own, what reads each; none where a record is one row. */
  readonly apart: readonly TextReader[];
  /** Inputs left to be filled. */
  readonly filled: readonly InputSpec[];
}

/**
 * Makes examples of a file's records. Columns named after an input of the graph are fed as they are, else text is tokenized into `input_ids`;
 * attention_mask, token_type_ids and position_ids are filled where the data don't name them, empty caches when a batch is made. A record without a
 * single token is left out. Throws where a column, a label, the tokenizer or an input is missing, or a value doesn't fit, naming file and line.
 */
export function toExamples(data: DataFile, options: ExampleOptions): Examples {
  const layout = findLayout(data, options);
  if (layout.text !== undefined) checkTexts(data, layout.text, options);
  const read = options.labels === "required" ? options.task.openLabels(data, options) : undefined;
  const first: { fields?: ReadonlyMap<string, Field> } = {};
  const examples: Example[] = [];
  const keys: number[] = [];
  const seen = { maxTokenId: -1, cut: 0, longest: 0, empty: [] as number[], ignored: [] as number[], without: [] as number[] };
  for (const [i, record] of data.records.entries()) {
    const { line } = record;
    const place = { file: data.file, line };
    const rows = layout.apart.map((reader) => readInputs(record, { ...layout, text: reader }, place));
    const [{ fields, mask, text: whole } = readInputs(record, layout, place), ...others] = rows;
    const text = together(whole, others.map((row) => row.text));
    if (text !== undefined) {
      if (text.whole > text.ids.length) seen.cut++;
      seen.longest = Math.max(seen.longest, text.whole);
      if (text.texts.some((own) => own.trim() === "")) seen.empty.push(line);
      if (text.ids.length === 0 && options.labels === "none") throw dataTextEmpty(place, layout.text?.columns[0] ?? "text");
      if (text.ids.length === 0) {
        seen.without.push(line);
        continue;
      }
      keys.push(textKey(text.texts));
    }
    for (const row of [{ fields }, ...others]) {
      checkSameShapes(row.fields, (first.fields ??= fields), place);
      for (const id of row.fields.get(IDS)?.values ?? []) seen.maxTokenId = Math.max(seen.maxTokenId, id);
    }
    const labels = read?.of(i, labelledRow(fields, mask, options.labelled ?? IDS, text));
    if (labels?.values.every((label) => label === IGNORED_LABEL) === true) seen.ignored.push(line);
    const masks = [mask, ...others.map((row) => row.mask)];
    const tokens = masks.reduce((sum, own) => sum + (own ? own.reduce((count, counts) => count + (counts ? 1 : 0), 0) : 1), 0);
    examples.push({
      fields, ...(labels === undefined ? {} : { labels }), length: masks.reduce((longest, own) => Math.max(longest, own?.length ?? 1), 1), tokens, line,
      ...(text?.words === undefined ? {} : { words: text.words }), ...(text === undefined || options.keepsTexts !== true ? {} : { texts: text.texts }), ...(rows.length === 0 ? {} : { rows: rows.map((row) => ({ fields: row.fields, line })) }),
    });
  }
  if (options.vocabulary !== undefined && seen.maxTokenId >= options.vocabulary) throw tokenIdBeyondVocabulary(data.file, seen.maxTokenId, options.vocabulary);
  read?.finish();
  if (options.learns === true) read?.requireContrast?.();
  const leftOut = [...data.leftOut ?? [], ...(seen.without.length === 0 ? [] : [{ why: "without a token", lines: seen.without }])];
  const maxLength = Math.min(options.maxLength, fixedLength(options.inputs));
  return {
    examples, id2label: read ? read.id2label : options.id2label,
    report: { file: data.file, records: examples.length, cut: { count: seen.cut, maxLength, longest: seen.longest }, emptyTexts: seen.empty.filter((line) => !seen.without.includes(line)), ignored: seen.ignored, leftOut },
    texts: { file: data.file, keys, lines: keys.length === 0 ? [] : examples.map(({ line }) => line) },
  };
}

/** Throws where nothing of a file's text can be used: a column of it is empty, or the tokenizer is another model's. */
function checkTexts({ file, records }: DataFile, { columns }: TextReader, { tokenizer, vocabulary }: ExampleOptions): void {
  if (tokenizer !== undefined && vocabulary !== undefined && tokenizer.vocabulary > vocabulary) throw tokenizerBeyondVocabulary(tokenizer.file, tokenizer.vocabulary, vocabulary);
  const empty = columns.find((column) => records.every(({ fields }) => { const value = own(fields, column); return typeof value === "string" && value.trim() === ""; }));
  if (empty !== undefined) throw dataTextsEmpty(file, empty, records.length);
}

/** What there is to tell of a record's text, of all its rows. */
function together(text: ReadText | undefined, others: readonly (ReadText | undefined)[]): ReadText | undefined {
  if (text === undefined || others.length === 0) return text;
  const all = [text, ...others.filter((other) => other !== undefined)];
  const isEmpty = all.some(({ ids }) => ids.length === 0);
  const isCut = all.find(({ ids, whole }) => whole > ids.length) ?? text;
  return { ...text, ids: isEmpty ? [] : isCut.ids, whole: isCut.whole, texts: all.flatMap(({ texts }) => texts) };
}

/** The tokens that labels are for, and which of them count: by the mask that goes with them, where there is one. */
function labelledRow(fields: ReadonlyMap<string, Field>, mask: readonly number[] | undefined, name: string, text: ReadText | undefined): TokenRow | undefined {
  const ids = fields.get(name)?.values;
  const own = name === IDS ? mask : fields.get(name.replace(IDS, MASK))?.values;
  return ids === undefined ? undefined : { name, ids, mask: own ?? ids.map(() => 1), learnt: name === IDS ? text?.learnt : undefined, words: text?.words };
}

function findLayout(data: DataFile, options: ExampleOptions): Layout {
  const { inputs, task } = options;
  // Text that the user names is read, also where the file has its tokens too.
  const given = inputs.filter(({ name }) => data.columns.includes(name) && (data.texts === undefined || !OF_TEXT.has(name)));
  const missing = inputs.filter((spec) => !given.includes(spec));
  const wantsText = missing.some(({ name }) => name === IDS);
  if (wantsText && data.texts === undefined && !hasText(data, options) && (given.length > 0 || (task.texts.length === 0 && task.words === undefined))) throw inputMissing(data.file, IDS, data.columns);
  const reading = { ...options, maxLength: Math.min(options.maxLength, fixedLength(inputs)) };
  const text = wantsText ? textReader(data, reading) : undefined;
  const least = task.apart?.least ?? 0;
  if (options.labels === "required" && (text?.columns.length ?? 0) < least) throw dataPairsMissing(data.file, data.columns, task.texts.filter((names) => names.length >= least).map((names) => names.join(" + ")));
  const apart = task.apart === undefined ? [] : (text?.columns ?? []).map((column) => textReader({ ...data, texts: [column] }, reading));
  const hasTokens = text !== undefined || given.some(isTokenRow);
  const filled = missing.filter((spec) => spec.name !== IDS && madeInput(spec) === undefined);
  const stuck = filled.find(({ name }) => !hasTokens || !canFill(name));
  if (stuck) throw inputMissing(data.file, stuck.name, data.columns);
  return { given, text, apart, filled };
}

/** Whether a file has columns of text that the task knows. */
function hasText(data: DataFile, { task }: ExampleOptions): boolean {
  return (task.forms ?? []).some((form) => form.columnsOf(data) !== undefined) || (task.words ?? []).some((name) => data.columns.includes(name)) || task.texts.some((names) => names.every((name) => data.columns.includes(name)));
}

/** Whether an input takes one value a token: [batch, T], integers. */
function isTokenRow(spec: InputSpec): boolean {
  return spec.shape.length === 2 && !isFloating(spec.dtype);
}

/** One record's values for all inputs, its mask where it has a row of tokens, and its text where these are made of it. */
function readInputs(record: DataRecord, layout: Layout, place: RecordPlace): { fields: Map<string, Field>; mask?: readonly number[]; text?: ReadText } {
  const fields = new Map<string, Field>();
  for (const spec of layout.given) {
    const value = own(record.fields, spec.name);
    if (value === undefined) throw dataFieldMissing(place, spec.name, Object.keys(record.fields));
    fields.set(spec.name, readField(value, spec, place));
  }
  const text = layout.text?.read(record, place);
  if (text !== undefined) {
    fields.set(IDS, tokenField(text.ids));
    if (layout.filled.some(({ name }) => name === SEGMENTS)) fields.set(SEGMENTS, tokenField(text.typeIds));
  }
  const rowName = fields.has(IDS) ? IDS : layout.given.find(isTokenRow)?.name;
  const row = rowName === undefined ? undefined : fields.get(rowName);
  if (rowName === undefined || !row) return { fields };
  for (const { name } of layout.given.filter((spec) => canFill(spec.name))) {
    const length = fields.get(name)?.dims[0] ?? 0;
    if (length !== row.values.length) throw dataLengthsDiffer(place, rowName, row.values.length, name, length);
  }
  const mask = fields.get(MASK)?.values ?? row.values.map(() => 1);
  for (const { name } of layout.filled) {
    const field = fields.get(name) ?? fillInput(name, mask);
    if (field) fields.set(name, field);
  }
  return { fields, mask, ...(text === undefined ? {} : { text }) };
}

/** The length that an export fixed for its rows of tokens, else no bound. */
function fixedLength(inputs: readonly InputSpec[]): number {
  const length = inputs.find(({ name }) => name === IDS)?.shape[1];
  return typeof length === "number" ? length : Infinity;
}

/** Rows of tokens are padded; of anything else all records must have the same shape, that of the first. */
function checkSameShapes(fields: ReadonlyMap<string, Field>, first: ReadonlyMap<string, Field>, place: RecordPlace): void {
  for (const [name, { dims }] of fields) {
    const wanted = first.get(name)?.dims ?? dims;
    if (dims.length > 1 && dims.some((dim, i) => dim !== wanted[i])) {
      throw dataFieldShape(place, name, dims, `the first record's is [${wanted.join(", ")}]; only rows of tokens are padded`);
    }
  }
}
