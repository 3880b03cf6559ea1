/**
 * Whether a regular expression could keep JavaScript's matcher busy for ever. That matcher goes back and tries anew, and a choice inside a repetition doubles
 * its work with every character. The rules look at the expression alone and are stricter than need be: what real tokenizers hold is far from them.
 */

/**
 * Most repetitions without end that stand one behind the other: work grows with the text's length to the power of their number. The expressions of GPT-2, GPT-4,
 * Llama 3, Qwen, DeepSeek and CLIP have up to 2.
 */
const MAX_LOOPS = 3;

/** Most parts that may be there or not, one behind the other: each doubles the work. The same expressions have up to 2. */
const MAX_OPTIONS = 12;

/** A repetition up to this often counts as one without end. */
const MANY = 8;

/** What was read of a group so far. */
interface Group {
  /** Whether it can match in more than one way: it has a choice, or a part of no fixed length. */
  varies: boolean;
  /** Of the alternative that is being read, and most of those before. */
  loops: number;
  options: number;
  mostLoops: number;
  mostOptions: number;
}

const newGroup = (): Group => ({ varies: false, loops: 0, options: 0, mostLoops: 0, mostOptions: 0 });

/** One step: an escape with what belongs to it, a class, a group's beginning, or any other character. */
const STEP = /\\[pPuxk]\{[^}]*\}|\\[pP]\w|\\k<[^>]*>|\\[^]|\[(?:\\[^]|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-zA-Z-]*:))?|[^]/y;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;

/** What is wrong, as a half sentence; undefined where nothing is. An expression that is none is the matcher's to refuse. */
export function costlyPattern(source: string): string | undefined {
  const groups: Group[] = [newGroup()];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(source);
    at += found?.[0].length ?? 0;
    return found;
  };
  while (at < source.length) {
    const step = take(STEP)?.[0] ?? "";
    const group = groups.at(-1);
    if (group === undefined) return undefined;
    if (step.startsWith("(")) {
      groups.push(newGroup());
      continue;
    }
    if (step === "|") {
      endAlternative(group);
      group.varies = true;
      continue;
    }
    const inner = step === ")" ? groups.pop() : undefined;
    const outer = groups.at(-1);
    if (outer === undefined) return undefined;
    if (inner !== undefined) endAlternative(inner);
    const { least, most } = timesOf(take(QUANTIFIER));
    if (inner?.varies === true && most > 1) return "repeats a group that can match in several ways";
    outer.varies ||= inner?.varies === true || least !== most;
    outer.loops += (inner?.mostLoops ?? 0) + (least !== most && most >= MANY ? 1 : 0);
    outer.options += (inner?.mostOptions ?? 0) + (least !== most && most < MANY ? 1 : 0);
    if (outer.loops > MAX_LOOPS) return `has more than ${String(MAX_LOOPS)} repetitions in a row`;
    if (outer.options > MAX_OPTIONS) return `has more than ${String(MAX_OPTIONS)} optional parts in a row`;
  }
  return undefined;
}

function endAlternative(group: Group): void {
  group.mostLoops = Math.max(group.mostLoops, group.loops);
  group.mostOptions = Math.max(group.mostOptions, group.options);
  group.loops = 0;
  group.options = 0;
}

/** How often the part before a quantifier may stand; once where there is none. */
function timesOf(quantifier: RegExpExecArray | null): { least: number; most: number } {
  if (quantifier === null) return { least: 1, most: 1 };
  const [text, least, comma, most] = quantifier;
  if (least === undefined) return { least: text.startsWith("+") ? 1 : 0, most: text.startsWith("?") ? 1 : Infinity };
  return { least: Number(least), most: comma === undefined ? Number(least) : most === undefined || most === "" ? Infinity : Number(most) };
}
