/** What a reader is to the fuzzer: seeds, inputs made of them, and the road that the product reads them on. */
import type { Random } from "../../src/runtime/random.ts";

/** One input: files by their path inside a folder of their own. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** One reader. */
export interface Reader {
  readonly name: string;
  /** Its share of the inputs, compared with the others'. */
  readonly weight: number;
  /** Small sound inputs. */
  readonly seeds: readonly Files[];
  /** The files that are mutated; all where left out. The rest stands beside them as it is. */
  readonly mutated?: readonly string[];
  /** Inputs made with knowledge of the format. */
  readonly structured?: (random: Random, seeds: readonly Files[]) => Files;
  /** Whether reading changes the files, as resuming a run does. */
  readonly writes?: boolean;
  /** Reads the folder that holds the files as a verb would. Throws what the product throws. */
  readonly read: (folder: string) => void | Promise<void>;
}

/** Text as a file's bytes. */
export function bytesOfText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A file's bytes as text, what is no UTF-8 replaced. */
export function textOfBytes(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

/** One of these, each as likely. */
export function pick<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}

/** Whether an event of this probability happens. */
export function chance(random: Random, probability: number): boolean {
  return random.uniform() < probability;
}

/** The same files, one of them with other bytes. */
export function withFile(files: Files, name: string, bytes: Uint8Array): Files {
  return new Map([...files, [name, bytes]]);
}
