/**
 * Regular expressions as PEFT's configurations write them (Python's `re`), matched without backtracking.
 *
 * JavaScript's RegExp is no choice here: a file's pattern such as `(a+)+$` would hang it. This matcher maps sets of positions to sets of
 * positions, so its work is bounded; it answers only whether something matches, which is all that is asked. Read are literals, classes,
 * `.`, groups, `|`, quantifiers, `^ $ \b`, and look-ahead; back-references, look-behind and flags are refused by name.
 */
import { patternUnusable } from "../../errors/adapter.ts";

/** Longest pattern read; PEFT's own examples stay under 200 characters. */
const MAX_PATTERN_LENGTH = 4096;

/** Deepest nesting of groups, so that recursion stays shallow; patterns in use nest 3 deep. */
const MAX_GROUP_DEPTH = 50;

/** Most steps of one match: hundreds of times what a real pattern takes on a module path, and still well under a second. */
const MAX_STEPS = 2_000_000;

/** A position test, or the way from one position to others. */
type Node =
  | { readonly kind: "char"; readonly accepts: (char: string) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly options: readonly Node[] }
  | { readonly kind: "repeat"; readonly part: Node; readonly min: number; readonly max: number }
  | { readonly kind: "at"; readonly holds: (text: string, position: number) => boolean }
  | { readonly kind: "ahead"; readonly part: Node; readonly negated: boolean };

/** A pattern ready to match. */
export class PythonPattern {
  readonly source: string;
  readonly #root: Node;

  /** Throws PATTERN_UNUSABLE with what is wrong. */
  constructor(source: string) {
    this.source = source;
    this.#root = new Parser(source).parse();
  }

  /** As `re.fullmatch`. Throws PATTERN_UNUSABLE when the match takes too many steps. */
  fullmatch(text: string): boolean {
    return this.matchesFrom(text, [0]);
  }

