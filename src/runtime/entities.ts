/** Entities that tags of words make, as seqeval finds them in its default mode. */

/** A run of words of one type; `to` is its last word. */
export interface Entity {
  readonly type: string;
  readonly from: number;
  readonly to: number;
}

/** Prefixes of tags that say where a word stands in its entity: begin, inside, end, alone. */
const PREFIXED = /^[BIES]-/;

/** Whether tags of these names tell entities of several words. Others, as parts of speech, are of a word each. */
export function areSchemed(names: readonly string[]): boolean {
  return names.some((name) => PREFIXED.test(name));
}

/** The tag of a class among `names`: where these have no prefixes, each word that isn't "O" is an entity. */
export function asTag(name: string, schemed: boolean): string {
  return schemed || name === "O" ? name : `S-${name}`;
}

/** The entities of a row of tags. What begins with I-, or goes on with another type, begins an entity too: lenient, as CoNLL's script is. */
export function entitiesOf(tags: readonly string[]): Entity[] {
  const found: Entity[] = [];
  let [before, typeBefore, from] = ["O", "", 0];
  for (const [i, name] of [...tags, "O"].entries()) {
    const tag = name.slice(0, 1);
    const rest = name.slice(1);
    // A tag without a type, as a bare "B", is of type "_".
    const type = rest.slice(rest.indexOf("-") + 1) || "_";
    if (ends(before, tag, typeBefore, type)) found.push({ type: typeBefore, from, to: i - 1 });
    if (begins(before, tag, typeBefore, type)) from = i;
    [before, typeBefore] = [tag, type];
  }
  return found;
}

function ends(before: string, tag: string, typeBefore: string, type: string): boolean {
  if (before === "E" || before === "S") return true;
  if ((before === "B" || before === "I") && ["B", "S", "O"].includes(tag)) return true;
  return before !== "O" && before !== "." && typeBefore !== type;
}

function begins(before: string, tag: string, typeBefore: string, type: string): boolean {
  if (tag === "B" || tag === "S") return true;
  if (["E", "S", "O"].includes(before) && (tag === "E" || tag === "I")) return true;
  return tag !== "O" && tag !== "." && typeBefore !== type;
}
