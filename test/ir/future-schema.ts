/** A made-up later version of ONNX: its schema with fields of every wire type added to every message, and models that use them. */
import protobuf from "protobufjs";
import { modelType, ONNX_SCHEMA } from "./second-decoder.ts";

/** What each message gets. TypeProto's and Dimension's new members of a oneof stand for kinds of value that nobody knows today. */
const ADDED = `
  optional int64 later_number = 9001;
  optional fixed64 later_eight = 9002;
  optional string later_text = 9003;
  optional Later later_message = 9004;
  optional fixed32 later_four = 9005;
  repeated int32 later_packed = 9006 [packed=true];
  repeated Later later_many = 9007;
`;

/** A message that only the later schema has. */
const LATER = `message Later { optional string name = 1; optional bytes data = 2; optional Later inner = 3; repeated double doubles = 4; }\n`;

/** The later schema's ModelProto. */
export const futureModel = modelType(ONNX_SCHEMA
  .replaceAll(/^ *message \w+ \{/gm, (start) => `${start}${ADDED}`)
  .replaceAll(/^ *oneof value \{/gm, (start) => `${start}\n    Later later_kind = 9010;\n`)
  .replace("package onnx;", `package onnx;\n${LATER}`));

/** The number of times that a message of the later schema was filled, by type. */
export type Filled = Map<string, number>;

/** The model with every added field filled, in every message, nested ones too; what it was before stays as it was. */
export function withLaterFields(bytes: Uint8Array, filled: Filled = new Map<string, number>()): Uint8Array {
  const model = futureModel.decode(bytes);
  let number = 0;
  const fill = (type: protobuf.Type, message: Record<string, unknown>): void => {
    for (const field of type.fieldsArray) {
      const value = message[field.name];
      if (!(field.resolve().resolvedType instanceof protobuf.Type) || value === undefined || value === null || !Object.hasOwn(message, field.name)) continue;
      for (const inner of Array.isArray(value) ? value as unknown[] : [value]) fill(field.resolvedType as protobuf.Type, inner as Record<string, unknown>);
    }
    if (type.fields["later_number"] === undefined) return;
    filled.set(type.name, (filled.get(type.name) ?? 0) + 1);
    number += 1;
    const later = { name: `later ${String(number)}`, data: Uint8Array.of(1, 2, 3), inner: { inner: { doubles: [0.5, number] } } };
    Object.assign(message, { later_number: -number, later_eight: number, later_text: `${type.name} ${String(number)} ✓`, later_message: later, later_four: number,
      later_packed: [number, -1, 300], later_many: [later, {}] });
  };
  fill(futureModel, model);
  return futureModel.encode(model).finish();
}
