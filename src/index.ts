/** The public verbs. Each takes a model's path (or folder) and the options of the same words as the command line's flags. */
export { inspect } from "./runtime/node/verbs/inspect.ts";
export { adapt } from "./runtime/node/verbs/adapt.ts";
export { artifacts } from "./runtime/node/verbs/artifacts.ts";
export { train } from "./runtime/node/verbs/train.ts";
export { evaluate, predict } from "./runtime/node/verbs/evaluate.ts";
export { generate } from "./runtime/node/verbs/generate.ts";
export { fold } from "./runtime/node/verbs/fold.ts";
export { verify } from "./runtime/node/verbs/verify.ts";
export { demo } from "./runtime/node/verbs/demo.ts";
export { loadAdapter, openSwappable } from "./runtime/node/open-swappable.ts";
export type { AdapterFiles, SwapAdapter, SwappableSession } from "./runtime/swap/swappable-session.ts";
export { HutError, type ErrorDetails } from "./errors/hut-error.ts";
export type * from "./runtime/options.ts";
export type * from "./runtime/results.ts";
export type { DataReport } from "./runtime/data/data-report.ts";
export { readManifest } from "./runtime/read-manifest.ts";
export type { Manifest } from "./runtime/manifest.ts";
export { defineConfig, type HutConfig } from "./cli/config/define-config.ts";
