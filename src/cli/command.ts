/** What a verb of the command line is made of. A command holds no logic: the library does the work. */
import type { AdaptVerbOptions, ArtifactsOptions, CommonOptions, CostOptions, DemoOptions, EvaluateOptions, FoldOptions, GenerateOptions, InspectOptions, PredictOptions, ReportOptions, TrainOptions, VerifyOptions } from "../runtime/options.ts";
import type { AdaptResult, ArtifactsResult, CostResult, DemoResult, EvaluateResult, FoldResult, GenerateResult, InspectResult, PredictResult, ReportResult, TrainResult, VerifyResult } from "../runtime/results.ts";
import type { Flag, RequiredFlag } from "./flag.ts";

/** The library's verbs, as src/index.ts exports them. `model` is a file or a folder. */
export interface Verbs {
  inspect(model: string, options: InspectOptions): Promise<InspectResult>;
  cost(model: string, options: CostOptions): Promise<CostResult>;
  adapt(model: string, options: AdaptVerbOptions): Promise<AdaptResult>;
  artifacts(model: string, options: ArtifactsOptions): Promise<ArtifactsResult>;
  train(model: string, options: TrainOptions): Promise<TrainResult>;
  evaluate(model: string, options: EvaluateOptions): Promise<EvaluateResult>;
  predict(model: string, options: PredictOptions): Promise<PredictResult>;
  generate(model: string, options: GenerateOptions): Promise<GenerateResult>;
  fold(model: string, options: FoldOptions): Promise<FoldResult>;
  verify(model: string, options: VerifyOptions): Promise<VerifyResult>;
  report(runs: readonly string[], options: ReportOptions): Promise<ReportResult>;
  demo(options: DemoOptions): Promise<DemoResult>;
}

/** One flag for each option of a verb, no more and no fewer; an option that the verb can't do without has a required flag. */
export type FlagsFor<Options extends CommonOptions> = {
  readonly [K in Exclude<keyof Options, keyof CommonOptions>]-?: undefined extends Options[K] ? Flag<Exclude<Options[K], undefined>> : RequiredFlag<Options[K]>;
};

/** How a verb ended. */
export interface Outcome {
  /** For `--json`. */
  readonly result: unknown;
  /** For people, on stdout; made when asked for. */
  readonly lines: () => readonly string[];
  readonly exitCode: 0 | 1 | 130;
}

/** One verb, its option types erased. */
export interface Command {
  readonly name: keyof Verbs;
  /** What others call it; found by search, suggested, never accepted. */
  readonly alsoCalled: readonly string[];
  /** One line. */
  readonly summary: string;
  readonly description: string;
  /** What its words are that are no flags: one MODEL, one or more folders of runs, or none. */
  readonly takes: "model" | "runs" | "nothing";
  /** By the option that each one sets. */
  readonly flags: Readonly<Record<string, Flag<unknown>>>;
  /** Pairs of flags that contradict each other, by option. */
  readonly contradictions: readonly (readonly [string, string])[];
  readonly example: string;
  /** Keys of the `--json` object. */
  readonly gives: readonly string[];
  /** What the first Ctrl-C leads to where something is saved then; it is so at SIGTERM too, which ends other commands at once. */
  readonly stopping: string | undefined;
  run(verbs: Verbs, words: readonly string[], values: Readonly<Record<string, unknown>>, common: CommonOptions, verbose: boolean): Promise<Outcome>;
}

/** What a command's file says. */
export interface CommandSpec<Options extends CommonOptions, Result> {
  readonly name: keyof Verbs;
  readonly alsoCalled?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly takes?: Command["takes"];
  readonly flags: FlagsFor<Options>;
  readonly contradictions?: readonly (readonly [keyof Options & string, keyof Options & string])[];
  readonly example: string;
  readonly gives: readonly (keyof Result & string)[];
  readonly stopping?: string;
  /** `model` is the first of the words, and empty where there are none. */
  run(verbs: Verbs, model: string, options: Options, words: readonly string[]): Promise<Result>;
  /** The result as lines for people. */
  show(result: Result, options: Options & { readonly verbose: boolean }): readonly string[];
  /** 0 where left out. */
  exitCode?(result: Result): 0 | 1 | 130;
}

/** A Command of the spec. The one cast stands on FlagsFor: each value was made by the flag of its own option. */
export function defineCommand<Options extends CommonOptions, Result>(spec: CommandSpec<Options, Result>): Command {
  return {
    alsoCalled: [], takes: "model", contradictions: [], stopping: undefined, ...spec,
    async run(verbs, words, values, common, verbose) {
      const options = { ...values, ...common } as Options;
      const result = await spec.run(verbs, words[0] ?? "", options, words);
      return { result, lines: () => spec.show(result, { ...options, verbose }), exitCode: spec.exitCode?.(result) ?? 0 };
    },
  };
}
