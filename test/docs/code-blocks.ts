/** The code that a page of docs/ shows, as a reader would copy it. */
import { readFileSync } from "node:fs";

/** The blocks of one language in a Markdown file, in order; those behind the heading `after` alone, where it is given. Throws where there is no such heading. */
export function codeBlocks(file: string, language: string, after?: string): string[] {
  const text = readFileSync(file, "utf8");
  const from = after === undefined ? 0 : text.indexOf(`\n${after}\n`);
  if (from < 0) throw new Error(`${file} has no heading ${JSON.stringify(after)}`);
  return [...text.slice(from).matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, code = ""]) => code);
}
