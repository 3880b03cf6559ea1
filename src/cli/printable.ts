/** Text that is safe to print: a model's own names must not move a terminal's cursor or set its colors. */
export { escaped as printable } from "../errors/hut-error.ts";
