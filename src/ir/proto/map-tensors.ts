/** Goes through the tensors of messages as they are: of those that the IR carries through without reading them (functions, training info, sparse tensors), and of a whole model. */
import { type FieldSpec, type MessageName, MESSAGES, type TensorProto } from "./generated/schema.ts";

/** The message with every tensor in it, wherever it stands, as `change` gives it. What holds none that changes stays the very object it was. */
export function mapTensors<T extends object>(type: MessageName, message: T, change: (tensor: TensorProto) => TensorProto): T {
  if (type === "TensorProto") return change(message as unknown as TensorProto) as unknown as T;
  const changed: [name: string, value: unknown][] = [];
  for (const { name, message: inner } of nestedFieldsOf(type)) {
    const value = (message as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    const mapped = Array.isArray(value) ? mapEach(value as object[], (each) => mapTensors(inner, each, change)) : mapTensors(inner, value as object, change);
    if (mapped !== value) changed.push([name, mapped]);
  }
  return changed.length === 0 ? message : { ...message, ...Object.fromEntries(changed) };
}

const nestedFields = new Map<MessageName, readonly { readonly name: string; readonly message: MessageName }[]>();

/** The fields of a message that hold messages. Listed once, for every node asks. */
function nestedFieldsOf(type: MessageName): readonly { readonly name: string; readonly message: MessageName }[] {
  let list = nestedFields.get(type);
  if (list === undefined) nestedFields.set(type, list = Object.values<FieldSpec>(MESSAGES[type].fields).flatMap(({ name, message }) => (message === undefined ? [] : [{ name, message }])));
  return list;
}

/** The list itself where nothing in it changes. */
function mapEach(list: readonly object[], change: (item: object) => object): readonly object[] {
  const changed = list.map(change);
  return changed.some((item, i) => item !== list[i]) ? changed : list;
}
