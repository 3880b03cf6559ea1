/** One run of the command line: words in, exit code out. What it touches of the process is given to it, so that tests can give something else. */
import type { CommonOptions } from "../runtime/options.ts";
import type { Command, Verbs } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { catchInterrupts, type SignalName, type SignalSource } from "./interrupts.ts";
import { findConfig } from "./config/find-config.ts";
import { inForce, type ConfigOptions } from "./config/in-force.ts";
import { configLines, configReport } from "./config/print-config.ts";
import { invocationOf, parseCommandLine, type Invocation } from "./program.ts";
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
  /** Reads a config file; loaded when there is one: that takes as long as a small command does. Where left out there are none. */
  readonly readConfig?: (file: string, cwd: string, command: Command, commands: readonly Command[]) => Promise<ConfigOptions>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly signals: SignalSource;
  /** Ends the process at once; called at the second Ctrl-C. */
  readonly exit: (code: number) => void;
  readonly version: string;
  /** The working folder, where a config file may be; the process' own where left out. */
  readonly cwd?: string;
  /** Milliseconds; the process' own clock where left out. */
  readonly now?: () => number;
}

/** Runs one command line, without the program's own name. Never throws; returns the exit code: 0, 1, 2 or 130. */
export async function runCli(words: readonly string[], context: CliContext): Promise<number> {
  const { stdout, stderr } = context;
  const given = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
  const [json, quiet, verbose] = [given.includes("--json"), given.includes("--quiet"), given.includes("--verbose")];
  try {
    const request = parseCommandLine(words, COMMANDS, {
      version: context.version, width: Math.min(stdout.columns ?? MAX_HELP_WIDTH, MAX_HELP_WIDTH), write: (text) => stdout.write(text),
    });
    if (request === undefined) return 0;
    const { command, words: rest, config: wish } = request;
    const cwd = context.cwd ?? process.cwd();
    const file = wish.file === false || context.readConfig === undefined ? undefined : wish.file ?? findConfig(cwd);
    const config = file === undefined ? undefined : await context.readConfig?.(file, cwd, command, COMMANDS);
    const force = inForce(request, config);
    if (wish.print) {
      writeLines(stdout, json ? [JSON.stringify(configReport(force))] : configLines(configReport(force)));
      return 0;
    }
    if (file !== undefined && wish.file === undefined && !quiet) writeLines(stderr, [`${colored(stderr, "yellow", "note:")} options from ${printable(file)} too; --print-config shows them`]);
    return await runVerb(invocationOf(command, rest, force.values, force.model?.value), context, { json, quiet, verbose });
  } catch (error) {
    return reportError(error, { stdout, stderr, json, verbose });
  }
}

/** How much is said, and in which form. */
type Manner = Readonly<Record<"json" | "quiet" | "verbose", boolean>>;

async function runVerb({ command, words, values }: Invocation, context: CliContext, { json, quiet, verbose }: Manner): Promise<number> {
  const { stdout, stderr } = context;
  const display = new ProgressDisplay(stderr, context.now);
  const caught: SignalName[] = command.stopping === undefined ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const interrupts = catchInterrupts(context.signals, caught, () => {
    if (!quiet) display.writeLine(command.stopping ?? "stopping");
  }, () => { context.exit(130); });
  const told = { pieces: 0 };
  const common: CommonOptions = {
    onText: json ? undefined : (piece) => {
      told.pieces += 1;
      stdout.write(piece.split("\n").map(printable).join("\n"));
    },
    signal: interrupts.signal,
    onProgress: quiet || (json && !verbose) ? undefined : (progress) => { display.report(progress); },
    onNotice: quiet ? undefined : (notice) => { display.writeLine(`${colored(stderr, "yellow", "note:")} ${printable(notice)}`); },
  };
  try {
    const outcome = await command.run(context.verbs, words, values, common, verbose);
    display.finish();
    if (told.pieces > 0) stdout.write("\n");
    writeLines(stdout, json ? [JSON.stringify(outcome.result)] : outcome.lines());
    // A script that runs several commands must stop at Ctrl-C, also where the work was done by then.
    return interrupts.signal.aborted ? 130 : outcome.exitCode;
  } finally {
    display.finish();
    interrupts.release();
  }
}
