/** Protobuf's wire format: what a tag says of the value that follows. */
import type { WireKind } from "./generated/schema.ts";

/** A length, then that many bytes. */
export const DELIMITED = 2;

/** The wire type of one value of each kind: 0 is a varint, 1 eight bytes, 5 four bytes. */
export const WIRE_TYPES: Readonly<Record<WireKind, number>> = {
  int32: 0, int64: 0, uint64: 0, double: 1, string: DELIMITED, bytes: DELIMITED, message: DELIMITED, float: 5,
};

/** Longest varint: ten groups of 7 bits hold 64. */
export const MAX_VARINT_BYTES = 10;
