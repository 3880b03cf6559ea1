/** ONNX's own table of operators, asked by the name that a file gives. */
import { SCHEMAS, type SchemaVersion } from "../ops/generated/schemas.ts";

/** An operator of ONNX's own domain as it is in an opset, in its newest form where none is given. Undefined for a name that the table doesn't have. */
export function schemaOf(opType: string, opset = Infinity): SchemaVersion | undefined {
  // A file may call its operator "constructor".
  return Object.hasOwn(SCHEMAS, opType) ? SCHEMAS[opType]?.findLast((v) => v.since <= opset) : undefined;
}
