/** One run of the command line: words in, exit code out. What it touches of the process is given to it, so that tests can give something else. */
import type { CommonOptions } from "../runtime/options.ts";
import type { Verbs } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { catchInterrupts, type SignalSource } from "./interrupts.ts";
import { parseCommandLine, type Invocation } from "./program.ts";
import { printable } from "./printable.ts";
import { ProgressDisplay } from "./progress.ts";
import { reportError } from "./report-error.ts";
import { colored, writeLines, type OutputStream } from "./streams.ts";

/** Lines of text wider than this are hard to read; wider terminals keep to it. */
const MAX_HELP_WIDTH = 120;

/** The world outside. */
export interface CliContext {
  /** The library; a verb is loaded when it is about to run: help must not wait for it. */
  readonly verbs: Verbs;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly signals: SignalSource;
  /** Ends the process at once; called at the second Ctrl-C. */
  readonly exit: (code: number) => void;
  readonly version: string;
  /** Milliseconds; the process' own clock where left out. */
  readonly now?: () => number;
}

/** Runs one command line, without the program's own name. Never throws; returns the exit code: 0, 1, 2 or 130. */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr } = context;
  const given = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const [json, quiet, verbose] = [given.includes("--json"), given.includes("--quiet"), given.includes("--verbose")];
  try {
    const invocation = parseCommandLine(words, COMMANDS, {
      version: context.version, width: Math.min(stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH), write: (text) => stdout.write(text),
    });
    return invocation === undefined ? 0 : await runVerb(invocation, context, { json, quiet, verbose });
  } catch (error) {
    return reportError(error, { stdout, stderr, json, verbose });
  }
}

/** How much is said, and in which form. */
type Manner = Readonly<Record<"json" | "quiet" | "verbose", boolean>>;

async function runVerb({ command, model, values }: Invocation, context: CliContext, { json, quiet, verbose }: Manner): Promise<number> {
  const { stdout, stderr } = context;
  const display = new ProgressDisplay(stderr, context.now);
  const interrupts = catchInterrupts(context.signals, () => {
    if (!quiet) display.writeLine(command.stopping);
  }, () => { context.exit(130); });
  const common: CommonOptions = {
    signal: interrupts.signal,
    onProgress: quiet || (json && !verbose) ? undefined : (progress) => { display.report(progress); },
    onNotice: quiet ? undefined : (notice) => { display.writeLine(`${colored(stderr, "yellow", "note:")} ${printable(notice)}`); },
  };
  try {
    const outcome = await command.run(context.verbs, model, values, common, verbose);
    display.finish();
    writeLines(stdout, json ? [JSON.stringify(outcome.result)] : outcome.lines);
    // A script that runs several commands must stop at Ctrl-C, also where the work was done by then.
    return interrupts.signal.aborted ? 130 : outcome.exitCode;
  } finally {
    display.finish();
    interrupts.release();
  }
}
