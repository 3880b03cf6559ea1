/** Numbers as people read them, for the command line's lines; the page of `report` writes them the same way. */
export { bytes, clock, duration, figure, grouped, label, operations, share } from "../runtime/format.ts";
