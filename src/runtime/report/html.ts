/** HTML as a template: whatever is put in is escaped, unless it is HTML made here. */

/** A piece of a page. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes; lists are joined, and false, null and undefined give nothing. */
export type Piece = Html | string | number | false | null | undefined | readonly Piece[];

/** html`<p>${text}</p>`: text is escaped for elements and for attributes in double quotes. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return new Html(parts.map((part, i) => part + rendered(pieces[i])).join(""));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text without a meaning to HTML. Control characters, which no document may hold, and marks that turn the direction of what follows become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd").replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
}

function rendered(piece: Piece): string {
  if (piece === undefined || piece === null || piece === false) return "";
  if (piece instanceof Html) return piece.text;
  return typeof piece === "string" || typeof piece === "number" ? escapeHtml(String(piece)) : piece.map(rendered).join("");
}
