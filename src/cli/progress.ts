/**
 * Progress on stderr. On a terminal one live line with a bar, redrawn at most ten times a second; in a pipe plain lines, seconds apart. Work
 * that is done within a second shows nothing. The last state of a phase that took longer stays as a line of its own.
 */
import { clearLine, cursorTo } from "node:readline";
import type { Progress } from "../runtime/options.ts";
import { bytes, clock, figure, grouped, label } from "./format.ts";
import { printable } from "./printable.ts";
import { writeLines, type OutputStream } from "./streams.ts";

/** Work shorter than this is not worth a line. */
const QUIET_MS = 1000;
/** Between two drawings of the live line; faster only flickers. */
const LIVE_MS = 100;
/** Between two plain lines: a log of an hour's training stays under a thousand lines. */
const PLAIN_MS = 5000;
const BAR_WIDTH = 20;
const GAP = "  ";
/** Where the terminal doesn't tell its width. */
const DEFAULT_COLUMNS = 80;

interface Phase {
  readonly name: string;
  readonly began: number;
  /** `done` of the first event: what earlier runs did is no part of the rate. */
  readonly from: number;
  last: Progress;
  at: number;
  /** What was last drawn. */
  drawn: Progress | undefined;
}

/** Shows the Progress events of one command. */
export class ProgressDisplay {
  readonly #stream: OutputStream;
  readonly #live: boolean;
  readonly #now: () => number;
  readonly #started: number;
  #phase: Phase | undefined;
  #drawnAt = -Infinity;
  #lineOnScreen = false;

  /** `now` is in milliseconds. */
  constructor(stream: OutputStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#live = stream.isTTY === true;
    this.#now = now;
    this.#started = now();
  }

  /** Takes an event, and draws when it is time. */
  report(progress: Progress): void {
    const now = this.#now();
    if (this.#phase?.name !== progress.phase || progress.done < this.#phase.last.done) {
      this.#endPhase();
      this.#phase = { name: progress.phase, began: now, from: progress.done, last: progress, at: now, drawn: undefined };
    }
    this.#phase.last = progress;
    this.#phase.at = now;
    if (now - this.#started < QUIET_MS || now - this.#drawnAt < (this.#live ? LIVE_MS : PLAIN_MS)) return;
    this.#drawnAt = now;
    this.#phase.drawn = progress;
    if (this.#live) this.#drawLive(this.#phase);
    else writeLines(this.#stream, [stateText(this.#phase)]);
  }

  /** Writes a line of something else, above the live line. */
  writeLine(line: string): void {
    this.#erase();
    writeLines(this.#stream, [line]);
    // The next event draws the live line anew; plain lines keep their pace.
    if (this.#live) this.#drawnAt = -Infinity;
  }

  /** Ends the last phase. What follows starts on a line of its own. */
  finish(): void {
    this.#endPhase();
  }

  #endPhase(): void {
    const phase = this.#phase;
    this.#phase = undefined;
    this.#erase();
    if (phase === undefined) return;
    const long = phase.at - phase.began >= QUIET_MS || (!this.#live && phase.drawn !== undefined);
    // In a pipe the last state may stand there already.
    if (long && (this.#live || phase.drawn !== phase.last)) writeLines(this.#stream, [stateText(phase)]);
  }

  #drawLive(phase: Phase): void {
    cursorTo(this.#stream, 0);
    // A line as wide as the terminal would wrap, and then be drawn again below.
    this.#stream.write(liveText(phase, (this.#stream.columns ?? DEFAULT_COLUMNS) - 1));
    clearLine(this.#stream, 1);
    this.#lineOnScreen = true;
  }

  #erase(): void {
    if (!this.#lineOnScreen) return;
    cursorTo(this.#stream, 0);
    clearLine(this.#stream, 0);
    this.#lineOnScreen = false;
  }
}

/** Steps a second, undefined before there is something to count. */
function rateOf({ last, from, began, at }: Phase): number | undefined {
  return last.done > from && at > began ? ((last.done - from) * 1000) / (at - began) : undefined;
}

/** "training  [#####-----]  120/1,500 steps  3.2 steps/s  7:10 left  loss 0.4512", its last parts left out where they don't fit. */
function liveText(phase: Phase, width: number): string {
  const { last } = phase;
  const filled = last.total > 0 ? Math.round(BAR_WIDTH * Math.min(1, last.done / last.total)) : 0;
  const parts = [printable(last.phase), `[${"#".repeat(filled)}${"-".repeat(BAR_WIDTH - filled)}]`, ...counts(phase)];
  while (parts.length > 1 && parts.join(GAP).length > width) parts.pop();
  return parts.join(GAP).slice(0, width);
}

/** The same without a bar, for a line that stays: a finished phase tells the time it took instead of the time left. */
function stateText(phase: Phase): string {
  return [printable(phase.last.phase), ...counts(phase)].join(GAP);
}

function counts(phase: Phase): string[] {
  const { last, began, at } = phase;
  const unit = printable(last.unit);
  const rate = rateOf(phase);
  const left = last.total - last.done;
  return [
    last.total > 0 ? `${grouped(last.done)}/${grouped(last.total)} ${unit}` : `${grouped(last.done)} ${unit}`,
    ...(rate === undefined ? [] : [`${grouped(rate, rate < 10 ? 1 : 0)} ${unit}/s`]),
    ...(rate === undefined || last.total <= 0 ? [] : [left > 0 ? `${clock(left / rate)} left` : `in ${clock((at - began) / 1000)}`]),
    ...Object.entries(last.figures ?? {}).map(([name, value]) => figureText(printable(name), value)),
  ];
}

function figureText(name: string, value: number): string {
  const perSecond = /^(.*)_per_second$/.exec(name)?.[1];
  const size = /^(.*)_bytes$/.exec(name)?.[1];
  if (size !== undefined) return `${label(size)} ${bytes(value)}`;
  return perSecond === undefined ? `${label(name)} ${figure(value)}` : `${grouped(value)} ${label(perSecond)}/s`;
}
