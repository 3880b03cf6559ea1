/** What can be wrong with a data file, its labels and its columns, one function a message. */

import { HutError, list, plain, quote } from "./hut-error.ts";
import { nearest } from "./nearest.ts";

/** The endings that say how a data file is written. */
const ENDINGS = ".tsv, .csv, .jsonl or .parquet";

/** A record of a data file: the file as the user named it, and the line the record starts on (from 1). */
export interface RecordPlace {
  readonly file: string;
  readonly line: number;
}

const at = ({ file, line }: RecordPlace): string => `${quote(file)}, line ${String(line)}`;
const names = (items: readonly string[]): string => list(items.map(quote));
const count = (n: number, thing: string): string => `${String(n)} ${thing}${n === 1 ? "" : "s"}`;

/** A value of a file as a message repeats it. */
function shown(value: unknown): string {
  if (typeof value === "string") return quote(value);
  const json = JSON.stringify(value) as string | undefined;
  return json === undefined ? "nothing" : json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

/** "from 0 to 2", or what is known of the range where the number of labels isn't. */
const range = (numLabels: number | undefined): string => (numLabels === undefined ? "0 or more" : `from 0 to ${String(numLabels - 1)}`);
const IGNORED = "or -100 to leave the record out";

// The file

/** An ending that none of the readers answers to. */
export const dataEndingUnknown = (file: string): HutError => new HutError("DATA_ENDING_UNKNOWN", { file },
  `${quote(file)}: the ending doesn't say how the data are written. Name a file that ends in ${ENDINGS}.`, { exitCode: 2 });

/** A folder without the file that is looked for; `wanted`: its names. */
export const dataFolderLacks = (folder: string, wanted: readonly string[], inside: readonly string[]): HutError => new HutError("DATA_FOLDER_LACKS", { folder, wanted, inside },
  `${quote(folder)} is a folder without ${list(wanted)} (${ENDINGS}). It holds ${names(inside)}; name the file itself.`);

/** A folder with several files of one name: by ending, or in parts. */
export const dataFolderAmbiguous = (folder: string, files: readonly string[]): HutError => new HutError("DATA_FOLDER_AMBIGUOUS", { folder, files },
  `${quote(folder)} has more than one file of that name: ${names(files)}. Name the file itself; parts of a set must be joined first.`);

/** A Parquet file that isn't written as one, or asks for more than is read. */
export const dataParquetBroken = (file: string, reason: string, cause?: unknown): HutError => new HutError("DATA_PARQUET_BROKEN", { file, reason },
  `${quote(file)} can't be read as Parquet: ${plain(reason)}. Write it anew, or convert it to a file that ends in .jsonl.`, { cause });

/** A Parquet file that is packed in a way nothing here unpacks. */
export const dataParquetCodec = (file: string, codec: string): HutError => new HutError("DATA_PARQUET_CODEC", { file, codec },
  `${quote(file)}: its pages are packed by ${plain(codec)}, which can't be unpacked here. Write it with the compression snappy, or with none.`);

/** Bytes that are no UTF-8. */
export const dataNotUtf8 = (place: RecordPlace): HutError => new HutError("DATA_NOT_UTF8", { ...place },
  `${at(place)}: not valid UTF-8. Save the file as UTF-8.`);

/** A file with nothing in it. */
export const dataEmpty = (file: string): HutError => new HutError("DATA_EMPTY", { file },
  `${quote(file)} is empty. It needs at least one record.`);

/** Lines that end as on the first Macs. */
export const dataCarriageReturns = (file: string): HutError => new HutError("DATA_CARRIAGE_RETURNS", { file },
  `${quote(file)} has lines that end in a carriage return alone, so it is one long line. Save it with the line ends of Unix (LF) or Windows (CRLF).`);

/** A header and nothing below it. */
export const dataNoRows = (file: string, columns: readonly string[]): HutError => new HutError("DATA_NO_ROWS", { file, columns },
  `${quote(file)} has a header (${names(columns)}) and no rows below it. It needs at least one record.`);

/** Two columns of one name. */
export const dataHeaderDuplicate = (place: RecordPlace, column: string): HutError => new HutError("DATA_HEADER_DUPLICATE", { ...place, column },
  `${at(place)}: the header names the column ${quote(column)} twice. Rename one of them.`);

/** A JSON object that has a key twice, at whatever depth. */
export const dataKeyDuplicate = (place: RecordPlace, key: string): HutError => new HutError("DATA_KEY_DUPLICATE", { ...place, key },
  `${at(place)}: the key ${quote(key)} stands twice in one object, and only the last would be read. Rename or remove one of them.`);

/** A header with more columns than a table may have. */
export const dataTooManyColumns = (place: RecordPlace, most: number): HutError => new HutError("DATA_TOO_MANY_COLUMNS", { ...place, most },
  `${at(place)}: the header has more than ${count(most, "column")}. Leave out the ones that aren't needed.`);

/** More records than are read. */
export const dataTooManyRecords = (place: RecordPlace, most: number): HutError => new HutError("DATA_TOO_MANY_RECORDS", { ...place, most },
  `${at(place)}: the file has more than ${count(most, "record")}. Cut it into parts, and train on one after the other with --adapter.`);

/** A row with another number of columns than the header. */
export const dataRowWidth = (place: RecordPlace, found: number, expected: number): HutError => new HutError("DATA_ROW_WIDTH", { ...place, found, expected },
  `${at(place)}: ${count(found, "column")}, but the header has ${String(expected)}. Mend the row.`);

/** A CSV quote that is never closed. */
export const dataQuoteOpen = (place: RecordPlace): HutError => new HutError("DATA_QUOTE_OPEN", { ...place },
  `${at(place)}: a quote opens in this record and is never closed. Close it, or double the quotes that stand inside a quoted field.`);

/** A CSV quote inside an unquoted field, or text after a closing one. */
export const dataQuoteMisplaced = (place: RecordPlace): HutError => new HutError("DATA_QUOTE_MISPLACED", { ...place },
  `${at(place)}: a quote stands where CSV allows none. Put quotes around the whole field and double those inside it.`);

/** Whatever else csv-parse refuses. */
export const dataCsvBroken = (place: RecordPlace, reason: string, cause: unknown): HutError => new HutError("DATA_CSV_BROKEN", { ...place, reason },
  `${at(place)}: not valid CSV: ${quote(reason)}. Mend the line.`, { cause });

/** A line that is no JSON. */
export const dataJsonBroken = (place: RecordPlace, cause: unknown): HutError => {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new HutError("DATA_JSON_BROKEN", { ...place, reason },
    `${at(place)}: not valid JSON (${quote(reason)}). A .jsonl file holds one JSON object a line.`, { cause });
};

/** A line of JSON that is a list, a number, …. */
export const dataJsonNotObject = (place: RecordPlace, value: unknown): HutError => new HutError("DATA_JSON_NOT_OBJECT", { ...place },
  `${at(place)}: ${shown(value)} is not a JSON object. A .jsonl file holds one JSON object a line.`);

// Columns and fields

/** Neither text nor a field named after an input; `wanted`: the columns of text that are known. */
export const dataTextMissing = (file: string, columns: readonly string[], wanted: readonly string[]): HutError =>
  new HutError("DATA_COLUMN_MISSING", { file, columns, wanted, near: nearColumn(wanted, columns) },
    `${quote(file)} has no column of text and none named after an input of the graph. It has the columns ${names(columns)}; `
    + `name the text ${wanted.join(" or ")}, or say which it is with --text-column${meant(nearColumn(wanted, columns))}.`);

/** Texts that stand alone where pairs are learned; `wanted`: the columns of a pair. */
export const dataPairsMissing = (file: string, columns: readonly string[], wanted: readonly string[]): HutError =>
  new HutError("DATA_COLUMN_MISSING", { file, columns, wanted },
    `${quote(file)} has no pairs of texts. It has the columns ${names(columns)}; name those of a pair ${wanted.join(" or ")}.`);

/** No label column; `wanted`: the names it may have. */
export const dataLabelColumnMissing = (file: string, columns: readonly string[], wanted: readonly string[]): HutError =>
  new HutError("DATA_COLUMN_MISSING", { file, columns, wanted, near: nearColumn(wanted, columns) },
    `${quote(file)} has no column ${wanted.map(quote).join(" or ")}. It has the columns ${names(columns)}; `
    + `say which one holds the labels with --label-column${meant(nearColumn(wanted, columns))}.`);

/** A column that the user named and the file lacks; `flag`: the one that named it. */
export const dataColumnUnknown = (file: string, flag: string, column: string, columns: readonly string[]): HutError => {
  const [near] = nearest(column, columns, 1);
  return new HutError("DATA_COLUMN_MISSING", { file, columns, wanted: [column], near },
    `${quote(file)} has no column ${quote(column)}, which ${flag} names. It has the columns ${names(columns)}; the nearest is ${near === undefined ? "none" : quote(near)}.`);
};

/** More columns of text than a model takes together. */
export const textColumnsTooMany = (columns: readonly string[], most: number): HutError => new HutError("TEXT_COLUMNS_TOO_MANY", { columns, most },
  `--text-column names ${count(columns.length, "column")} (${names(columns)}), and this task reads ${most === 1 ? "one" : `at most ${String(most)}, a pair`}.`, { exitCode: 2 });

/** The column whose name is nearest to one of those that are known; undefined where none is near: half of its letters must be the same. */
function nearColumn(wanted: readonly string[], columns: readonly string[]): string | undefined {
  return wanted.flatMap((entry) => entry.split(" + ")).flatMap((word) => nearest(word, columns, 1).filter((column) => isLike(word, column)))[0];
}

function isLike(word: string, column: string): boolean {
  const [a, b] = [word.toLowerCase(), column.toLowerCase()];
  return a.includes(b) || b.includes(a) || Array.from(a).filter((letter) => b.includes(letter)).length >= 0.75 * Math.max(a.length, b.length);
}

function meant(near: string | undefined): string {
  return near === undefined ? "" : `, as ${quote(near)}`;
}

/** --mask-prompt, and records that don't tell a prompt; `wanted`: the columns that would. */
export const nothingToMask = (file: string, wanted: readonly string[]): HutError => new HutError("NOTHING_TO_MASK", { file, wanted },
  `${quote(file)} doesn't tell what --mask-prompt should leave out: ${wanted.length === 0 ? "only text-generation has prompts" : `it needs ${wanted.join(" or ")}`}.`);

/** A column of text with nothing in it. */
export const dataTextsEmpty = (file: string, column: string, records: number): HutError => new HutError("DATA_TEXTS_EMPTY", { file, column, records },
  `${quote(file)}: ${quote(column)} is empty in all ${count(records, "record")}, so there is nothing to read. Name the column of text with --text-column.`);

/** A text of no tokens, where every record must have an answer. */
export const dataTextEmpty = (place: RecordPlace, column: string): HutError => new HutError("DATA_TEXT_EMPTY", { ...place, column },
  `${at(place)}: ${quote(column)} is empty, and the tokenizer adds no special tokens, so there is nothing to run. Leave the record out.`);

/** A JSON object without a key that the file's first one has. */
export const dataFieldMissing = (place: RecordPlace, field: string, columns: readonly string[]): HutError =>
  new HutError("DATA_FIELD_MISSING", { ...place, field, columns },
    `${at(place)}: no ${quote(field)}, which other records have. This one has ${names(columns)}.`);

/** A text column that holds something else. */
export const dataNotText = (place: RecordPlace, field: string, value: unknown): HutError => new HutError("DATA_NOT_TEXT", { ...place, field },
  `${at(place)}: ${quote(field)} is ${shown(value)}, where text is expected.`);

/** A record that is no list of words. */
export const dataNotWords = (place: RecordPlace, field: string, value: unknown): HutError => new HutError("DATA_NOT_WORDS", { ...place, field },
  `${at(place)}: ${quote(field)} is ${shown(value)}, where a list of words is expected.`);

/** Lists of words and of their labels of unequal length. */
export const dataWordsDiffer = (place: RecordPlace, words: string, wordCount: number, labels: string, labelCount: number): HutError =>
  new HutError("DATA_LENGTHS_DIFFER", { ...place, fields: [words, labels], lengths: [wordCount, labelCount] },
    `${at(place)}: ${quote(words)} has ${count(wordCount, "word")} and ${quote(labels)} has ${count(labelCount, "label")}. Each word needs one.`);

/** A number that the input's type can't hold, or no number; `expected`: what it can. */
export const dataFieldValue = (place: RecordPlace, field: string, value: unknown, expected: string): HutError =>
  new HutError("DATA_FIELD_VALUE", { ...place, field, expected },
    `${at(place)}: ${quote(field)} holds ${shown(value)}, but the graph's input of that name takes ${expected}.`);

/** Nested lists of different lengths. */
export const dataFieldRagged = (place: RecordPlace, field: string): HutError => new HutError("DATA_FIELD_RAGGED", { ...place, field },
  `${at(place)}: the rows of ${quote(field)} differ in length. Make every row as long as the first.`);

/** A shape that the graph, or the other records, don't have; `expected`: a clause that says which. */
export const dataFieldShape = (place: RecordPlace, field: string, found: readonly number[], expected: string): HutError =>
  new HutError("DATA_FIELD_SHAPE", { ...place, field, found, expected },
    `${at(place)}: ${quote(field)} has the shape [${found.join(", ")}], but ${expected}.`);

/** Two fields of one record that should have a value a token each. */
export const dataLengthsDiffer = (place: RecordPlace, a: string, aLength: number, b: string, bLength: number): HutError =>
  new HutError("DATA_LENGTHS_DIFFER", { ...place, fields: [a, b], lengths: [aLength, bLength] },
    `${at(place)}: ${quote(a)} has ${count(aLength, "value")} and ${quote(b)} has ${String(bLength)}. Both need one a token.`);

/** An input of the graph that nothing feeds. */
export const inputMissing = (file: string, input: string, columns: readonly string[]): HutError => new HutError("INPUT_MISSING", { file, input, columns },
  `The graph's input ${quote(input)} is neither a column of ${quote(file)} nor one that can be filled in. `
  + `Add it to the data, whose columns are ${names(columns)}.`);

/** An input of strings or of a type with no array for it. */
export const inputTypeUnsupported = (input: string, type: string): HutError => new HutError("INPUT_TYPE_UNSUPPORTED", { input, type },
  `The graph's input ${quote(input)} takes ${type}, which data can't be fed to. Export the model with integer or float inputs.`);

// GLUE

/** A flag that says otherwise than the GLUE task. */
export const glueContradicts = (glue: string, flag: string, given: string, own: string): HutError => new HutError("GLUE_CONTRADICTS", { glue, flag, given, own },
  `--glue ${glue} is learnt with ${flag} ${own}, and ${flag} ${quote(given)} is given. Leave one of them out.`, { exitCode: 2 });

/** A file without the columns of a GLUE task; `wanted`: those that it may have. */
export const glueColumnsMissing = (file: string, glue: string, wanted: readonly (readonly string[])[], columns: readonly string[]): HutError =>
  new HutError("DATA_COLUMN_MISSING", { file, glue, wanted, columns },
    `${quote(file)} is no file of GLUE's ${glue}: it has the columns ${names(columns)}, and needs ${wanted.map((entry) => names(entry)).join(", or ")}.`);

/** Labels wanted of one of GLUE's test files. */
export const glueUnlabelled = (file: string, glue: string): HutError => new HutError("GLUE_UNLABELLED", { file, glue },
  `${quote(file)} has no labels: GLUE's test files of ${glue} come without. Measure on dev.tsv, or use predict for what GLUE's server scores.`);

// Labels

/** An empty label. */
export const labelMissing = (place: RecordPlace, column: string): HutError => new HutError("LABEL_MISSING", { ...place, column },
  `${at(place)}: ${quote(column)} is empty. Give the record a label, ${IGNORED}.`);

/** A label that is no integer, in a column of integers. */
export const labelNotInteger = (place: RecordPlace, value: unknown, numLabels: number | undefined): HutError =>
  new HutError("LABEL_NOT_INTEGER", { ...place, value, numLabels },
    `${at(place)}: the label ${shown(value)} is not an integer. Labels in this file are integers ${range(numLabels)}, ${IGNORED}${isNumberText(value) ? "; numbers to predict are --problem regression" : ""}.`);

function isNumberText(value: unknown): boolean {
  return (typeof value === "number" || (typeof value === "string" && value.trim() !== "")) && Number.isFinite(Number(value));
}

/** A class number that the model doesn't have. */
export const labelOutOfRange = (place: RecordPlace, value: number, numLabels: number | undefined): HutError =>
  new HutError("LABEL_OUT_OF_RANGE", { ...place, value, numLabels },
    `${at(place)}: the label ${String(value)} is out of range. Labels are integers ${range(numLabels)}, ${IGNORED}.`);

/** A class name that the model doesn't have. */
export const labelUnknown = (place: RecordPlace, value: string, known: readonly string[]): HutError => new HutError("LABEL_UNKNOWN", { ...place, value, known },
  `${at(place)}: the label ${quote(value)} is none of the model's, which are ${names(known)}.`);

/** Class names that nothing numbers: another count of them than the model's, and no id2label. */
export const labelNamesDoNotFit = (file: string, found: readonly string[], numLabels: number): HutError =>
  new HutError("LABEL_NAMES_DO_NOT_FIT", { file, found, numLabels },
    `${quote(file)} holds ${count(found.length, "different label")} (${names(found)}), but the model has ${String(numLabels)}. `
    + `Name all of them in id2label of the model's config.json, or write the labels as integers ${range(numLabels)}. With --head, --num-labels says how many classes there are.`);

/** A file whose every label is -100. */
export const labelsAllIgnored = (file: string): HutError => new HutError("LABELS_ALL_IGNORED", { file },
  `${quote(file)}: every label is -100, so there is nothing to learn from or to measure. Give at least one record a label.`);

/** A label that is no list of what is expected, or none of that length. */
export const labelListWrong = (place: RecordPlace, value: unknown, wanted: string): HutError => new HutError("LABEL_LIST_WRONG", { ...place, value },
  `${at(place)}: the label ${shown(value)} is not ${wanted}.`);

/** A label, or an entry of its list, that is no number or out of range. */
export const labelNumberWrong = (place: RecordPlace, value: unknown, range: string): HutError => new HutError("LABEL_NUMBER_WRONG", { ...place, value },
  `${at(place)}: the label ${shown(value)} is not a number${range === "" ? "" : ` ${range}`}.`);

/** Labels of tokens that are no list. */
export const tokenLabelsNotList = (place: RecordPlace, column: string, value: unknown): HutError => new HutError("TOKEN_LABELS_NOT_LIST", { ...place, column },
  `${at(place)}: ${quote(column)} is ${shown(value)}, where a list with one label a token is expected. Leave the column out to learn the text's own tokens.`);

/** A token's label that is no token id. */
export const tokenLabelWrong = (place: RecordPlace, value: unknown, vocabulary: number | undefined): HutError =>
  new HutError("TOKEN_LABEL_WRONG", { ...place, value, vocabulary },
    `${at(place)}: the label ${shown(value)} is no token id. Labels are integers ${range(vocabulary)}, or -100 to leave the token out.`);

/** Next tokens to learn, and no tokens. */
export const tokenRowMissing = (file: string): HutError => new HutError("TOKEN_ROW_MISSING", { file },
  `${quote(file)}: next tokens can be learnt only by a model with input_ids, which this one hasn't. Choose another --task.`);

/** Words without a row of token ids to become. */
export const wordRowMissing = (file: string): HutError => new HutError("TOKEN_ROW_MISSING", { file },
  `${quote(file)}: words can be told apart only by a model with input_ids, which this one hasn't. Choose another --task.`);

/** Rows in which no token but the first counts. */
export const noTokenToPredict = (file: string): HutError => new HutError("NO_TOKEN_TO_PREDICT", { file },
  `${quote(file)}: no record has a token to predict. A record needs two tokens or more, and after the first one a label that isn't -100.`);

/** Logits that aren't one row a label; `values`: how many numbers there are. */
export const logitsDoNotFit = (dims: readonly number[], values: number, labels: number): HutError =>
  new HutError("LOGITS_DO_NOT_FIT", { dims, values, labels },
    `The logits have the shape [${dims.join(", ")}] and ${count(values, "value")}, where ${count(labels, "label")} need [${String(labels)}, classes]. `
    + `Name the output that holds one row of logits a record.`);

/** A class number with no logit. */
export const labelBeyondLogits = (index: number, label: number, classes: number): HutError => new HutError("LABEL_BEYOND_LOGITS", { index, label, classes },
  `Record ${String(index + 1)} has the label ${String(label)}, but the model gives ${count(classes, "logit")} a record. `
    + `Labels are integers ${range(classes)}, ${IGNORED}.`);

/** Labels that are all the same. */
export const oneClassOnly = (file: string, label: string, records: number): HutError => new HutError("ONE_CLASS_ONLY", { file, label, records },
  `${quote(file)}: the label is ${quote(label)} in all ${count(records, "record")} that have one, so training can't tell classes apart. `
  + `Add records of other classes; where labels are numbers to predict, use --problem regression.`);

// The tokenizer

/** Text, and nothing to tokenize it with. */
export const tokenizerMissing = (file: string, column: string): HutError => new HutError("TOKENIZER_MISSING", { file, column },
  `${quote(file)} has text in ${quote(column)}, and there is no tokenizer. `
    + `tokenizer.json is looked for beside the model and in the folder above; name one with --tokenizer.`);

/** A tokenizer with more tokens than the embedding has rows. */
export const tokenizerBeyondVocabulary = (tokenizer: string | undefined, tokens: number, vocabulary: number): HutError => new HutError("TOKENIZER_BEYOND_VOCABULARY", { tokens, vocabulary },
  `The tokenizer ${tokenizer === undefined ? "" : `${quote(tokenizer)} `}has token ids up to ${String(tokens - 1)}, that is ${String(tokens)} of them, and the model's embedding has ${String(vocabulary)} rows. `
  + `The tokenizer belongs to another model: name the right one with --tokenizer.`);

/** A tokenizer.json that can't be used. */
export const tokenizerBroken = (reason: string, cause?: unknown): HutError => new HutError("TOKENIZER_BROKEN", { reason },
  `tokenizer.json can't be used: ${quote(reason)}. Take the file that Hugging Face's tokenizers saved with the model.`, { cause });

/** A chat template that can't be read. */
export const chatTemplateBroken = (reason: string, cause?: unknown): HutError => new HutError("CHAT_TEMPLATE_BROKEN", { reason },
  `The tokenizer's chat template can't be used: ${quote(reason)}. Take the one that was saved with the model.`, { cause });

/** Conversations, and a tokenizer that doesn't tell how to write them. */
export const chatTemplateMissing = (column: string): HutError => new HutError("CHAT_TEMPLATE_MISSING", { column },
  `${quote(column)} holds conversations, and the tokenizer has no chat template: neither chat_template in tokenizer_config.json nor chat_template.jinja is there. `
  + `Add the model's, or write the data as prompt and completion.`);

/** A conversation that the template doesn't take. */
export const chatRefused = (place: RecordPlace, reason: string, cause?: unknown): HutError => new HutError("CHAT_REFUSED", { ...place, reason },
  `${at(place)}: the chat template doesn't take this conversation: ${quote(reason)}. Mend or leave out the record.`, { cause });

/** What should be a conversation. */
export const messagesWrong = (place: RecordPlace, column: string, reason: string): HutError => new HutError("DATA_MESSAGES_WRONG", { ...place, column, reason },
  `${at(place)}: ${quote(column)} is no conversation: ${reason}. It should be a list of {"role", "content"}.`);

/** A template whose earlier turns change when more follow. */
export const chatNotStepwise = (place: RecordPlace): HutError => new HutError("CHAT_NOT_STEPWISE", { ...place },
  `${at(place)}: the chat template writes a turn in another way once more turns follow, so --mask-prompt can't tell what the assistant said. `
  + `Mark that in the template with {% generation %} … {% endgeneration %}, or leave out --mask-prompt.`);

/** A length that special tokens fill by themselves. */
export const maxLengthTooShort = (maxLength: number, special: number): HutError => new HutError("MAX_LENGTH_TOO_SHORT", { maxLength, special },
  `A length of ${count(maxLength, "token")} has no room for text: the tokenizer adds ${count(special, "special token")}. Use a longer --max-seq-length.`);
