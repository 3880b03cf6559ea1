/** Records → examples: numbers for every input of the graph, and a label. */

import { dataFieldMissing, dataFieldShape, dataLengthsDiffer, dataNotText, dataPairsMissing, dataTextMissing, inputMissing, tokenizerMissing,
  type RecordPlace } from "../../errors/data.ts";
import { isFloating } from "../../ir/data-type.ts";
import type { LabelOptions } from "./class-labels.ts";
import { readField, tokenField, type Field, type InputSpec } from "./field.ts";
import { canFill, fillInput } from "./fill-inputs.ts";
import { madeInput } from "./made-inputs.ts";
import { own, type DataFile, type DataRecord } from "./parse-records.ts";
import type { TaskData, TokenRow } from "./task-data.ts";
import type { TextTokenizer, TokenizedText } from "./tokenizer.ts";
import { readWords } from "./word-rows.ts";

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
}

/** How records become examples. */
export interface ExampleOptions extends LabelOptions {
  /** The inputs of the graph that the data must feed. */
  readonly inputs: readonly InputSpec[];
  readonly tokenizer?: TextTokenizer | undefined;
  /** Most tokens that text is cut to, special tokens included. Rows that come as tokens are fed as they are. */
  readonly maxLength: number;
  readonly labels: "required" | "none";
  /** The row of tokens that labels are given for, one a token; `input_ids` where not given. */
  readonly labelled?: string | undefined;
  readonly task: TaskData;
}

/** All examples of a file, in file order. */
export interface Examples {
  readonly examples: readonly Example[];
  /** The classes' names in order, where the file or the options give them. */
  readonly id2label: readonly string[] | undefined;
  /** The largest token id; -1 where the graph takes no input_ids. An embedding must have more rows than this. */
  readonly maxTokenId: number;
}

/** The input that text becomes, the one its padding is seen in, and the one that tells a pair's texts apart. */
const IDS = "input_ids";
const MASK = "attention_mask";
const SEGMENTS = "token_type_ids";

/** Where the values of a file's records come from; the same for all of them. */
interface Layout {
  /** Columns named after an input. */
  readonly given: readonly InputSpec[];
  /** Columns of text to be tokenized; none where the ids are given. */
  readonly texts: readonly string[];
  /** The column of lists of words to be tokenized. */
  readonly words?: string | undefined;
  /** Inputs left to be filled. */
  readonly filled: readonly InputSpec[];
}

/**
 * Makes examples of a file's records. Columns named after an input of the graph are fed as they are, else text is tokenized into `input_ids`;
 * attention_mask, token_type_ids and position_ids are filled where the data don't name them, empty caches when a batch is made. Throws where a
 * column, a label, the tokenizer or an input is missing, or a value doesn't fit, naming file and line.
 */
export function toExamples(data: DataFile, options: ExampleOptions): Examples {
  const layout = findLayout(data, options);
  const read = options.labels === "required" ? options.task.openLabels(data, options) : undefined;
  const first: { fields?: ReadonlyMap<string, Field> } = {};
  let maxTokenId = -1;
  const examples = data.records.map((record, i): Example => {
    const place = { file: data.file, line: record.line };
    const rows = rowLayouts(layout, options.task).map((each) => readInputs(record, each, options, place));
    const [{ fields, mask, words } = readInputs(record, layout, options, place), ...others] = rows;
    for (const row of [{ fields }, ...others]) {
      checkSameShapes(row.fields, (first.fields ??= fields), place);
      for (const id of row.fields.get(IDS)?.values ?? []) maxTokenId = Math.max(maxTokenId, id);
    }
    const labels = read?.of(i, labelledRow(fields, mask, options.labelled ?? IDS, words));
    const masks = [mask, ...others.map((row) => row.mask)];
    const tokens = masks.reduce((sum, own) => sum + (own ? own.reduce((count, counts) => count + (counts ? 1 : 0), 0) : 1), 0);
    return {
      fields, ...(labels === undefined ? {} : { labels }), length: masks.reduce((longest, own) => Math.max(longest, own?.length ?? 1), 1), tokens, line: record.line,
      ...(words === undefined ? {} : { words }), ...(rows.length === 0 ? {} : { rows: rows.map((row) => ({ fields: row.fields, line: record.line })) }),
    };
  });
  read?.finish();
  return { examples, id2label: read ? read.id2label : options.id2label, maxTokenId };
}

/** Where a record's texts are rows of their own, what each is read by; none where a record is one row. */
function rowLayouts(layout: Layout, { apart }: TaskData): Layout[] {
  return apart === undefined ? [] : layout.texts.map((column) => ({ ...layout, texts: [column] }));
}

