/** Runs the command line with fake verbs, streams and signals. */
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import type { Verbs } from "../../src/cli/command.ts";
import { readConfig } from "../../src/cli/config/read-config.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import type { VerifyResult } from "../../src/runtime/results.ts";

/** A stream that keeps what is written to it; a terminal if it is given columns. */
export class Captured extends Writable {
  text = "";
  readonly isTTY: boolean;
  readonly columns: number;

  constructor(terminalColumns?: number) {
    super({ decodeStrings: false, write: (chunk, _encoding, done) => { this.text += String(chunk); done(); } });
    this.isTTY = terminalColumns !== undefined;
    this.columns = terminalColumns ?? 100;
  }
}

export const VERIFIED: VerifyResult = { maxAbsDiff: 2.5e-6, sameExceptWeights: true, latencyRatio: 1.004, tolerance: 1e-4, problems: [], ok: true };

/** One call of a verb. */
export interface Call {
  readonly verb: string;
  readonly model: string | undefined;
  /** Without signal and callbacks. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Verbs that note what they are called with and answer with small results. */
export function fakeVerbs(calls: Call[], override: Partial<Verbs> = {}): Verbs {
  const note = (verb: string, model: string | undefined, { signal: _s, onProgress: _p, onNotice: _n, onText: _t, ...options }: Record<string, unknown>): void => {
    calls.push({ verb, model, options });
  };
  const answer = <R>(verb: string, result: R) => (model: string, options: object): Promise<R> => {
    note(verb, model, { ...options });
    return Promise.resolve(result);
  };
  return {
    inspect: answer("inspect", {
      model: "m.onnx", irVersion: 8, opsets: { "": 17 }, producer: "pytorch", inputs: [], outputs: [], weights: [], operators: {}, withoutGradient: [],
      parameters: 9_461_760, flops: null, bytes: 19_000_000, seconds: 0.1,
    }),
    adapt: answer("adapt", {
      adapted: [{ modulePath: "layer.0.query", shape: [384, 384] as const, rank: 8, params: 6144 }], modulesToSave: [], inputs: [], trainableParams: 6144,
      totalParams: 9_461_760, seconds: 0.1, bytesWritten: 4321, output: "a.onnx",
    }),
    artifacts: answer("artifacts", { files: ["out/step.onnx"], trainableParams: 6144, bytesWritten: 1000, seconds: 0.1 }),
    train: answer("train", {
      plan: { examples: 16_000, devExamples: null, data: [], stepsPerEpoch: 500, totalSteps: 1500, warmupSteps: 90, learningRate: 0.005, tokensPerBatch: 4096, memoryBytes: 1_600_000_000 },
      steps: 1500, firstLoss: 0.69312, lastLoss: 0.2, evaluations: [], bestStep: null, metrics: { eval_accuracy: 0.8 }, classes: [], adapter: "run/adapter", trainableParams: 37_634,
      totalParams: 9_461_760, train_runtime: 125.4, train_samples_per_second: 300.5, train_tokens_per_second: 7654.3, interrupted: false, found: null,
    }),
    evaluate: answer("evaluate", { examples: 872, metrics: { eval_loss: 0.5, eval_accuracy: 0.8 }, classes: [{ label: "good", precision: 0.75, recall: 0.5, f1: 0.6, support: 400 }], seconds: 3 }),
    predict: answer("predict", { examples: 872, output: "p.jsonl", seconds: 3 }),
    cost: answer("cost", {
      batchSize: 32, maxSeqLength: 128, parameters: 9_461_760, forwardFlops: 4.2e9, refused: [{ method: "bitfit", why: "it has no biases" }], breakEvenTokens: 204.2, seconds: 0.2,
      costs: [{ method: "hut", rank: 8, trainableParams: 37_634, updateFlops: 1.2e7, adaptedFlops: 4.3e9, stepFlops: 8.5e9, memoryBytes: 4e8, stateBytes: 451_608 }],
    }),
    generate: answer("generate", { examples: 2, tokens: 24, text: null, output: "g.jsonl", metrics: { bleu: 0.61234, rouge_l: 0.7 }, cached: true, seconds: 3, tokensPerSecond: 8 }),
    fold: answer("fold", {
      folded: [{ modulePath: "layer.0.query", shape: [384, 384] as const }], replaced: [], floated: [], requantized: [], seconds: 0.1, bytesWritten: 19_000_000, output: "merged.onnx", files: ["merged.onnx"],
    }),
    verify: answer("verify", VERIFIED),
    report: (runs, options) => {
      note("report", undefined, { ...options, runs });
      return Promise.resolve({
        metric: { name: "eval_accuracy", greaterIsBetter: true }, runs: [], examined: [], notes: ["Mistakes of r: the run had no dev set."], output: "report.html", bytesWritten: 60_000, seconds: 2,
        groups: [{ name: "hut r8", method: "hut", rank: 8, runs: [0, 1], seeds: [0, 1], finished: true, metrics: { eval_accuracy: { n: 2, mean: 0.8, deviation: 0.01, min: 0.79, max: 0.81 } }, flops: 2.5e12, trainableParams: 37_634, seconds: { n: 2, mean: 30, deviation: 1, min: 29, max: 31 } }],
      });
    },
    demo: (options) => {
      note("demo", undefined, { ...options });
      return Promise.resolve({
        before: { eval_accuracy: 0.5092 }, after: { eval_accuracy: 0.8016 }, verify: VERIFIED, seconds: 95, trainableParams: 37_634, totalParams: 9_461_760,
        train_runtime: 61, train_tokens_per_second: 8123, bytes: { base: 19_000_000, adapted: 40_500, adapter: 156_000, merged: 19_000_000 },
        steps: 126, output: null,
      });
    },
    ...override,
  };
}

/** How a run ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly calls: readonly Call[];
}

/** What a test may replace. */
export interface RunWith {
  readonly verbs?: Partial<Verbs>;
  readonly signals?: EventEmitter;
  readonly exit?: (code: number) => void;
  readonly stderr?: Captured;
  readonly now?: () => number;
  /** The working folder. */
  readonly cwd?: string;
}

/** Runs one command line. */
export async function run(words: readonly string[], { verbs, signals = new EventEmitter(), exit, stderr = new Captured(), now, cwd }: RunWith = {}): Promise<Ended> {
  const calls: Call[] = [];
  const stdout = new Captured();
  const code = await runCli(words, {
    verbs: fakeVerbs(calls, verbs), readConfig, stdout, stderr, signals, version: "1.2.3", ...(now === undefined ? {} : { now }), ...(cwd === undefined ? {} : { cwd }),
    exit: exit ?? ((exitCode) => { throw new Error(`exit ${String(exitCode)}`); }),
  });
  return { code, out: stdout.text, err: stderr.text, calls };
}
