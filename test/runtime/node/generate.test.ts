import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate, HutError, type GenerateOptions } from "../../../src/index.ts";

const VOCABULARY = 400;

describe("generate", function () {
  this.timeout(60_000);
  let folder = "";
  const at = (...names: string[]): string => join(folder, ...names);
  const records = (file: string): Record<string, unknown>[] => readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line) as Record<string, unknown>);
  const wrong = async (options: GenerateOptions, expected: { code: string; message: RegExp; exitCode?: number }): Promise<void> => {
    await assert.rejects(generate(at("model.onnx"), { threads: 1, ...options }), (error) => error instanceof HutError && error.code === expected.code && expected.message.test(error.message) && error.exitCode === (expected.exitCode ?? 1));
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-generate-"));
    copyFileSync("fixtures/cases/gpt2/model.ts.onnx", at("model.onnx"));
    // Words w0 to w399, bound by blanks; w2 ends a text.
    const vocab = Object.fromEntries(Array.from({ length: VOCABULARY }, (_, i) => [`w${String(i)}`, i]));
    writeFileSync(at("tokenizer.json"), JSON.stringify({ model: { type: "WordLevel", vocab, unk_token: "w0" }, pre_tokenizer: { type: "WhitespaceSplit" }, decoder: null,
      added_tokens: [{ id: 2, content: "w2", special: true, normalized: false, lstrip: false, rstrip: false, single_word: false }] }));
    writeFileSync(at("tokenizer_config.json"), JSON.stringify({ eos_token: "w2", unk_token: "w0" }));
    writeFileSync(at("prompts.jsonl"), [
      { prompt: "w5 w9 w13", completion: "w1 w3" }, { prompt: "w7 w8", completion: "w4" }, { prompt: "w5 w9 w13", completion: "w6" },
    ].map((record) => JSON.stringify(record)).join("\n"));
  });
  after(() => { rmSync(folder, { recursive: true }); });

  it("continues a prompt, piece by piece", async () => {
    const pieces: string[] = [];
    const result = await generate(at("model.onnx"), { prompt: "w5 w9 w13", maxNewTokens: 6, threads: 1, onText: (piece) => { pieces.push(piece); } });
    assert.match(result.text ?? "", /^w\d+( w\d+){5}$/);
    assert.equal(pieces.join(""), result.text);
    assert.deepEqual([pieces.length, result.tokens, result.output, result.cached], [6, 6, null, false]);
  });

  it("continues each prompt of a file once, with all its answers, and as alone", async () => {
    const result = await generate(at("model.onnx"), { data: at("prompts.jsonl"), output: at("out.jsonl"), maxNewTokens: 5, threads: 1 });
    const found = records(at("out.jsonl"));
    assert.deepEqual(found.map(({ prompt, references }) => [prompt, references]), [["w5 w9 w13", ["w1 w3", "w6"]], ["w7 w8", ["w4"]]]);
    assert.deepEqual([result.examples, result.tokens], [2, 10]);
    for (const { prompt, completion } of found) assert.equal((await generate(at("model.onnx"), { prompt: String(prompt), maxNewTokens: 5, threads: 1 })).text, completion);
  });

  it("compares the texts with the answers that the file has, and those alone", async () => {
    const run = async (file: string, rows: readonly object[]): Promise<Readonly<Record<string, number>>> => {
      writeFileSync(at(file), rows.map((row) => JSON.stringify(row)).join("\n"));
      return (await generate(at("model.onnx"), { data: at(file), output: at(`${file}.out`), maxNewTokens: 5, threads: 1 })).metrics;
    };
    assert.deepEqual(await run("unanswered.jsonl", [{ prompt: "w5 w9 w13" }]), {});
    const said = (await generate(at("model.onnx"), { prompt: "w5 w9 w13", maxNewTokens: 5, threads: 1 })).text ?? "";
    const same = await run("same.jsonl", [{ prompt: "w5 w9 w13", completion: "w1" }, { prompt: "w5 w9 w13", completion: said }, { prompt: "w7 w8" }]);
    assert.deepEqual(Object.keys(same), ["bleu", "nist", "meteor", "rouge_l", "cider"]);
    assert.deepEqual([same["bleu"], same["meteor"], same["rouge_l"], same["cider"]], [1, 1, 1, 0]);
    const other = await run("other-answers.jsonl", [{ prompt: "w5 w9 w13", completion: "nothing of it" }]);
    assert.ok((other["bleu"] ?? 1) < 1e-3);
    assert.deepEqual([other["nist"], other["meteor"], other["rouge_l"]], [0, 0, 0]);
  });

  it("ends at what config.json or generation_config.json says, several ids too, and leaves that out of the text", async () => {
    const { text: whole } = await generate(at("model.onnx"), { prompt: "w5 w9 w13", maxNewTokens: 6, threads: 1 });
    const words = (whole ?? "").split(" ");
    const last = words.find((word, i) => i > 0 && !words.slice(0, i).includes(word)) ?? "";
    const expected = words.slice(0, words.indexOf(last)).join(" ");
    for (const file of ["config.json", "generation_config.json"]) {
      writeFileSync(at(file), JSON.stringify({ eos_token_id: [399, Number(last.slice(1))] }));
      assert.equal((await generate(at("model.onnx"), { prompt: "w5 w9 w13", maxNewTokens: 6, threads: 1 })).text, expected);
      rmSync(at(file));
    }
  });

  it("draws by its seed", async () => {
    const draw = async (seed: number): Promise<string | null> => (await generate(at("model.onnx"), { prompt: "w5 w9 w13", maxNewTokens: 8, temperature: 1, seed, threads: 1 })).text;
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    assert.equal(first, again);
    assert.notEqual(first, other);
  });

  it("takes token ids where there is no text, and a column by its name", async () => {
    writeFileSync(at("ids.jsonl"), JSON.stringify({ input_ids: [5, 9, 13] }));
    await generate(at("model.onnx"), { data: at("ids.jsonl"), output: at("ids-out.jsonl"), maxNewTokens: 3, threads: 1 });
    assert.equal((records(at("ids-out.jsonl"))[0]?.["completion_ids"] as number[]).length, 3);
    writeFileSync(at("named.csv"), "meaning,said\nw5 w9 w13,w1\n");
    await generate(at("model.onnx"), { data: at("named.csv"), output: at("named-out.jsonl"), textColumn: ["meaning", "said"], maxNewTokens: 3, threads: 1 });
    assert.deepEqual([records(at("named-out.jsonl"))[0]?.["prompt"], records(at("named-out.jsonl"))[0]?.["references"]], ["w5 w9 w13", ["w1"]]);
  });

  it("says what is wrong", async () => {
    await wrong({}, { code: "PROMPT_NEEDED", message: /--prompt TEXT, or --data FILE/, exitCode: 2 });
    await wrong({ prompt: "w1", data: at("prompts.jsonl") }, { code: "PROMPT_AND_DATA", message: /Leave one/, exitCode: 2 });
    await wrong({ data: at("prompts.jsonl") }, { code: "OUTPUT_NEEDED", message: /-o FILE/, exitCode: 2 });
    await wrong({ prompt: "w1", numBeams: 2, topK: 5 }, { code: "BEAMS_SAMPLE", message: /--num-beams/, exitCode: 2 });
    await wrong({ prompt: "  " }, { code: "PROMPT_EMPTY", message: /no tokens to begin with/ });
    await wrong({ prompt: Array.from({ length: 70 }, () => "w5").join(" ") }, { code: "PROMPT_TOO_LONG", message: /70 tokens, and the model takes 64/ });
    writeFileSync(at("beyond.jsonl"), JSON.stringify({ input_ids: [5, 400] }));
    await wrong({ data: at("beyond.jsonl"), output: at("none.jsonl") }, { code: "PROMPT_BEYOND_VOCABULARY", message: /Line 1 of .* the token id 400, and the model's embedding has 400 rows/ });
    writeFileSync(at("other.jsonl"), JSON.stringify({ question: "w5" }));
    await wrong({ data: at("other.jsonl"), output: at("none.jsonl") }, { code: "PROMPT_COLUMN_MISSING", message: /"question".*--text-column/ });
    await assert.rejects(generate("fixtures/cases/bert/model.ts.onnx", { prompt: "w1" }), { code: "NO_NEXT_TOKEN" });
    assert.ok(!existsSync(at("none.jsonl")));
  });
});
