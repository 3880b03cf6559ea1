/** Composites against ONNX Runtime's kernels: the same numbers, opened or not. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { DEFINITIONS } from "../../src/ops/registry.ts";
import "./blocked-products.test.ts";
import { integers, opencheck, openedOperators } from "./opencheck.ts";

/** Angles of places 0 to 15, for heads of `size` numbers of which r = 2·half are turned: [16, half]. */
function angles(half: number, wave: (angle: number) => number): Tensor {
  return Tensor.floats([16, half], Array.from({ length: 16 * half }, (_, i) => wave(Math.floor(i / half) / 10 ** ((i % half) / half))));
}
const caches = (half: number): { cos_cache: Tensor; sin_cache: Tensor } => ({ cos_cache: angles(half, Math.cos), sin_cache: angles(half, Math.sin) });
const int32 = (dims: readonly number[], values: readonly number[]): Tensor => integers(dims, values, DataType.INT32);

describe("composites give the numbers of ONNX Runtime's kernels", () => {
  describe("activations", () => {
    opencheck("Gelu", { X: [2, 5] });
    opencheck("BiasGelu", { A: [2, 3, 4], B: [4] });
    opencheck("FastGelu", { X: [2, 3, 4], bias: [4] }, { tolerance: 1e-5 });
    opencheck("FastGelu", { X: [2, 3, 4] }, { tolerance: 1e-5 });
    opencheck("QuickGelu", { X: [2, 5] }, { attributes: { alpha: { float: 1.5 } } });
  });

  describe("products", () => {
    opencheck("FusedMatMul", { A: [2, 3, 4], B: [4, 5] });
    opencheck("FusedMatMul", { A: [2, 4, 3], B: [2, 5, 4] }, { attributes: { transA: 1, transB: 1, alpha: { float: 0.5 } } });
    opencheck("FusedMatMul", { A: [3, 2, 4], B: [4, 2, 5] }, { attributes: { transBatchA: 1, transBatchB: 1 } });
    opencheck("TransposeMatMul", { A: [4, 3], B: [4, 5] }, { attributes: { transA: 1 } });
    opencheck("FusedGemm", { A: [3, 4], B: [5, 4], C: [5] }, { attributes: { transB: 1, activation: "LeakyRelu", activation_alpha: { float: 0.2 } } });
    opencheck("FusedGemm", { A: [3, 4], B: [4, 5] }, { attributes: { activation: "Tanh", alpha: { float: 2 } } });
  });

  describe("normalizations", () => {
    opencheck("SkipLayerNormalization", { input: [2, 3, 8], skip: [2, 3, 8], gamma: [8], beta: [8], bias: [8] }, { outputs: [0, 3] });
    opencheck("SkipLayerNormalization", { input: [2, 3, 8], skip: [2, 3, 8], gamma: [8] }, { attributes: { epsilon: { float: 0.01 } } });
    opencheck("SkipSimplifiedLayerNormalization", { input: [2, 3, 8], skip: [2, 3, 8], gamma: [8] }, { outputs: [0, 3] });
    opencheck("SkipSimplifiedLayerNormalization", { input: [2, 3, 8], skip: [2, 3, 8], gamma: [8], bias: [8] });
    opencheck("SimplifiedLayerNormalization", { X: [2, 3, 8], scale: [8] }, { domain: "", attributes: { axis: -1, epsilon: { float: 1e-6 } } });
    const tables = ["word_embedding", "position_embedding", "segment_embedding", "gamma", "beta"];
    opencheck("EmbedLayerNormalization", { input_ids: int32([2, 3], [1, 0, 4, 2, 2, 3]), segment_ids: int32([2, 3], [0, 1, 1, 0, 0, 1]), word_embedding: [5, 8], position_embedding: [6, 8],
      segment_embedding: [2, 8], gamma: [8], beta: [8], mask: int32([2, 3], [1, 1, 0, 1, 1, 1]) }, { outputs: [0, 1, 2], constant: tables });
    opencheck("EmbedLayerNormalization", { input_ids: int32([2, 3], [1, 0, 4, 2, 2, 3]), word_embedding: [5, 8], position_embedding: [6, 8], gamma: [8], beta: [8],
      position_ids: int32([2, 3], [2, 3, 4, 0, 1, 2]) }, { outputs: [0, 1], constant: tables });
  });

  describe("attention with its projection", () => {
    const weights = { weights: [8, 24], bias: [24] } as const;
    const constant = ["weights"];
    opencheck("Attention", { input: [2, 5, 8], ...weights }, { attributes: { num_heads: 2 }, constant });
    opencheck("Attention", { input: [2, 5, 8], ...weights, mask_index: int32([2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]) }, { attributes: { num_heads: 2 }, constant });
    opencheck("Attention", { input: [2, 5, 8], ...weights, mask_index: int32([2], [3, 5]) }, { attributes: { num_heads: 2 }, constant });
    opencheck("Attention", { input: [2, 5, 8], ...weights, mask_index: int32([4], [3, 5, 0, 2]) }, { attributes: { num_heads: 2, mask_filter_value: { float: -100 } }, constant, refuses: ["named"] });
    opencheck("Attention", { input: [2, 5, 8], ...weights, mask_index: int32([2, 5, 5], Array.from({ length: 50 }, (_, i) => Number(i % 3 !== 0))) }, { attributes: { num_heads: 2 }, constant });
    opencheck("Attention", { input: [2, 5, 8], ...weights, mask_index: int32([2, 5], [1, 1, 1, 0, 0, 1, 1, 1, 1, 1]), attention_bias: [2, 2, 5, 5] },
      { attributes: { num_heads: 2, unidirectional: 1, scale: { float: 0.7 } }, constant });
    opencheck("Attention", { input: [2, 3, 8], ...weights, past: [2, 2, 2, 4, 4] }, { attributes: { num_heads: 2, unidirectional: 1 }, constant, outputs: [0, 1] });
    opencheck("Attention", { input: [2, 3, 8], weights: [8, 20], bias: [20] }, { attributes: { num_heads: 2, qkv_hidden_sizes: [8, 8, 4] }, constant });
  });

  describe("attention of many heads", () => {
    const qkv = { query: [2, 5, 8], key: [2, 6, 8], value: [2, 6, 12] } as const;
    const attributes = { num_heads: 2 };
    opencheck("MultiHeadAttention", qkv, { attributes, constant: [] });
    opencheck("MultiHeadAttention", { query: [2, 5, 8], key: [2, 5, 8], value: [2, 5, 8], bias: [24] }, { attributes, refuses: ["named"] });
    opencheck("MultiHeadAttention", { ...qkv, key_padding_mask: int32([2, 6], [1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]) }, { attributes });
    opencheck("MultiHeadAttention", { ...qkv, key_padding_mask: int32([2], [3, 6]) }, { attributes });
    opencheck("MultiHeadAttention", { ...qkv, attention_bias: [1, 2, 5, 6] }, { attributes });
    opencheck("MultiHeadAttention", { query: [2, 5, 8], key: [2, 5, 8], value: [2, 5, 8], past_key: [2, 2, 3, 4], past_value: [2, 2, 3, 4] },
      { attributes: { num_heads: 2, unidirectional: 1 }, outputs: [0, 1, 2] });
    opencheck("MultiHeadAttention", { query: [2, 5, 8], key: [2, 2, 6, 4], value: [2, 2, 6, 4] }, { attributes });
  });

  describe("attention of grouped heads", () => {
    const attributes = { num_heads: 4, kv_num_heads: 2 };
    const common = { seqlens_k: int32([2], [4, 4]), total_sequence_length: int32([], [5]) };
    const apart = { query: [2, 5, 32], key: [2, 5, 16], value: [2, 5, 16] } as const;
    const wide = { query: [2, 5, 64], key: [2, 5, 32], value: [2, 5, 32] } as const;
    opencheck("GroupQueryAttention", { ...apart, ...common }, { attributes, outputs: [0, 1, 2] });
    opencheck("GroupQueryAttention", { ...wide, ...common, ...caches(8) }, { attributes: { ...attributes, do_rotary: 1 }, outputs: [0, 1, 2], constant: ["cos_cache", "sin_cache"] });
    opencheck("GroupQueryAttention", { ...wide, ...common, ...caches(8), position_ids: integers([2, 5], [0, 1, 2, 3, 4, 2, 3, 4, 5, 6]) },
      { attributes: { ...attributes, do_rotary: 1, rotary_interleaved: 1 }, outputs: [0, 1, 2], constant: ["cos_cache", "sin_cache"] });
    opencheck("GroupQueryAttention", { query: [2, 5, 64], ...common }, { attributes: { ...attributes, local_window_size: 2, softcap: { float: 5 } }, outputs: [0, 1, 2], refuses: ["named"] });
    opencheck("GroupQueryAttention", { ...apart, ...common, attention_bias: [2, 1, 5, 5] }, { attributes: { ...attributes, scale: { float: 0.3 } }, outputs: [0, 1, 2] });
    opencheck("GroupQueryAttention", { ...apart, past_key: [2, 2, 0, 8], past_value: [2, 2, 0, 8], ...common }, { attributes, outputs: [0, 1, 2] });
  });

  describe("rotary embedding", () => {
    const constant = ["cos_cache", "sin_cache"];
    opencheck("RotaryEmbedding", { input: [2, 3, 16], position_ids: integers([2, 3], [0, 1, 2, 4, 5, 6]), ...caches(4) }, { constant, refuses: ["named"] });
    opencheck("RotaryEmbedding", { input: [2, 2, 3, 8], position_ids: integers([1], [2]), ...caches(4) }, { constant, attributes: { interleaved: 1 } });
    opencheck("RotaryEmbedding", { input: [2, 3, 16], position_ids: integers([1], [1]), ...caches(2) }, { constant, attributes: { num_heads: 2, rotary_embedding_dim: 4 } });
  });

  describe("ONNX's own", () => {
    const own = { domain: "", opsets: [23] };
    opencheck("Attention", { Q: [2, 2, 5, 4], K: [2, 2, 6, 4], V: [2, 2, 6, 3] }, own);
    opencheck("Attention", { Q: [2, 4, 5, 4], K: [2, 2, 5, 4], V: [2, 2, 5, 4] }, { ...own, attributes: { is_causal: 1, scale: { float: 0.4 } }, refuses: ["named"] });
    opencheck("Attention", { Q: [2, 5, 16], K: [2, 6, 8], V: [2, 6, 8], attn_mask: Tensor.bools([5, 6], Array.from({ length: 30 }, (_, i) => i % 4 !== 1)) },
      { ...own, attributes: { q_num_heads: 4, kv_num_heads: 2 } });
    opencheck("Attention", { Q: [2, 5, 16], K: [2, 5, 16], V: [2, 5, 16], attn_mask: [2, 1, 5, 8], past_key: [2, 2, 3, 8], past_value: [2, 2, 3, 8] },
      { ...own, attributes: { q_num_heads: 2, kv_num_heads: 2, is_causal: 1, softcap: { float: 2 } }, outputs: [0, 1, 2] });
    for (const mode of [0, 1, 2, 3]) {
      opencheck("Attention", { Q: [1, 2, 3, 4], K: [1, 2, 3, 4], V: [1, 2, 3, 4], attn_mask: [3, 3] }, { ...own, attributes: { qk_matmul_output_mode: mode, softcap: { float: 2 } }, outputs: [0, 3] });
    }
    opencheck("RotaryEmbedding", { X: [2, 3, 16], ...caches(4), position_ids: integers([2, 3], [0, 1, 2, 4, 5, 6]) }, { ...own, attributes: { num_heads: 2 }, constant: ["cos_cache", "sin_cache"] });
    opencheck("RotaryEmbedding", { X: [2, 2, 3, 8], cos_cache: [2, 3, 2], sin_cache: [2, 3, 2] }, { ...own, attributes: { interleaved: 1, rotary_embedding_dim: 4 } });
  });

  it("are all here", () => {
    const composites = DEFINITIONS.filter((d) => d.gradient === "opened").map((d) => `${d.domain}:${d.name}`);
    assert.deepEqual(composites.filter((name) => !openedOperators.has(name)), []);
  });
});
