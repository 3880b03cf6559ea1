/** A key that stands twice in one object: JSON.parse takes the last one, and says nothing. */

const SPACE = /[ \t\r\n]*/y;

/** The first key of valid JSON that an object of it, at whatever depth, has twice; undefined where there is none. */
export function doubledKey(json: string): string | undefined {
  // The keys of each object that is open; undefined for a list.
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const sign = json[at];
    if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(undefined);
    else if (sign === "}" || sign === "]") open.pop();
    else if (sign === "\"") {
      const end = closingQuote(json, at);
      const keys = open.at(-1);
      if (keys !== undefined && isFollowedByColon(json, end)) {
        const written = json.slice(at + 1, end);
        const key = written.includes("\\") ? String(JSON.parse(`"${written}"`)) : written;
        if (keys.has(key)) return key;
        keys.add(key);
      }
      at = end;
    }
  }
  return undefined;
}

function closingQuote(json: string, start: number): number {
  let end = start;
  do end = json.indexOf("\"", end + 1); while (end >= 0 && isEscaped(json, end));
  return end < 0 ? json.length : end;
}

function isEscaped(json: string, at: number): boolean {
  let before = at;
  while (json[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

function isFollowedByColon(json: string, quote: number): boolean {
  SPACE.lastIndex = quote + 1;
  SPACE.exec(json);
  return json[SPACE.lastIndex] === ":";
}
