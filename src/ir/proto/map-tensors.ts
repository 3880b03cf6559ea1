/** Goes through the tensors of messages as they are: of those that the IR carries through without reading them (functions, training info, sparse tensors), and of a whole model. */
import { type FieldSpec, type MessageName, MESSAGES, type TensorProto } from "./generated/schema.ts";

/** Looks at every tensor in a message, wherever it stands. */
export function eachTensor(type: MessageName, message: object, look: (tensor: TensorProto) => void): void {
  if (type === "TensorProto") {
    look(message as TensorProto);
    return;
  }
  holdersOf(type).forEach(({ name, message: inner }) => {
    const value = (message as Readonly<Record<string, object | undefined>>)[name];
    if (Array.isArray(value)) value.forEach((each: object) => { eachTensor(inner, each, look); });
    else if (value !== undefined) eachTensor(inner, value, look);
  });
}

/** The message with every tensor in it, wherever it stands, as `change` gives it. What holds none that changes stays the very object it was. */
export function mapTensors<T extends object>(type: MessageName, message: T, change: (tensor: TensorProto) => TensorProto): T {
  if (type === "TensorProto") return change(message as unknown as TensorProto) as unknown as T;
  const changed: [name: string, value: unknown][] = [];
  for (const { name, message: inner } of holdersOf(type)) {
    const value = (message as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    const mapped = Array.isArray(value) ? mapEach(value as object[], (each) => mapTensors(inner, each, change)) : mapTensors(inner, value as object, change);
    if (mapped !== value) changed.push([name, mapped]);
  }
  return changed.length === 0 ? message : { ...message, ...Object.fromEntries(changed) };
}

interface Holder {
  readonly name: string;
  readonly message: MessageName;
}

const holders = new Map<MessageName, readonly Holder[]>();

/** The fields of a message that hold tensors, or messages with such. Listed once, for every node asks. */
function holdersOf(type: MessageName): readonly Holder[] {
  let list = holders.get(type);
  if (list === undefined) holders.set(type, list = nestedIn(type).filter(({ message }) => leadsToTensors(message, new Set())));
  return list;
}

function nestedIn(type: MessageName): readonly Holder[] {
  return Object.values<FieldSpec>(MESSAGES[type].fields).flatMap(({ name, message }) => (message === undefined ? [] : [{ name, message }]));
}

function leadsToTensors(type: MessageName, passed: Set<MessageName>): boolean {
  if (type === "TensorProto") return true;
  if (passed.has(type)) return false;
  passed.add(type);
  return nestedIn(type).some(({ message }) => leadsToTensors(message, passed));
}

/** The list itself where nothing in it changes. */
function mapEach(list: readonly object[], change: (item: object) => object): readonly object[] {
  const changed = list.map(change);
  return changed.some((item, i) => item !== list[i]) ? changed : list;
}
