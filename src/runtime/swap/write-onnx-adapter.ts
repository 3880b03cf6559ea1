/** An adapter's bytes as `.onnx_adapter`, for the run options of every ONNX Runtime. */
import { Builder } from "flatbuffers";
import { onnxAdapterTooLarge } from "../../errors/swap.ts";
import { DataType } from "../../ir/data-type.ts";
import { bytesOf } from "../../ir/tensor.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { writeFlatTensors } from "../flatbuffers/flat-tensor.ts";
import { FIELD_COUNTS, FIELDS, FORMAT_VERSION, IDENTIFIER, type OnnxAdapter } from "./onnx-adapter.ts";

/** Most bytes of numbers: offsets of flatbuffers are 32 bits with a sign, and the builder doubles its buffer. Adapters stay under 1 GB by far. */
export const MAX_ADAPTER_BYTES = 2 ** 30;

/** float32 parameters, by the names of a graph's inputs, as an adapter of version 1. */
export function onnxAdapterOf(parameters: ReadonlyMap<string, AdapterTensor>): OnnxAdapter {
  return { adapterVersion: 1, modelVersion: 1, parameters: [...parameters].map(([name, { shape, data }]) => ({ name, shape, dataType: DataType.FLOAT, data: bytesOf(data) })) };
}

/** The file. The same adapter gives the same bytes. Throws ONNX_ADAPTER_TOO_LARGE. */
export function writeOnnxAdapter({ adapterVersion, modelVersion, parameters }: OnnxAdapter): Uint8Array {
  const size = parameters.reduce((sum, p) => sum + p.data.length, 0);
  if (size > MAX_ADAPTER_BYTES) throw onnxAdapterTooLarge(size, MAX_ADAPTER_BYTES);
  const builder = new Builder(size + 1024);
  const { adapter, parameter } = FIELDS;
  const written = writeFlatTensors(builder, parameters, parameter, FIELD_COUNTS.parameter);
  builder.startObject(FIELD_COUNTS.adapter);
  builder.addFieldInt32(adapter.formatVersion, FORMAT_VERSION, 0);
  builder.addFieldInt32(adapter.adapterVersion, adapterVersion, 0);
  builder.addFieldInt32(adapter.modelVersion, modelVersion, 0);
  builder.addFieldOffset(adapter.parameters, written, 0);
  builder.finish(builder.endObject(), IDENTIFIER);
  return builder.asUint8Array();
}
