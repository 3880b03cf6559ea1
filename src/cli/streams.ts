/** What the command line writes to. */
import { styleText } from "node:util";

/** A stream that may be a terminal, as `process.stdout` is. */
export type OutputStream = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Colored where the stream is a terminal that wants it: NO_COLOR and FORCE_COLOR are honoured. */
export function colored(stream: OutputStream, color: "red" | "yellow" | "bold", text: string): string {
  return styleText(color, text, { stream });
}

/** Lines, each ended; none writes nothing. */
export function writeLines(stream: OutputStream, lines: readonly string[]): void {
  if (lines.length > 0) stream.write(lines.map((line) => `${line}\n`).join(""));
}
