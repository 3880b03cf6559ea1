/** Checks the tensors of messages that the IR carries through without reading them: functions, training info, sparse tensors. */
import { type FieldSpec, type MessageName, MESSAGES, type TensorProto } from "./generated/schema.ts";
import { tensorFromProto, type TensorContext } from "./tensor.ts";

/** Checks every tensor in a message, wherever it stands, as `tensorFromProto` does: its bytes fit, and external data lies where it may. Throws HutError. */
export function checkTensors(type: MessageName, message: object, context: TensorContext): void {
  if (type === "TensorProto") tensorFromProto(message as TensorProto, context);
  for (const field of Object.values<FieldSpec>(MESSAGES[type].fields)) {
    if (field.message === undefined) continue;
    const value = (message as Readonly<Record<string, object | undefined>>)[field.name];
    for (const inner of Array.isArray(value) ? value as object[] : value === undefined ? [] : [value]) checkTensors(field.message, inner, context);
  }
}
