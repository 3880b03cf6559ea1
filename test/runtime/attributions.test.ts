import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { HutError, type TaskName } from "../../src/index.ts";
import { attributions, type Attribution, type AttributionOptions } from "../../src/runtime/attributions.ts";
import { examplesOf } from "../../src/runtime/examples-of.ts";
import { parseRecords } from "../../src/runtime/data/parse-records.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { openTokenizer } from "../../src/runtime/node/open-tokenizer.ts";
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

  for (const [family, expected] of Object.entries(read("families") as Record<string, number[][]>)) {
    it(`begin behind a normalization of the embedding alone: ${family}`, async () => {
      const records = { name: "batch.jsonl", text: readFileSync(`fixtures/families/${family}/batch.jsonl`, "utf8") };
      const masks = records.text.trim().split("\n").map((line) => (JSON.parse(line) as { attention_mask: number[] }).attention_mask);
      for (const form of ["ts", "dynamo"]) {
        const made = await attributionsOf(`fixtures/families/${family}/model.${form}.onnx`, { task: family === "bloom" ? "text-generation" : "text-classification", records, tokenizer: false });
        for (const [i, { scores }] of made.entries()) assertScores(scores, (expected[i] ?? []).filter((_, t) => masks[i]?.[t] === 1), `${form}, record ${String(i)}`);
      }
    });
  }

  for (const model of ["original", "tuned"] as const) {
    it(`of words are the sums of their tokens', in the text's own spelling: the ${model} model`, async () => {
      const adapter = openAdapter("fixtures/peft-hira-demo") ?? assert.fail("an adapter");
      // Of the same head and an update of nothing.
      const { contents } = adapter;
      const modules = new Map([...contents.modules].map(([module, own]) => [module, new Map([...own].map(([name, t]) => [name, name === "hira_B" ? { ...t, data: t.data.map(() => 0) } : t]))]));
      const made = new Map<Toward, Attribution[]>();
      for (const toward of ["prediction", "label"] as const) {
        made.set(toward, await attributionsOf(DEMO_FILE, {
          records: jsonl(DEMO.map(({ text, label }) => ({ text, label }))), maxSeqLength: 24, toward, names: ["bad", "good"], prepare: { head: "mean" }, adapter: model === "tuned" ? adapter : { ...adapter, contents: { ...contents, modules } },
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

  it("are the same in every form of a model: fused, in functions, stored in 16 bits", async () => {
    const records = { name: "batch.jsonl", text: readFileSync("fixtures/fused/bert/batch.jsonl", "utf8") };
    const of = (form: string): Promise<Attribution[]> => attributionsOf(`fixtures/fused/bert/model.${form}.onnx`, { records, tokenizer: false, adapter: "fixtures/fused/bert/adapter" });
    const expected = await of("opset11");
    for (const form of ["attention", "mask2d", "mha", "norms-ts", "opset23", "float16-stored", "functions", "stripped"]) {
      for (const [i, { scores }] of (await of(form)).entries()) assertScores(scores, expected[i]?.scores ?? [], `${form}, record ${String(i)}`);
    }
  });

  it("of embeddings in 4 bits are nearly those of floats", async () => {
    const of = async (folder: string, form: string): Promise<Attribution[]> => attributionsOf(`fixtures/fused/${folder}/model.${form}.onnx`, { records: { name: "batch.jsonl", text: readFileSync("fixtures/fused/bert/batch.jsonl", "utf8") }, tokenizer: false });
    const [coarse, exact] = [await of("bert-int4-tables", "nbits"), await of("bert", "opset11")];
    for (const [i, { scores }] of coarse.entries()) {
      const expected = exact[i]?.scores ?? [];
      const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, t) => sum + v * (b[t] ?? NaN), 0);
      assert.ok(dot(scores, expected) > 0.9 * Math.sqrt(dot(scores, scores) * dot(expected, expected)), `record ${String(i)}: ${scores.join()} for ${expected.join()}`);
    }
  });

  it("tell the words of pairs apart, and leave out what was cut", async () => {
    const records = jsonl([{ sentence1: "A charming film.", sentence2: "It's dull, and long and slow and sad.", label: 0 }]);
    const [whole] = await attributionsOf(DEMO_FILE, { records, prepare: { head: "mean", numLabels: 2, seed: 5 } });
    assert.equal(whole?.text, "A charming film.\nIt's dull, and long and slow and sad.");
    assert.deepEqual(whole.words, ["A", "charming", "film", ".", "It's", "dull", ",", "and", "long", "and", "slow", "and", "sad", "."]);
    assert.deepEqual(whole.starts.map((start, i) => whole.text.startsWith(whole.words[i] ?? "", start)), whole.words.map(() => true));
    assert.equal(whole.label, "LABEL_0");
    const [cut] = await attributionsOf(DEMO_FILE, { records, maxSeqLength: 14, prepare: { head: "mean", numLabels: 2, seed: 5 } });
    assert.deepEqual(cut?.words, ["A", "charming", "film", ".", "It's", "dull", ",", "and", "long"]);
    const [again] = await attributionsOf(DEMO_FILE, { records, prepare: { head: "mean", numLabels: 2, seed: 5 } });
    assert.deepEqual(again, whole);
  });

  it("of records that came as tokens are told by what each decodes to", async () => {
    const record = JSON.parse(readFileSync("fixtures/peft-hira-demo/batch.jsonl", "utf8").split("\n")[0] ?? "") as { readonly label: number };
    const options = { adapter: "fixtures/peft-hira-demo", prepare: { head: "mean" } } as const;
    const [byTokens] = await attributionsOf(DEMO_FILE, { records: jsonl([record]), ...options });
    const [byText] = await attributionsOf(DEMO_FILE, { records: jsonl([{ text: "one long string of cliches", label: record.label }]), ...options });
    assert.ok(byTokens !== undefined && byText !== undefined);
    assert.equal(byTokens.text, "one long string of cl ##iche ##s");
    assert.deepEqual(byTokens.words, byTokens.text.split(" "));
    assert.deepEqual(byText.words, ["one", "long", "string", "of", "cliches"]);
    const last = byTokens.scores.slice(4).reduce((sum, score) => sum + score, 0);
    assertScores([...byTokens.scores.slice(0, 4), last, byTokens.rest], [...byText.scores, byText.rest], "tokens");
  });

  it("follow the score of a regression, and the highest of several labels", async () => {
    for (const [problem, label] of [["regression", 0.5], ["multi-label", ["LABEL_1"]]] as const) {
      using opened = openModel(DEMO_FILE);
      const task = taskNamed({ problem });
      const prepared = prepare(opened.load(), { saveHead: true, head: "mean", numLabels: problem === "regression" ? 1 : 3, seed: 2 });
      const tokenizer = openTokenizer(DEMO_FILE);
      const { name, text } = jsonl([{ text: "a charming film", label }, { text: "dull", label }]);
      const data = examplesOf(parseRecords(name, new TextEncoder().encode(text)), tokenizer, { task, graph: opened.loadInlined().graph, labels: "required", numLabels: problem === "regression" ? 1 : 3, id2label: problem === "regression" ? undefined : ["LABEL_0", "LABEL_1", "LABEL_2"], keepsTexts: true });
      const made = await attributions(prepared, { task, data, tokenizer, toward: "label", open: (model) => sessionOf(opened, model, {}, undefined) });
      for (const { explained, prediction, scores, words, label: own } of made) {
        assert.equal(explained, prediction);
        assert.equal(own, undefined);
        assert.equal(scores.length, words.length);
        assert.ok(scores.every((score) => Number.isFinite(score) && score !== 0));
      }
    }
  });

  it("refuse what has no words, or no class", async () => {
    const code = (wanted: string) => (error: unknown): boolean => error instanceof HutError && error.code === wanted;
    const image = { name: "batch.jsonl", text: readFileSync("fixtures/cases/vit/batch.jsonl", "utf8") };
    await assert.rejects(attributionsOf("fixtures/cases/vit/model.ts.onnx", { task: "image-classification", records: image, tokenizer: false }), code("NO_TOKEN_EMBEDDING"));
    await assert.rejects(attributionsOf(DEMO_FILE, { task: "feature-extraction", records: jsonl([{ anchor: "a film", positive: "a movie" }]) }), code("ATTRIBUTIONS_UNSUPPORTED"));
  });
});
