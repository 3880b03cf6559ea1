/** The library's verbs, each loaded when it is called: what the others are made of takes longer to load than a small command takes. */
import type { Verbs } from "./command.ts";

export const VERBS: Verbs = {
  inspect: async (model, options) => (await import("../runtime/node/verbs/inspect.ts")).inspect(model, options),
  cost: async (model, options) => (await import("../runtime/node/verbs/cost.ts")).cost(model, options),
  adapt: async (model, options) => (await import("../runtime/node/verbs/adapt.ts")).adapt(model, options),
  artifacts: async (model, options) => (await import("../runtime/node/verbs/artifacts.ts")).artifacts(model, options),
  train: async (model, options) => (await import("../runtime/node/verbs/train.ts")).train(model, options),
  evaluate: async (model, options) => (await import("../runtime/node/verbs/evaluate.ts")).evaluate(model, options),
  predict: async (model, options) => (await import("../runtime/node/verbs/evaluate.ts")).predict(model, options),
  generate: async (model, options) => (await import("../runtime/node/verbs/generate.ts")).generate(model, options),
  fold: async (model, options) => (await import("../runtime/node/verbs/fold.ts")).fold(model, options),
  verify: async (model, options) => (await import("../runtime/node/verbs/verify.ts")).verify(model, options),
  report: async (runs, options) => (await import("../runtime/node/verbs/report.ts")).report(runs, options),
  demo: async (options) => (await import("../runtime/node/verbs/demo.ts")).demo(options),
};
