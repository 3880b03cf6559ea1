/** Aligned tables in plain text, as lines. */
import { grouped } from "./format.ts";
import { printable } from "./printable.ts";

/** A column: its title, and whether its cells are numbers, which stand on the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

const GAP = "  ";

/** Longest cell; every row is as wide as the longest. Names of real tensors stay under 200 characters, and --json has them whole. */
const MAX_CELL_LENGTH = 300;

/** A titled table, indented by two spaces. Rows are as long as `columns`; control characters in cells are made visible. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  return aligned([columns.map((c) => c.title), ...rows], columns.map((c) => c.right === true));
}

/** Rows without titles: a label, and its values. */
export function facts(rows: readonly (readonly string[])[]): string[] {
  return aligned(rows, []);
}

/** Rows of a list that is read at a glance; longer ones end in a count. */
const MAX_ROWS = 40;

/** The table, cut after some dozens of rows unless `whole`; the last line then tells how many are left out. */
export function listing(columns: readonly Column[], rows: readonly (readonly string[])[], whole: boolean): string[] {
  if (whole || rows.length <= MAX_ROWS) return table(columns, rows);
  return [...table(columns, rows.slice(0, MAX_ROWS)), `${GAP}and ${grouped(rows.length - MAX_ROWS)} more; --verbose lists all`];
}

function aligned(rows: readonly (readonly string[])[], right: readonly boolean[]): string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell.length > MAX_CELL_LENGTH ? `${cell.slice(0, MAX_CELL_LENGTH)}…` : cell)));
  const widths: number[] = [];
  for (const row of cells) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return cells.map((row) => GAP + row.map((cell, i) => {
    const width = widths[i] ?? 0;
    return right[i] === true ? cell.padStart(width) : cell.padEnd(width);
  }).join(GAP).trimEnd());
}