  /** Whether a match that begins at one of `starts` ends at the end of the text. */
  matchesFrom(text: string, starts: Iterable<number>): boolean {
    let steps = 0;
    const spend = (count: number): void => {
      steps += count + 1;
      if (steps > MAX_STEPS) throw patternUnusable(this.source, "it takes too many steps");
    };
    return advance(this.#root, new Set(starts), text, spend).has(text.length);
  }
}

/** Where matches of `node` that begin in `from` end. */
function advance(node: Node, from: ReadonlySet<number>, text: string, spend: (count: number) => void): ReadonlySet<number> {
  spend(from.size);
  switch (node.kind) {
    case "char":
      return new Set([...from].filter((i) => i < text.length && node.accepts(text.charAt(i))).map((i) => i + 1));
    case "sequence":
      return node.parts.reduce((positions, part) => (positions.size === 0 ? positions : advance(part, positions, text, spend)), from);
    case "choice":
      return new Set(node.options.flatMap((option) => [...advance(option, from, text, spend)]));
    case "at":
      return new Set([...from].filter((i) => node.holds(text, i)));
    case "ahead":
      return new Set([...from].filter((i) => (advance(node.part, new Set([i]), text, spend).size > 0) !== node.negated));
    case "repeat":
      return repeated(node, from, text, spend);
  }
}

function repeated(node: Node & { kind: "repeat" }, from: ReadonlySet<number>, text: string, spend: (count: number) => void): ReadonlySet<number> {
  let positions = from;
  for (let round = 0; round < node.min; round++) {
    const next = advance(node.part, positions, text, spend);
    if (next.size === positions.size && [...next].every((i) => positions.has(i))) break;
    positions = next;
  }
  const reached = new Set(positions);
  for (let round = node.min; round < node.max && positions.size > 0; round++) {
    positions = new Set([...advance(node.part, positions, text, spend)].filter((i) => !reached.has(i)));
    for (const i of positions) reached.add(i);
  }
  return reached;
}

const isWord = (char: string): boolean => /[\p{L}\p{N}_]/u.test(char);
const CLASSES: Readonly<Record<string, (char: string) => boolean>> = {
  d: (c) => /\d/.test(c), D: (c) => /\D/.test(c), w: isWord, W: (c) => !isWord(c), s: (c) => /\s/.test(c), S: (c) => /\S/.test(c),
};
const CONTROLS: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", f: "\f", v: "\v", a: "\u0007" };
const atStart: Node = { kind: "at", holds: (_, i) => i === 0 };
const atEnd: Node = { kind: "at", holds: (text, i) => i === text.length };
const onBoundary = (text: string, i: number): boolean => isWord(text.charAt(i - 1)) !== isWord(text.charAt(i));
const ANCHORS: Readonly<Record<string, Node>> = {
  A: atStart, Z: atEnd, b: { kind: "at", holds: onBoundary }, B: { kind: "at", holds: (text, i) => !onBoundary(text, i) },
};

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    if (this.#source.length > MAX_PATTERN_LENGTH) this.#fail(`it is longer than ${String(MAX_PATTERN_LENGTH)} characters`);
    const node = this.#choice(0);
    if (this.#at < this.#source.length) this.#fail("a closing parenthesis has no partner");
    return node;
  }

  #choice(depth: number): Node {
    if (depth > MAX_GROUP_DEPTH) this.#fail(`its groups nest deeper than ${String(MAX_GROUP_DEPTH)}`);
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: "choice", options };
  }

  #sequence(depth: number): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#peek())) parts.push(this.#quantified(this.#atom(depth)));
    return { kind: "sequence", parts };
  }

  #atom(depth: number): Node {
    const char = this.#next();
    if (char === "(") return this.#group(depth);
    if (char === "[") return this.#class();
    if (char === "^") return atStart;
    if (char === "$") return atEnd;
    if (char === ".") return { kind: "char", accepts: (c) => c !== "\n" };
    if ("*+?".includes(char)) this.#fail(`"${char}" repeats nothing`);
    if (char !== "\\") return { kind: "char", accepts: (c) => c === char };
    const anchor = ANCHORS[this.#peek()];
    if (anchor === undefined) return { kind: "char", accepts: this.#escape() };
    this.#next();
    return anchor;
  }

  #group(depth: number): Node {
    let ahead: boolean | undefined;
    if (this.#take("?")) {
      if (this.#take("=")) ahead = false;
      else if (this.#take("!")) ahead = true;
      else if (!this.#take(":") && this.#match(/P<\w+>/y) === undefined) {
        this.#fail("of groups with \"?\" only (?:…), (?P<name>…), (?=…) and (?!…) are read");
      }
    }
    const part = this.#choice(depth + 1);
    if (!this.#take(")")) this.#fail("a parenthesis doesn't close");
    return ahead === undefined ? part : { kind: "ahead", part, negated: ahead };
  }

  /** A quantifier after an atom; a lazy one matches the same texts as its greedy twin. */
  #quantified(part: Node): Node {
    const braces = this.#match(/\{(?:\d+(?:,\d*)?|,\d*)\}/y);
    const [low = "", high] = braces === undefined ? [] : braces.slice(1, -1).split(",");
    const bounds = braces !== undefined ? { min: Number(low), max: high === undefined ? Number(low) : high === "" ? Infinity : Number(high) }
      : this.#take("*") ? { min: 0, max: Infinity } : this.#take("+") ? { min: 1, max: Infinity } : this.#take("?") ? { min: 0, max: 1 } : undefined;
    if (bounds === undefined) return part;
    if (bounds.max < bounds.min) this.#fail("a quantifier's least is over its most");
    this.#take("?");
    if ("*+?".includes(this.#peek() || " ")) this.#fail("a quantifier follows another");
    return { kind: "repeat", part, ...bounds };
  }

  #class(): Node {
    const negated = this.#take("^");
    const tests: ((char: string) => boolean)[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      const from = this.#classPart();
      if (typeof from !== "string" || this.#peek() !== "-" || this.#source[this.#at + 1] === "]") {
        tests.push(typeof from === "string" ? (c) => c === from : from);
        continue;
      }
      this.#next();
      const to = this.#classPart();
      if (typeof to !== "string" || to < from) this.#fail("a range of characters is upside down");
      tests.push((c) => c >= from && c <= to);
    }
    this.#next();
    return { kind: "char", accepts: (c) => tests.some((test) => test(c)) !== negated };
  }

  #classPart(): string | ((char: string) => boolean) {
    const char = this.#next();
    if (char !== "\\") return char;
    const escaped = this.#peek();
    const test = this.#escape();
    return CLASSES[escaped] === undefined ? CONTROLS[escaped] ?? escaped : test;
  }

  /** What stands after a backslash, as a test. */
  #escape(): (char: string) => boolean {
    const char = this.#next();
    const test = CLASSES[char];
    if (test !== undefined) return test;
    const control = CONTROLS[char];
    if (control === undefined && /[A-Za-z0-9]/.test(char)) this.#fail(`"\\${char}" isn't read`);
    return (c) => c === (control ?? char);
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }

  #next(): string {
    if (this.#at >= this.#source.length) this.#fail("it ends too early");
    return this.#source.charAt(this.#at++);
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(problem: string): never {
    throw patternUnusable(this.#source, problem);
  }
}
