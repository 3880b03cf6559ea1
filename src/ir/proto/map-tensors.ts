/** Goes through the tensors of messages as they are: of those that the IR carries through without reading them (functions, training info, sparse tensors), and of a whole model. */
import { type FieldSpec, type MessageName, MESSAGES, type TensorProto } from "./generated/schema.ts";

/** The message with every tensor in it, wherever it stands, as `change` gives it. What holds none that changes stays the very object it was. */
export function mapTensors<T extends object>(type: MessageName, message: T, change: (tensor: TensorProto) => TensorProto): T {
  if (type === "TensorProto") return change(message as unknown as TensorProto) as unknown as T;
  const changed: [name: string, value: unknown][] = [];
  for (const field of Object.values<FieldSpec>(MESSAGES[type].fields)) {
    const value = (message as Readonly<Record<string, unknown>>)[field.name];
    if (field.message === undefined || value === undefined) continue;
    const inner = field.message;
    const mapped = Array.isArray(value) ? mapEach(value as object[], (each) => mapTensors(inner, each, change)) : mapTensors(inner, value as object, change);
    if (mapped !== value) changed.push([field.name, mapped]);
  }
  return changed.length === 0 ? message : { ...message, ...Object.fromEntries(changed) };
}

/** The list itself where nothing in it changes. */
function mapEach(list: readonly object[], change: (item: object) => object): readonly object[] {
  const changed = list.map(change);
  return changed.some((item, i) => item !== list[i]) ? changed : list;
}
