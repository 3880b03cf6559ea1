/**
 * ONNX Runtime's own adapter file, `.onnx_adapter`: flatbuffers with the identifier TORT, tables as in its adapter_schema.fbs. Names are those of graph
 * inputs. A HUT adapter has s multiplied into B, so that the graph needs no scale: A [k, r], B [r, n], and tensors trained whole as PyTorch has them.
 */
import type { FlatTensor } from "../flatbuffers/flat-tensor.ts";

/** How such a file is called. */
export const ONNX_ADAPTER_ENDING = ".onnx_adapter";
/** The file's identifier, at byte 4. */
export const IDENTIFIER = "TORT";
/** The one version there is. */
export const FORMAT_VERSION = 1;

/** Places of fields in their tables. */
export const FIELDS = {
  adapter: { formatVersion: 0, adapterVersion: 1, modelVersion: 2, parameters: 3 },
  parameter: { name: 0, dims: 1, dataType: 2, rawData: 3 },
} as const;

/** How many fields each table has. */
export const FIELD_COUNTS = { adapter: 4, parameter: 4 } as const;

/** An adapter as ONNX Runtime has it. The versions are whoever's who wrote it; ONNX Runtime doesn't compare them. */
export interface OnnxAdapter {
  readonly adapterVersion: number;
  readonly modelVersion: number;
  readonly parameters: readonly FlatTensor[];
}
