/** What a config file gave, as a copy that holds no surprises: what a program exports may have getters, prototypes and circles. */

/** Levels of objects and lists that options have: the file, a section, a list. */
const OPTION_LEVELS = 3;

/** A copy of lists and plain objects, these without prototypes, as deep as options go. All other values stay as they are, for the schema to refuse. */
export function plainValues(value: unknown, levels = OPTION_LEVELS): unknown {
  if (levels === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => plainValues(entry, levels - 1));
  if (!isPlain(value)) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) copy[key] = plainValues(inner, levels - 1);
  return copy;
}

/** Whether an object is no more than its keys. The exports of a module have no prototype either. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === null || prototype === Object.prototype;
}
