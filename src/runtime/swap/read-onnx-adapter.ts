/** Reads an `.onnx_adapter` file, whoever wrote it: ours, ONNX Runtime's own, Olive's. */
import { tensorNotFinite } from "../../errors/adapter.ts";
import { quote } from "../../errors/hut-error.ts";
import { onnxAdapterBroken, onnxAdapterUnreadable } from "../../errors/swap.ts";
import { dataTypeName, isFloating } from "../../ir/data-type.ts";
import { Tensor } from "../../ir/tensor.ts";
import { float32Of } from "../../passes/weights/weight-values.ts";
import type { AdapterTensor } from "../adapter/peft-tensors.ts";
import { FlatError, FlatTable } from "../flatbuffers/flat-table.ts";
import { readFlatTensors } from "../flatbuffers/flat-tensor.ts";
import { FIELDS, FORMAT_VERSION, IDENTIFIER, type OnnxAdapter } from "./onnx-adapter.ts";

/**
 * The tensors' bytes stay views of `bytes`. `file` is for messages. Throws ONNX_ADAPTER_BROKEN where it is cut short, no adapter, or damaged, and
 * ONNX_ADAPTER_UNREADABLE where it is of another version.
 */
export function readOnnxAdapter(bytes: Uint8Array, file: string): OnnxAdapter {
  try {
    return adapterOf(FlatTable.root(bytes, IDENTIFIER, "the adapter"), file);
  } catch (error) {
    throw error instanceof FlatError ? onnxAdapterBroken(file, error.message) : error;
  }
}

function adapterOf(root: FlatTable, file: string): OnnxAdapter {
  const { formatVersion, adapterVersion, modelVersion, parameters } = FIELDS.adapter;
  const version = root.int32(formatVersion, "the version of the format") ?? 0;
  if (version !== FORMAT_VERSION) throw onnxAdapterUnreadable(file, `its format has version ${String(version)}, and only ${String(FORMAT_VERSION)} is known`);
  const read = readFlatTensors(root, parameters, FIELDS.parameter, "parameter");
  if (read.length === 0) throw new FlatError("it has no parameters");
  return { adapterVersion: root.int32(adapterVersion, "the adapter's version") ?? 0, modelVersion: root.int32(modelVersion, "the model's version") ?? 0, parameters: read };
}

/** The parameters as float32, by name: copies. Throws ONNX_ADAPTER_UNREADABLE for another type than floats, and TENSOR_NOT_FINITE. */
export function parametersOf({ parameters }: OnnxAdapter, file: string): Map<string, AdapterTensor> {
  return new Map(parameters.map(({ name, shape, dataType, data }): [string, AdapterTensor] => {
    if (!isFloating(dataType)) throw onnxAdapterUnreadable(file, `its ${quote(name)} is ${dataTypeName(dataType)}, and an adapter's numbers are floats`);
    const values = float32Of(new Tensor(dataType, shape, data));
    const broken = values.findIndex((v) => !Number.isFinite(v));
    if (broken >= 0) throw tensorNotFinite(file, name, broken, values[broken] ?? NaN);
    return [name, { shape, data: values }];
  }));
}
