/**
 * A decoder that shares no table with ours: protobufjs' reflection on ONNX's own schema (scripts/onnx.proto), and on a made-up later one. onnx-proto
 * knows ONNX 1.10 alone.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { differences } from "../../src/ir/compare.ts";

/** The text of ONNX's schema. */
export const ONNX_SCHEMA = readFileSync(fileURLToPath(new URL("../../scripts/onnx.proto", import.meta.url)), "utf8");

/** The ModelProto of a schema's text. */
export function modelType(schema: string): protobuf.Type {
  return protobuf.parse(schema, { keepCase: true }).root.lookupType("onnx.ModelProto");
}

const onnxModel = modelType(ONNX_SCHEMA);

/** A model as the second decoder reads it. */
export function decodedElsewhere(bytes: Uint8Array, type: protobuf.Type = onnxModel): protobuf.Message {
  return type.decode(bytes);
}

/** Where two files differ in meaning to the second decoder: every field, an absent one told from an empty one. */
export function differencesElsewhere(a: Uint8Array, b: Uint8Array, type: protobuf.Type = onnxModel): string[] {
  return differences(decodedElsewhere(a, type), decodedElsewhere(b, type));
}

/** A model as protobufjs' reflection writes it. */
export function encodedElsewhere(model: protobuf.Message, type: protobuf.Type = onnxModel): Uint8Array {
  return type.encode(model).finish();
}
