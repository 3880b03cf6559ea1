import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, it } from "mocha";
import { DataType } from "../../../src/ir/data-type.ts";
import { toExamples, type Examples } from "../../../src/runtime/data/examples.ts";
import type { DataFile } from "../../../src/runtime/data/records.ts";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";
import { loadTokenizer, type TextTokenizer } from "../../../src/runtime/data/tokenizer.ts";
import { taskNamed } from "../../../src/runtime/tasks/registry.ts";

/** What fixtures/tokenizer/kinds/make_chats.py wrote, by transformers and as TRL does. */
interface Chats {
  readonly conversations: readonly (readonly { role: string; content: string }[])[];
  readonly templates: Readonly<Record<string, string>>;
  readonly rows: readonly { template: string; conversation: number; ids: number[]; mask: string }[];
  readonly pairs: readonly { prompt: string; completion: string; ids: number[]; start: number }[];
}

const read = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/tokenizer/kinds/${name}`, import.meta.url));
const chats = JSON.parse(read("chats.json").toString("utf8")) as Chats;
const tokenizerJson = JSON.parse(gunzipSync(read("gpt2.json.gz")).toString("utf8")) as unknown;
const added = { added_tokens_decoder: { 50257: { content: "<|im_start|>" }, 50258: { content: "<|im_end|>" } }, bos_token: "<|endoftext|>", eos_token: "<|endoftext|>" };
const tokenizers = new Map([["none", loadTokenizer({ tokenizerJson, tokenizerConfig: added })], ...Object.entries(chats.templates).map(([name, chat_template]) => [name, loadTokenizer({ tokenizerJson, tokenizerConfig: { ...added, chat_template } })] as const)]);
const named = (name: string): TextTokenizer => tokenizers.get(name) ?? assert.fail(name);

function examples(records: readonly unknown[], tokenizer: TextTokenizer, { maskPrompt = true, maxLength = 10_000, texts }: { maskPrompt?: boolean; maxLength?: number; texts?: readonly string[] | undefined } = {}): Examples {
  const data: DataFile = { ...parseRecords("a.jsonl", new TextEncoder().encode(records.map((record) => JSON.stringify(record)).join("\n"))), ...(texts === undefined ? {} : { texts }) };
  return toExamples(data, { task: taskNamed({ task: "text-generation" }).data, inputs: ["input_ids", "attention_mask"].map((name) => ({ name, dtype: DataType.INT64, shape: ["batch", "sequence"] })), tokenizer, maxLength, labels: "required", maskPrompt });
}

const idsOf = (from: Examples, i = 0): unknown => from.examples[i]?.fields.get("input_ids")?.values;
const maskOf = (from: Examples, i = 0): string | undefined => from.examples[i]?.labels?.values.map((label) => (label === -100 ? "0" : "1")).join("");

describe("conversations", () => {
  for (const name of Object.keys(chats.templates)) {
    it(`have the ids and the assistant's tokens of transformers: ${name}`, () => {
      const rows = chats.rows.filter(({ template }) => template === name);
      assert.equal(rows.length, 14);
      for (const { conversation, ids, mask } of rows) {
        // One with nothing to learn goes with another, or the file would be refused.
        const made = examples([{ messages: chats.conversations[conversation] }, { messages: chats.conversations[1] }], named(name));
        assert.deepEqual(idsOf(made), ids, JSON.stringify(chats.conversations[conversation]));
        assert.equal(maskOf(made), mask, JSON.stringify(chats.conversations[conversation]));
      }
    });
  }

  it("are learnt whole without --mask-prompt, cut at their end, and told where nothing is left to learn", () => {
    const messages = chats.conversations[1];
    assert.match(maskOf(examples([{ messages }], named("chatml"), { maskPrompt: false })) ?? "", /^1+$/);
    const whole = examples([{ messages }], named("chatml"));
    const cut = examples([{ messages }, { messages: [{ role: "user", content: "a" }, { role: "assistant", content: "b" }] }], named("chatml"), { maxLength: 12 });
    assert.deepEqual(idsOf(cut), (idsOf(whole) as number[]).slice(0, 12));
    assert.deepEqual([cut.report.ignored, cut.report.cut.count], [[1], 2]);
  });

  it("are refused, by line, where they are none, the template doesn't take them, or there is no template", () => {
    const refused = (record: unknown, code: string, message: RegExp, tokenizer = "inst"): void => {
      assert.throws(() => examples([{ messages: chats.conversations[1] }, record], named(tokenizer)), { name: "HutError", code, message });
    };
    refused({ messages: [{ role: "assistant", content: "a" }] }, "CHAT_REFUSED", /^"a\.jsonl", line 2: .*roles must alternate/);
    refused({ messages: "hello" }, "DATA_MESSAGES_WRONG", /^"a\.jsonl", line 2: "messages" is no conversation: it is no list/);
    refused({ messages: [] }, "DATA_MESSAGES_WRONG", /it is empty/);
    refused({ messages: [{ role: "user", content: "a" }, { content: "b" }] }, "DATA_MESSAGES_WRONG", /its turn 2 has no role/);
    refused({ messages: [{ role: "user" }] }, "DATA_MESSAGES_WRONG", /its turn 1 has no content/);
    refused({}, "DATA_MESSAGES_WRONG", /it is no list/);
    refused({ messages: chats.conversations[1] }, "CHAT_TEMPLATE_MISSING", /"messages" holds conversations, and the tokenizer has no chat template/, "none");
    assert.throws(() => loadTokenizer({ tokenizerJson, tokenizerConfig: { chat_template: "{% for" } }).chat?.(), { code: "CHAT_TEMPLATE_BROKEN" });
  });

  it("are refused where the template writes earlier turns anew, unless it marks what the assistant says", () => {
    const last = "{% for m in messages %}{{ m.role }}: {% if loop.last %}(last) {% endif %}{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}";
    const tokenizer = loadTokenizer({ tokenizerJson, tokenizerConfig: { ...added, chat_template: last } });
    assert.throws(() => examples([{ messages: chats.conversations[1] }], tokenizer), { code: "CHAT_NOT_STEPWISE", message: /line 1: .*generation/ });
    assert.equal(examples([{ messages: chats.conversations[1] }], tokenizer, { maskPrompt: false }).examples.length, 1);
  });

  it("are refused where a template asks for too much, and range() counts as it should", () => {
    const by = (chat_template: string): string => { const { chat } = loadTokenizer({ tokenizerJson, tokenizerConfig: { chat_template } }); return chat?.()([{ role: "user", content: "a" }]).text ?? ""; };
    assert.equal(by("{% for i in range(3) %}{{ i }}{% endfor %} {% for i in range(1, 8, 3) %}{{ i }}{% endfor %} {% for i in range(3, 0, -1) %}{{ i }}{% endfor %}{{ messages | length }}"), "012 147 3211");
    assert.throws(() => by("{% for i in range(1000000000) %}{{ i }}{% endfor %}"), /more than 100000 numbers/);
  });

  it("are found in chat_template.jinja, or under the name default", () => {
    const [first] = chats.rows;
    const messages = chats.conversations[first?.conversation ?? 0];
    const chat_template = [{ name: "tool_use", template: "no" }, { name: "default", template: chats.templates["chatml"] }];
    for (const tokenizer of [loadTokenizer({ tokenizerJson, tokenizerConfig: { ...added, chat_template } }), loadTokenizer({ tokenizerJson, tokenizerConfig: added, chatTemplate: chats.templates["chatml"] })]) assert.deepEqual(idsOf(examples([{ messages }], tokenizer)), first?.ids);
  });
});

