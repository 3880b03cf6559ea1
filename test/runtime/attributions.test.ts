import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { HutError, type TaskName } from "../../src/index.ts";
import { attributions, type Attribution, type AttributionOptions } from "../../src/runtime/attributions.ts";
import { examplesOf } from "../../src/runtime/examples-of.ts";
import { parseRecords } from "../../src/runtime/data/parse-records.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { openTokenizer } from "../../src/runtime/node/tokenizer-files.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { sessionOf } from "../../src/runtime/node/verbs/deployed.ts";
import { prepare, type OpenedAdapter, type PrepareOptions } from "../../src/runtime/prepare.ts";
import { taskNamed } from "../../src/runtime/tasks/registry.ts";

/** What PyTorch computes (fixtures/attributions/make_attributions.py). */
const read = (name: string): unknown => JSON.parse(readFileSync(`fixtures/attributions/${name}.json`, "utf8"));
type Toward = "prediction" | "label";
const CASES = read("cases") as Record<string, Record<string, Partial<Record<Toward, number[][]>>>>;
interface DemoRecord {
  readonly text: string;
  readonly label: number;
  readonly words: readonly string[];
  readonly original: Record<Toward, Told>;
  readonly tuned: Record<Toward, Told>;
}
interface Told {
  readonly scores: number[];
  readonly rest: number;
  readonly logits: number[];
}
const DEMO = read("demo") as DemoRecord[];

/** Of the largest score of a record. */
const TOLERANCE = 1e-4;
function assertScores(actual: readonly number[], expected: readonly number[], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const largest = Math.max(...expected.map(Math.abs));
  for (const [i, score] of expected.entries()) assert.ok(Math.abs((actual[i] ?? NaN) - score) <= TOLERANCE * largest, `${what}[${String(i)}]: ${String(actual[i])} for ${String(score)}`);
}

interface Asked extends Pick<AttributionOptions, "toward" | "names"> {
  readonly task?: TaskName;
  readonly records: { readonly name: string; readonly text: string };
  readonly adapter?: string | OpenedAdapter | undefined;
  readonly maxSeqLength?: number;
  readonly tokenizer?: boolean;
  readonly prepare?: Partial<PrepareOptions>;
}

/** As a verb would ask. */
async function attributionsOf(file: string, { task: name = "text-classification", records, adapter, maxSeqLength, tokenizer: hasTokenizer = true, prepare: more, ...options }: Asked): Promise<Attribution[]> {
  using opened = openModel(file);
  const task = taskNamed({ task: name });
  const prepared = prepare(opened.load(), { saveHead: task.savesHead, ...more, adapter: typeof adapter === "string" ? openAdapter(adapter) : adapter });
  const tokenizer = hasTokenizer ? openTokenizer(file) : undefined;
  const data = examplesOf(parseRecords(records.name, new TextEncoder().encode(records.text)), tokenizer, { task, graph: opened.loadInlined().graph, labels: "required", numLabels: undefined, maxSeqLength, keepsTexts: true });
  return await attributions(prepared, { task, data, tokenizer, ...options, batchSize: 4, open: (model) => sessionOf(opened, model, {}, undefined) });
}

const DEMO_FILE = "fixtures/demo/model.onnx";
const jsonl = (records: readonly unknown[]): Asked["records"] => ({ name: "records.jsonl", text: records.map((record) => `${JSON.stringify(record)}\n`).join("") });

describe("attributions of words", function () {
  this.timeout(120_000);

  for (const [family, task] of [["bert", "text-classification"], ["roberta", "text-classification"], ["gpt2", "text-generation"], ["llama", "text-generation"]] as const) {
    for (const form of ["ts", "dynamo"]) {
      it(`of tokens are PyTorch's gradient × input: ${family}, ${form} export`, async () => {
        const records = { name: "batch.jsonl", text: readFileSync(`fixtures/cases/${family}/batch.jsonl`, "utf8") };
        const rows = records.text.trim().split("\n").map((line) => JSON.parse(line) as { input_ids: number[]; attention_mask: number[] });
        for (const [adapter, expected] of Object.entries(CASES[family] ?? {})) {
          for (const [toward, scores] of Object.entries(expected)) {
            const made = await attributionsOf(`fixtures/cases/${family}/model.${form}.onnx`, { task, records, tokenizer: false, toward: toward as Toward, adapter: adapter === "base" ? undefined : `fixtures/cases/${family}/${adapter}` });
            assert.equal(made.length, rows.length);
            for (const [i, { words, scores: own, explained, prediction }] of made.entries()) {
              const { input_ids: ids = [], attention_mask: mask = [] } = rows[i] ?? {};
              const attended = ids.flatMap((_, t) => (mask[t] === 1 ? [t] : []));
              assert.deepEqual(words, attended.map((t) => String(ids[t])));
              assertScores(own, attended.map((t) => scores[i]?.[t] ?? NaN), `${adapter}, ${toward}, record ${String(i)}`);
              assert.equal(explained === null, task === "text-generation");
              assert.equal(prediction === null, task === "text-generation");
            }
          }
        }
      });
    }
  }

  for (const model of ["original", "tuned"] as const) {
    it(`of words are the sums of their tokens', in the text's own spelling: the ${model} model`, async () => {
      const adapter = openAdapter("fixtures/peft-hira-demo") ?? assert.fail("an adapter");
      // Of the same head and an update of nothing.
      const { contents } = adapter;
      const tensors = new Map([...contents.tensors].map(([module, own]) => [module, new Map([...own].map(([name, t]) => [name, name === "hira_B" ? { ...t, data: t.data.map(() => 0) } : t]))]));
      const made = new Map<Toward, Attribution[]>();
      for (const toward of ["prediction", "label"] as const) {
        made.set(toward, await attributionsOf(DEMO_FILE, {
          records: jsonl(DEMO.map(({ text, label }) => ({ text, label }))), maxSeqLength: 24, toward, names: ["bad", "good"], prepare: { head: "mean" }, adapter: model === "tuned" ? adapter : { ...adapter, contents: { ...contents, tensors } },
        }));
      }
      for (const [toward, rows] of made) {
        for (const [i, row] of rows.entries()) {
          const record = DEMO[i] ?? assert.fail("more rows than records");
          const told = record[model][toward];
          const what = `${toward}, ${JSON.stringify(record.text)}`;
          assert.equal(row.text, record.text);
          assert.deepEqual(row.words, record.words, what);
          assert.deepEqual(row.starts.map((start, w) => row.text.slice(start, start + (row.words[w] ?? "").length)), row.words, what);
          assertScores([...row.scores, row.rest], [...told.scores, told.rest], what);
          const best = told.logits.indexOf(Math.max(...told.logits));
          const [predicted, label] = [["bad", "good"][best], ["bad", "good"][record.label]];
          assert.deepEqual([row.prediction, row.label, row.explained], [predicted, label, toward === "label" ? label : predicted], what);
          assert.ok(Math.abs((row.logit ?? NaN) - (told.logits[toward === "label" ? record.label : best] ?? NaN)) <= 1e-4, what);
        }
      }
    });
  }
});
