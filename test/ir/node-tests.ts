/** ONNX's own node tests, all of them (fixtures/onnx/make_node_tests.py): models, the shapes of their test data, and what onnx infers. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Element type, and number, symbol or nothing for each dimension; null where the rank is unknown. */
export type Answer = readonly [dataType: number, dims: readonly (number | string | null)[] | null];
/** Name → what onnx.shape_inference says. */
export type Answers = Readonly<Record<string, Answer>>;

export interface NodeTest {
  readonly name: string;
  readonly model: Uint8Array;
  /** The tensors of the test data; null for sequences and optionals. Small vectors come with their elements. */
  readonly inputs: Readonly<Record<string, readonly [dataType: number, dims: readonly number[], elements?: readonly number[]] | null>>;
  readonly outputs: Readonly<Record<string, readonly [dataType: number, dims: readonly number[]] | null>>;
  readonly inferred: Answers;
  /** What is inferred otherwise where the small vectors among the inputs are constants. */
  readonly inferredConstant: Answers;
}

const folder = new URL("../../fixtures/onnx/", import.meta.url);

/** The rows of a gzipped file of JSON lines in fixtures/onnx. */
export function readRows<T>(file: string): T[] {
  return gunzipSync(readFileSync(new URL(file, folder))).toString().trimEnd().split("\n").map((line) => JSON.parse(line) as T);
}

/** All node tests, sorted by name. */
export function readNodeTests(): NodeTest[] {
  const models = gunzipSync(readFileSync(new URL("node-tests.models.gz", folder)));
  let at = 0;
  return readRows<Omit<NodeTest, "model">>("node-tests.jsonl.gz").map((row) => {
    const start = at + 4;
    at = start + models.readUInt32LE(at);
    return { ...row, model: new Uint8Array(models.subarray(start, at)) };
  });
}