describe("prompt and completion", () => {
  it("have TRL's ids, ended, and only the completion to learn", () => {
    for (const { prompt, completion, ids, start } of chats.pairs) {
      for (const [record, texts] of [[{ prompt, completion }, undefined], [{ mr: prompt, ref: completion }, ["mr", "ref"]]] as const) {
        const made = examples([record], named("none"), { texts });
        assert.deepEqual(idsOf(made), ids);
        assert.equal(maskOf(made), "0".repeat(start) + "1".repeat(ids.length - start));
      }
    }
  });

  it("learn a token that prompt and completion share, and are taken as conversations where they are such", () => {
    const made = examples([{ prompt: "an eleph", completion: "ant" }], named("none"));
    assert.equal(maskOf(made)?.at(0), "0");
    assert.equal((maskOf(made) ?? "").replace(/^0+/, "").length, (idsOf(made) as number[]).length - (maskOf(made) ?? "").lastIndexOf("0") - 1);
    const row = chats.rows.find(({ template, conversation }) => template === "chatml" && conversation === 1);
    const turns = chats.conversations[1] ?? [];
    const asChat = examples([{ prompt: turns.slice(0, -1), completion: turns.slice(-1) }], named("chatml"));
    assert.deepEqual(idsOf(asChat), row?.ids);
    const start = row?.mask.lastIndexOf("01") ?? 0;
    assert.equal(maskOf(asChat), "0".repeat(start + 1) + "1".repeat((row?.ids.length ?? 0) - start - 1));
  });

  it("are made of Alpaca's columns", () => {
    const decoded = (record: object): string => named("none").encode([""], 99).ids.length === 0 ? JSON.stringify(idsOf(examples([record], named("none")))) : "";
    const prompt = "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n";
    assert.equal(decoded({ instruction: "Add.", input: "1 2", output: "3" }), decoded({ prompt, completion: "3" }));
    assert.equal(decoded({ instruction: "Say hi.", input: "", output: "hi" }), decoded({ prompt: "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nSay hi.\n\n### Response:\n", completion: "hi" }));
  });

  it("--mask-prompt is refused where records don't tell a prompt", () => {
    assert.throws(() => examples([{ text: "a b" }], named("none")), { code: "NOTHING_TO_MASK", message: /needs messages or prompt \+ completion or instruction \+ output/ });
  });
});
