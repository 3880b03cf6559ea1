import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lastLogits } from "../../../src/passes/last-logits.ts";
import { openDecoder, type Decoder } from "../../../src/runtime/generation/decoder.ts";
import { generateRows, type GenerationSettings } from "../../../src/runtime/generation/generate-rows.ts";
import { likeliest } from "../../../src/runtime/generation/next-token.ts";
import { findLogits } from "../../../src/runtime/model-outputs.ts";
import { defaultRuntime } from "../../../src/runtime/node/default-runtime.ts";
import { openModel } from "../../../src/runtime/node/open-model.ts";
import { GraphSession } from "../../../src/runtime/session.ts";
import { inputSpecs } from "../../../src/runtime/task-inputs.ts";

interface Oracle {
  readonly prompts: number[][];
  readonly models: Record<string, {
    readonly eos: number;
    readonly runs: { readonly settings: { max_new_tokens: number; num_beams?: number; length_penalty?: number; no_repeat_ngram_size?: number }; readonly added: number[][] }[];
    readonly logits: number[];
    readonly warps: { readonly settings: { temperature?: number; top_k?: number; top_p?: number }; readonly tokens: number[]; readonly probabilities: number[] }[];
  }>;
}

const ORACLE = JSON.parse(readFileSync("fixtures/generation/prompts.json", "utf8")) as Oracle;
const GREEDY: GenerationSettings = { sample: false, temperature: 1, topK: 0, topP: 1, seed: 0, beams: 1, lengthPenalty: 1, noRepeatNgramSize: 0, maxNewTokens: 16, eosIds: [], longest: Infinity };

/** A decoder on a fixture; `whole` computes the logits of every position, as one does whose head is `inBranch`. */
async function decoderOn(file: string, options: { readonly useCache?: boolean; readonly whole?: boolean; readonly inBranch?: boolean } = {}): Promise<Decoder & AsyncDisposable> {
  const opened = openModel(join("fixtures", file));
  const model = opened.load();
  const logits = findLogits(model.graph);
  assert.ok(logits !== undefined);
  if (options.whole !== true) assert.equal(lastLogits(model, logits), options.inBranch !== true, "the head is a product of the last position");
  const session = await GraphSession.create(await defaultRuntime(), model, { name: file, folder: opened.folder, threads: 1, save: { reference: (range) => opened.locate(range) } });
  const decoder = openDecoder({ session, inputs: inputSpecs(model.graph), outputs: model.graph.outputs.map(({ name }) => name), logits: logits.name, useCache: options.useCache });
  return { hasCache: decoder.hasCache, begin: (rows) => decoder.begin(rows), next: (rows) => decoder.next(rows), async [Symbol.asyncDispose]() { await session[Symbol.asyncDispose](); opened[Symbol.dispose](); } };
}

describe("generation against transformers' generate", () => {
  for (const name of ["gpt2", "llama"]) {
    for (const exporter of ["ts", "dynamo"]) {
      for (const { settings, added } of ORACLE.models[name]?.runs ?? []) {
        it(`${name}, ${exporter} export: 100 prompts, ${JSON.stringify(settings)}`, async () => {
          await using decoder = await decoderOn(`cases/${name}/model.${exporter}.onnx`);
          const rows = await generateRows({ decoder, prompts: ORACLE.prompts, batchSize: 16, settings: {
            ...GREEDY, maxNewTokens: settings.max_new_tokens, beams: settings.num_beams ?? 1, lengthPenalty: settings.length_penalty ?? 1, noRepeatNgramSize: settings.no_repeat_ngram_size ?? 0,
            eosIds: [ORACLE.models[name]?.eos ?? -1],
          } });
          assert.deepEqual(rows, added);
        });
      }
    }

    it(`${name}: temperature, top-k and top-p leave what transformers leaves`, () => {
      const { logits = [], warps = [] } = ORACLE.models[name] ?? {};
      for (const { settings, tokens, probabilities } of warps) {
        const kept = likeliest(Float32Array.from(logits), { temperature: settings.temperature ?? 1, topK: settings.top_k ?? 0, topP: settings.top_p ?? 1 });
        const total = kept.reduce((sum, { weight }) => sum + weight, 0);
        assert.deepEqual(new Set(kept.slice(0, tokens.length).map(({ token }) => token)), new Set(tokens));
        for (const [i, { weight }] of kept.slice(0, tokens.length).entries()) assert.ok(Math.abs(weight / total - (probabilities[i] ?? NaN)) < 1e-5, `${JSON.stringify(settings)}, place ${String(i)}`);
      }
    });
  }
});

