/** Errors as people and programs see them. The library throws; here alone is printed. */
import { CommanderError } from "commander";
import { HutError } from "../errors/hut-error.ts";
import { interrupted, unexpected } from "../errors/usage.ts";
import { printable } from "./printable.ts";
import { colored, writeLines, type OutputStream } from "./streams.ts";

/** How to show it. */
export interface ReportOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly json: boolean;
  readonly verbose: boolean;
}

/** Prints one line on stderr, or with `json` one object on stdout; `verbose` adds the stack on stderr. Returns the exit code. */
export function reportError(error: unknown, { stdout, stderr, json, verbose }: ReportOptions): 1 | 2 | 130 {
  const known = asHutError(error);
  if (json) writeLines(stdout, [JSON.stringify({ error: errorObject(known) })]);
  else writeLines(stderr, [`${colored(stderr, "red", "error:")} ${printable(known.message)}`]);
  if (verbose) writeLines(stderr, stackLines(error));
  return known.exitCode;
}

function asHutError(error: unknown): HutError {
  if (error instanceof HutError) return error;
  if (error instanceof Error && error.name === "AbortError") return interrupted();
  return unexpected(error);
}

/** `code` and `message` come first, and no detail can take their place. */
function errorObject({ code, message, details }: HutError): Record<string, unknown> {
  const kept = Object.entries(details).filter(([key]) => key !== "code" && key !== "message").map(([key, value]) => [key, plain(value)] as const);
  return { code, message, ...Object.fromEntries(kept) };
}

/** The value as JSON can hold it: telling of an error must not fail. */
function plain(value: unknown): unknown {
  try {
    // Within a list, what JSON has no word for becomes null.
    return (JSON.parse(JSON.stringify([value], (_, v: unknown) => (typeof v === "bigint" ? v.toString() : v))) as unknown[])[0];
  } catch {
    return String(value);
  }
}

/** The stacks of an error and of what caused it. */
function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  for (let at = error; at instanceof Error && !(at instanceof CommanderError) && lines.length < 200; at = at.cause) {
    lines.push(...(at === error ? [] : ["caused by"]), ...(at.stack ?? String(at)).split("\n").map(printable));
  }
  return lines;
}