/** The tokens that labels are for, and which of them count: by the mask that goes with them, where there is one. */
function labelledRow(fields: ReadonlyMap<string, Field>, mask: readonly number[] | undefined, name: string, words: TokenRow["words"]): TokenRow | undefined {
  const ids = fields.get(name)?.values;
  const own = name === IDS ? mask : fields.get(name.replace(IDS, MASK))?.values;
  return ids === undefined ? undefined : { name, ids, mask: own ?? ids.map(() => 1), words };
}

function findLayout(data: DataFile, { inputs, tokenizer, task, labels }: ExampleOptions): Layout {
  const given = inputs.filter(({ name }) => data.columns.includes(name));
  const missing = inputs.filter(({ name }) => !data.columns.includes(name));
  const wantsText = missing.some(({ name }) => name === IDS);
  const texts = wantsText ? (task.texts.find((columns) => columns.every((column) => data.columns.includes(column))) ?? []) : [];
  const words = wantsText ? task.words?.find((column) => data.columns.includes(column)) : undefined;
  if (wantsText && texts.length === 0 && words === undefined) {
    const wanted = [...task.texts.map((columns) => columns.join(" + ")), ...(task.words ?? [])];
    if (given.length > 0 || wanted.length === 0) throw inputMissing(data.file, IDS, data.columns);
    throw dataTextMissing(data.file, data.columns, wanted);
  }
  if (task.apart !== undefined && labels === "required" && texts.length < task.apart.least) {
    throw dataPairsMissing(data.file, data.columns, task.texts.filter((columns) => columns.length >= (task.apart?.least ?? 0)).map((columns) => columns.join(" + ")));
  }
  const toTokenize = texts[0] ?? words;
  if (toTokenize !== undefined && !tokenizer) throw tokenizerMissing(data.file, toTokenize);
  const hasTokens = toTokenize !== undefined || given.some(isTokenRow);
  const filled = missing.filter((spec) => spec.name !== IDS && madeInput(spec) === undefined);
  const stuck = filled.find(({ name }) => !hasTokens || !canFill(name));
  if (stuck) throw inputMissing(data.file, stuck.name, data.columns);
  return { given, texts, words, filled };
}

/** Whether an input takes one value a token: [batch, T], integers. */
function isTokenRow(spec: InputSpec): boolean {
  return spec.shape.length === 2 && !isFloating(spec.dtype);
}

/** One record's values for all inputs, and its mask where it has a row of tokens. */
function readInputs(record: DataRecord, layout: Layout, options: ExampleOptions, place: RecordPlace): { fields: Map<string, Field>; mask?: readonly number[]; words?: TokenRow["words"] } {
  const fields = new Map<string, Field>();
  for (const spec of layout.given) {
    const value = own(record.fields, spec.name);
    if (value === undefined) throw dataFieldMissing(place, spec.name, Object.keys(record.fields));
    fields.set(spec.name, readField(value, spec, place));
  }
  if (layout.texts.length > 0) tokenize(record, layout, options, fields, place);
  const words = layout.words === undefined ? undefined : tokenizeWords(record, layout.words, layout, options, fields, place);
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
  return { fields, mask, words };
}

/** Adds `input_ids`, and `token_type_ids` where the graph takes them and the data don't give them. */
function tokenize(record: DataRecord, { texts, filled }: Layout, options: ExampleOptions, fields: Map<string, Field>, place: RecordPlace): void {
  const words = texts.map((column) => {
    const value = own(record.fields, column);
    if (value === undefined) throw dataFieldMissing(place, column, Object.keys(record.fields));
    if (typeof value !== "string") throw dataNotText(place, column, value);
    return value;
  });
  const tokenizer = options.tokenizer;
  if (!tokenizer) throw tokenizerMissing(place.file, texts[0] ?? "text");
  addTokens(tokenizer.encode(words, longest(options)), filled, fields);
}

/** The same for a list of words. */
function tokenizeWords(record: DataRecord, column: string, { filled }: Layout, options: ExampleOptions, fields: Map<string, Field>, place: RecordPlace): TokenRow["words"] {
  const { tokenizer } = options;
  if (!tokenizer) throw tokenizerMissing(place.file, column);
  const words = readWords(record, column, place);
  const tokenized = tokenizer.encodeWords(words, longest(options));
  addTokens(tokenized, filled, fields);
  return { of: tokenized.words, count: words.length, column };
}

function addTokens({ ids, typeIds }: TokenizedText, filled: Layout["filled"], fields: Map<string, Field>): void {
  fields.set(IDS, tokenField(ids));
  if (filled.some(({ name }) => name === SEGMENTS)) fields.set(SEGMENTS, tokenField(typeIds));
}

/** Most tokens of a text. */
function longest({ maxLength, inputs }: ExampleOptions): number {
  return Math.min(maxLength, fixedLength(inputs));
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
