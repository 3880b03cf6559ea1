/** Text, through which no gradient flows. */
import { intsOf } from "../ir/attribute.ts";
import { DataType } from "../ir/data-type.ts";
import { broadcasting } from "./broadcast.ts";
import { defineOp } from "./define.ts";

/** Case changed and words left out: how many stay depends on the text. */
export const StringNormalizer = defineOp({
  name: "StringNormalizer", opsets: [10], inputs: ["X"], outputs: ["Y"], gradient: { X: "none" },
  shape: (c) => [{ dataType: DataType.STRING, shape: c.shape(0)?.map((d, i, all) => (i === all.length - 1 ? undefined : d)) }],
});

export const StringConcat = defineOp({
  name: "StringConcat", opsets: [20], inputs: ["X", "Y"], outputs: ["Z"], gradient: { X: "none", Y: "none" }, shape: broadcasting(),
});

/** Parts of each text along a new axis, and how many there are. */
export const StringSplit = defineOp({
  name: "StringSplit", opsets: [20], inputs: ["X"], outputs: ["Y", "Z"], gradient: { X: "none" },
  shape: (c) => {
    const shape = c.shape(0);
    return [{ dataType: DataType.STRING, shape: shape === undefined ? undefined : [...shape, undefined] }, { dataType: DataType.INT64, shape }];
  },
});

export const RegexFullMatch = defineOp({
  name: "RegexFullMatch", opsets: [20], inputs: ["X"], outputs: ["Y"], gradient: { X: "none" }, shape: (c) => [{ dataType: DataType.BOOL, shape: c.shape(0) }],
});

/** Weighted counts of n-grams: [.., d] → [.., features]. */
export const TfIdfVectorizer = defineOp({
  name: "TfIdfVectorizer", opsets: [9], inputs: ["X"], outputs: ["Y"], gradient: { X: "none" },
  shape: (c) => {
    const features = Math.max(-1, ...intsOf(c.node, "ngram_indexes") ?? []) + 1;
    return [{ dataType: DataType.FLOAT, shape: c.shape(0)?.map((d, i, all) => (i === all.length - 1 ? features : d)) }];
  },
});
