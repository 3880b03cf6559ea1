/** Makes the input of a number, lets its reader read it, and judges what came of it. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HutError } from "../../src/errors/hut-error.ts";
import { Random } from "../../src/runtime/random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { chance, pick, withFile, type Files, type Reader } from "./reader.ts";

/** What an input did: it was read, it was refused with a code, or a reader broke its promise. */
export type Verdict = { readonly kind: "accepted" } | { readonly kind: "refused"; readonly code: string } | { readonly kind: "finding"; readonly what: string; readonly error: unknown };

/** How many inputs are made with knowledge of the format, where the reader has such. */
const STRUCTURED_SHARE = 0.6;

/** Input `index` of a reader under a seed: always the same files. */
export function inputOf(reader: Reader, seed: number, index: number): Files {
  const random = new Random(seed * 2 ** 16 + hashOf(reader.name), index);
  if (reader.structured !== undefined && chance(random, STRUCTURED_SHARE)) return reader.structured(random, reader.seeds);
  const files = pick(random, reader.seeds);
  const names = (reader.mutated ?? [...files.keys()]).filter((name) => files.has(name));
  const name = pick(random, names);
  const other = pick(random, reader.seeds).get(name) ?? new Uint8Array();
  return withFile(files, name, mutateBytes(files.get(name) ?? new Uint8Array(), random, other));
}

/** A number of 16 bits for each name: readers of one format get inputs of their own. */
function hashOf(name: string): number {
  return Array.from(name).reduce((hash, letter) => (hash * 31 + (letter.codePointAt(0) ?? 0)) % 2 ** 16, 0);
}

/** A folder in which the inputs of one reader stand, one after the other. Files that stay the same are not written again. */
export class Scratch {
  readonly folder: string;
  readonly #written = new Map<string, Uint8Array>();

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Puts these files there and no others. `isDirty`: the reader may have changed them, and all are put anew. */
  place(files: Files, isDirty: boolean): void {
    for (const name of this.#written.keys()) {
      if (files.has(name)) continue;
      rmSync(join(this.folder, name), { force: true });
      this.#written.delete(name);
    }
    for (const [name, bytes] of files) {
      if (!isDirty && this.#written.get(name) === bytes) continue;
      if (name.includes("/") && !this.#written.has(name)) mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), bytes);
      this.#written.set(name, bytes);
    }
  }
}

/** What may not stand in a message: it could be the file's own words, and a terminal would obey them. */
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

/** Reads what stands in the folder. */
export async function judge(reader: Reader, folder: string): Promise<Verdict> {
  try {
    await reader.read(folder);
    return { kind: "accepted" };
  } catch (error) {
    if (!(error instanceof HutError)) return { kind: "finding", what: `not a HutError: ${String(error).slice(0, 200)}`, error };
    const control = CONTROL.exec(error.message);
    if (control !== null) return { kind: "finding", what: `${error.code} repeats a control character: ${JSON.stringify(error.message.slice(Math.max(0, control.index - 60), control.index + 20))}`, error };
    return { kind: "refused", code: error.code };
  }
}

/** The prototypes that a hostile key could reach, and how many keys each has. */
const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, Map.prototype, Set.prototype, String.prototype, Number.prototype, RegExp.prototype];
const counts = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);

/** Whether some input has added to, or taken from, a prototype that all objects share. */
export function isPolluted(): boolean {
  return PROTOTYPES.some((prototype, i) => Reflect.ownKeys(prototype).length !== counts[i]);
}
