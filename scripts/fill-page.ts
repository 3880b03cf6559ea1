/** The page with the lines between two marks replaced: `<!-- NAME: made by scripts/GENERATOR -->` and `<!-- end of NAME -->`. */
export function filled(page: string, generator: string, name: string, lines: readonly string[]): string {
  const [begin, end] = [`<!-- ${name}: made by scripts/${generator} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no place for ${name} of ${generator}`);
  return `${page.slice(0, from + begin.length)}\n\n${lines.join("\n")}\n\n${page.slice(to)}`;
}
