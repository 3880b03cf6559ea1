/** A run's metrics.jsonl: a record for each step, and one for each evaluation. A log, not a state: what a crash cut short is dropped on resume. */
import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { outputUnwritable, systemCode } from "../../errors/files.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import type { EventsLog } from "./tensorboard.ts";

/** One line. */
export type MetricsRecord = Readonly<Record<string, number>>;

/** The log in one file. */
export class MetricsLog {
  readonly file: string;
  /** Gets each record too, where it is set. */
  events: EventsLog | undefined;

  constructor(file: string) {
    this.file = file;
  }

  /** Throws OUTPUT_UNWRITABLE. */
  append(record: MetricsRecord): void {
    this.#system(() => { appendFileSync(this.file, `${JSON.stringify(record)}\n`); });
    this.events?.append(record);
  }

  /** Makes what was appended last through a power cut. A checkpoint that outlived its log could never have it written again. */
  sync(): void {
    if (!existsSync(this.file)) return;
    this.#system(() => {
      const fd = openSync(this.file, "r+");
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Drops what was logged after a step, its evaluation too unless it counts, and lines that are none: a resumed run logs it anew. */
  truncate(step: number, isEvaluated: boolean): void {
    if (!existsSync(this.file)) return;
    const kept = this.#records().filter(({ record }) => record["step"] !== undefined && (record["step"] < step || (record["step"] === step && ("loss" in record || isEvaluated))));
    writeFileAtomic(this.file, [new TextEncoder().encode(kept.map(({ line }) => `${line}\n`).join(""))]);
  }

  /** The losses of the first and the last step logged, null where none is, and the mean of all, NaN then. */
  losses(): { first: number | null; last: number | null; mean: number } {
    const losses = this.#records().flatMap(({ record }) => record["loss"] ?? []);
    return { first: losses[0] ?? null, last: losses.at(-1) ?? null, mean: losses.reduce((a, b) => a + b, 0) / losses.length };
  }

  /** The steps in the log, in order. */
  steps(): MetricsRecord[] {
    return this.#records().map(({ record }) => record).filter((record) => "loss" in record);
  }

  /** The evaluations in the log, in order: step, epoch and `eval_…`. */
  evaluations(): MetricsRecord[] {
    return this.#records().map(({ record }) => record).filter((record) => "eval_loss" in record);
  }

  /** What was logged at a step. */
  recordsAt(step: number): MetricsRecord[] {
    return this.#records().map(({ record }) => record).filter((record) => record["step"] === step);
  }

  /** The `eval_…` figures logged after a step; undefined where there are none. */
  evaluationAt(step: number): Record<string, number> | undefined {
    const found = this.#records().map(({ record }) => record).findLast((record) => record["step"] === step && "eval_loss" in record);
    return found === undefined ? undefined : Object.fromEntries(Object.entries(found).filter(([name]) => name.startsWith("eval_")).map(([name, value]) => [name, orNaN(value)]));
  }

  /** The lines that hold a record. */
  #records(): { line: string; record: MetricsRecord }[] {
    const lines = existsSync(this.file) ? this.#system(() => readFileSync(this.file, "utf8")).split("\n") : [];
    return lines.flatMap((line) => {
      const record = recordIn(line);
      return record === undefined ? [] : [{ line, record }];
    });
  }

  #system<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw systemCode(error) === undefined ? error : outputUnwritable(this.file, error);
    }
  }
}

/** JSON has no NaN: a figure without a value is written as null. */
function orNaN(value: number | null): number {
  return value ?? NaN;
}

function recordIn(line: string): MetricsRecord | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value as MetricsRecord : undefined;
  } catch {
    return undefined;
  }
}
