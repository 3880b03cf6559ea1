/** What stands in a config file, as types: the options of the library's verbs, by the same names. */
import type {
  AdaptVerbOptions, ArtifactsOptions, CommonOptions, DemoOptions, EvaluateOptions, FoldOptions, InspectOptions, PredictOptions, ReportOptions, TrainOptions, VerifyOptions,
} from "../../runtime/options.ts";

/** The options of one verb that a file can hold: all but the callbacks. None is needed, since a flag may give it. */
type Section<Options> = { readonly [K in Exclude<keyof Options, keyof CommonOptions>]?: Options[K] | undefined };

/** Options that say what a verb reads and writes (the group "Files:" of its help), and the training data, whose name is the verb's: these stand in a verb's section only. */
export type SectionOnly = "output" | "adapter" | "saveAdapter" | "merged" | "embed" | "requantize" | "dryRun" | "overwrite" | "resume" | "tensorboard" | "format" | "frozenInCheckpoint" | "checkpoint"
  | "swappable" | "perRow" | "train" | "model";

type Shared = Omit<Section<DemoOptions & InspectOptions & TrainOptions & EvaluateOptions & PredictOptions & ReportOptions & FoldOptions & VerifyOptions & AdaptVerbOptions & ArtifactsOptions>, SectionOnly>;

/** A config file. Options at the top are for every verb that has them; those in a verb's section for that verb, and go before the ones at the top. */
export interface HutConfig extends Shared {
  /** MODEL: a file, or a folder in Hugging Face's layout. */
  readonly model?: string | undefined;
  readonly demo?: Section<DemoOptions> | undefined;
  readonly inspect?: Section<InspectOptions> | undefined;
  readonly train?: Section<TrainOptions> | undefined;
  readonly evaluate?: Section<EvaluateOptions> | undefined;
  readonly predict?: Section<PredictOptions> | undefined;
  readonly report?: Section<ReportOptions> | undefined;
  readonly fold?: Section<FoldOptions> | undefined;
  readonly verify?: Section<VerifyOptions> | undefined;
  readonly adapt?: Section<AdaptVerbOptions> | undefined;
  readonly artifacts?: Section<ArtifactsOptions> | undefined;
}

/** The options themselves; an editor knows their names and types. In hut.config.ts: `export default defineConfig({ … })`. */
export function defineConfig(config: HutConfig): HutConfig {
  return config;
}
