/** The smallest model that has everything: embedding, attention, a block of two layers, a head. Seeds are made of it. */
import { DataType } from "../../src/ir/data-type.ts";
import { symbol } from "../../src/ir/dim.ts";
import type { Model } from "../../src/ir/model.ts";
import { serialized } from "../../src/runtime/serialized.ts";
import { workbench } from "../passes/workbench.ts";

/** Rows of the embedding, which is the tokenizer's vocabulary too. */
export const VOCABULARY = 12;
const [BATCH, SEQUENCE, D] = [symbol("batch"), symbol("sequence"), 4];

/** A classifier of two classes with one layer of attention. */
export function smallModel(): Model {
  const { model, op, input, weight, output } = workbench();
  const ids = input("input_ids", [BATCH, SEQUENCE], DataType.INT64);
  const mask = input("attention_mask", [BATCH, SEQUENCE], DataType.INT64);
  const x = op.Gather(weight("bert.embeddings.word_embeddings.weight", [VOCABULARY, D]), ids);
  const linear = (name: string, from: typeof x, k = D, n = D): typeof x => op.Add(op.MatMul(from, weight(`bert.layer.0.${name}.weight`, [k, n])), weight(`bert.layer.0.${name}.bias`, [n]));
  const scores = op.Mul(op.MatMul(linear("attention.query", x), op.Transpose(linear("attention.key", x), { perm: [0, 2, 1] })), op.scalar(0.5));
  const bias = op.Mul(op.Sub(op.scalar(1), op.Cast(op.Unsqueeze(mask, [1]), { to: DataType.FLOAT })), op.scalar(-10_000));
  const attended = op.Add(x, linear("attention.output", op.MatMul(op.Softmax(op.Add(scores, bias)), linear("attention.value", x))));
  const [normed] = op.LayerNormalization(attended, weight("bert.layer.0.norm.weight", [D]), weight("bert.layer.0.norm.bias", [D]));
  const made = linear("output", op.Relu(linear("intermediate", normed ?? attended, D, 6)), 6, D);
  output(op.Gemm(op.ReduceMean(made, [1], { keepdims: 0 }), weight("classifier.weight", [2, D]), weight("classifier.bias", [2]), { transB: 1 }), "logits");
  return model;
}

/** Its file. */
export function smallModelBytes(): Uint8Array {
  return serialized(smallModel());
}

/** A tokenizer of its vocabulary. */
export const TOKENIZER = {
  version: "1.0", truncation: null, padding: null,
  added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map((content, id) => ({ id, content, special: true, single_word: false, lstrip: false, rstrip: false, normalized: false })),
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }],
    pair: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }, { SpecialToken: { id: "[SEP]", type_id: 1 } }],
    special_tokens: { "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] }, "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] } },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100,
    vocab: Object.fromEntries(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word", "long", "##s", "a", "good", "bad", "."].map((word, id) => [word, id])),
  },
};

/** tokenizer_config.json beside it. */
export const TOKENIZER_CONFIG = { tokenizer_class: "BertTokenizer", do_lower_case: true, unk_token: "[UNK]", sep_token: "[SEP]", pad_token: "[PAD]", cls_token: "[CLS]", mask_token: { content: "[MASK]" }, model_max_length: 16 };