describe("a decoder's cache", () => {
  const prompts = [[5, 9, 13, 20], [7], [33, 44, 55, 66], [1, 2, 3, 4]];
  for (const file of ["gpt2/model.cache.onnx", "gpt2/model.past.onnx", "gpt2/model.merged.onnx", "llama/model.builder.onnx", "llama/model.builder-unpacked.onnx"]) {
    it(`gives the texts that are computed without it: ${file}`, async () => {
      for (const settings of [GREEDY, { ...GREEDY, beams: 4, lengthPenalty: 0.9, noRepeatNgramSize: 3 }, { ...GREEDY, sample: true, temperature: 1.5 }]) {
        const texts = [];
        for (const useCache of [true, false]) {
          await using decoder = await decoderOn(`fused/${file}`, { useCache, inBranch: file.includes("merged") });
          assert.equal(decoder.hasCache, useCache);
          texts.push(await generateRows({ decoder, prompts, batchSize: 3, settings: { ...settings, maxNewTokens: 10 } }));
        }
        assert.deepEqual(texts[0], texts[1]);
      }
    });
  }
});

describe("generateRows", () => {
  const prompts = ORACLE.prompts.slice(0, 12);

  it("gives a prompt the same text whichever others run with it, drawn or not", async () => {
    await using decoder = await decoderOn("cases/llama/model.ts.onnx");
    for (const settings of [{ ...GREEDY, maxNewTokens: 6 }, { ...GREEDY, maxNewTokens: 6, sample: true, topK: 20, seed: 3 }, { ...GREEDY, maxNewTokens: 6, beams: 3 }]) {
      assert.deepEqual(await generateRows({ decoder, prompts, batchSize: 8, settings }), await generateRows({ decoder, prompts, batchSize: 1, settings }));
    }
  });

  it("draws as the logits say, and by the seed", async () => {
    await using decoder = await decoderOn("cases/gpt2/model.ts.onnx");
    const settings = { ...GREEDY, sample: true, maxNewTokens: 1, topK: 3 };
    const many = Array.from({ length: 2000 }, () => [5, 6, 7]);
    const drawn = (await generateRows({ decoder, prompts: many, batchSize: 500, settings })).map(([token]) => token);
    const [logits = new Float32Array()] = await decoder.begin([[5, 6, 7]]);
    const kept = likeliest(logits, settings);
    const total = kept.reduce((sum, { weight }) => sum + weight, 0);
    for (const { token, weight } of kept) {
      const share = weight / total;
      const seen = drawn.filter((each) => each === token).length / many.length;
      assert.ok(Math.abs(seen - share) < 5 * Math.sqrt(share * (1 - share) / many.length), `token ${String(token)}: ${String(seen)} for ${String(share)}`);
    }
    assert.notDeepEqual(await generateRows({ decoder, prompts: many.slice(0, 50), batchSize: 50, settings: { ...settings, seed: 1 } }), drawn.slice(0, 50).map((token) => [token]));
  });

  it("ends where the model's positions end, and tells each token as it comes", async () => {
    await using decoder = await decoderOn("cases/gpt2/model.ts.onnx");
    const told: [number, number][] = [];
    const rows = await generateRows({ decoder, prompts: [[5, 6, 7], [8, 9]], batchSize: 8, settings: { ...GREEDY, longest: 6 }, onToken: (prompt, token) => { told.push([prompt, token]); } });
    assert.deepEqual(rows.map(({ length }) => length), [3, 4]);
    for (const [i, row] of rows.entries()) assert.deepEqual(told.filter(([prompt]) => prompt === i).map(([, token]) => token), row);
  });
});

describe("lastLogits", () => {
  it("changes no text, and leaves one position of logits", async () => {
    for (const file of ["cases/gpt2/model.ts.onnx", "cases/llama/model.dynamo.onnx"]) {
      const texts = [];
      for (const whole of [true, false]) {
        await using decoder = await decoderOn(file, { whole });
        texts.push(await generateRows({ decoder, prompts: ORACLE.prompts.slice(0, 8), batchSize: 8, settings: { ...GREEDY, maxNewTokens: 6 } }));
      }
      assert.deepEqual(texts[0], texts[1]);
    }
  });
});
