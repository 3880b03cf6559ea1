/** config.json: what a base's says that matters here, and that of a merged model's folder, the base's own with what the loaders ask for. */
import type { ProblemName } from "../options.ts";
import { problemOfType, problemType } from "../tasks/problem.ts";

/** An object of a JSON file. */
export type Json = Readonly<Record<string, unknown>>;

/** What there is to say of a merged model. */
export interface DeployedModel {
  /** The names of the classes, one for each; undefined where the model is no classifier. */
  readonly labels: readonly string[] | undefined;
  /** Undefined for a model that tells of words: transformers has no word for it. */
  readonly problem: ProblemName | undefined;
  /** Whether fold attached a head: the base's class is then another. */
  readonly hasNewHead: boolean;
  /** The graph's file, and how many files its external data is in. */
  readonly graph: { readonly file: string; readonly dataFiles: number };
  /** `model_type` where the base says none; undefined where none would do. */
  readonly standInType: string | undefined;
  /** What the graph tells, for a base without config.json. */
  readonly known: Json;
}

/** Keys of `transformers.js_config` that name files of the base's folder, which this one doesn't have. */
const OF_BASE_FILES = new Set(["dtype", "use_external_data_format", "device_config"]);

/** The config; `base` is the base's, undefined where it has none. */
export function configJson(base: Json | undefined, { labels, problem, hasNewHead, standInType, graph, known }: DeployedModel): Record<string, unknown> {
  const { architectures, ...others } = base ?? known;
  return {
    ...(hasNewHead || architectures === undefined ? {} : { architectures }),
    ...others,
    ...(typeof others["model_type"] === "string" || standInType === undefined ? {} : { model_type: standInType }),
    ...(labels === undefined ? {} : {
      id2label: Object.fromEntries(labels.map((name, i) => [String(i), name])),
      label2id: Object.fromEntries(labels.map((name, i) => [name, i])),
      ...(problem === undefined ? {} : { problem_type: problemType(problem) }),
    }),
    "transformers.js_config": {
      ...Object.fromEntries(Object.entries(isObject(base?.["transformers.js_config"]) ? base["transformers.js_config"] : {}).filter(([key]) => !OF_BASE_FILES.has(key))),
      // The file's suffix, not how weights are stored: a browser would look for model_quantized.onnx.
      dtype: "fp32",
      ...(graph.dataFiles === 0 ? {} : { use_external_data_format: { [graph.file]: graph.dataFiles } }),
    },
  };
}

/** The classes' names in order, from `id2label`; undefined where the config doesn't number them from 0 without gaps. */
export function labelsIn(config: Json | undefined): string[] | undefined {
  const id2label = config?.["id2label"];
  if (typeof id2label !== "object" || id2label === null) return undefined;
  const names = Object.entries(id2label).sort(([a], [b]) => Number(a) - Number(b));
  return names.every(([id, name], i) => id === String(i) && typeof name === "string") ? names.map(([, name]) => String(name)) : undefined;
}

/** What a classifier was trained for, from `problem_type`; undefined where the config doesn't tell. */
export function problemIn(config: Json | undefined): ProblemName | undefined {
  return problemOfType(config?.["problem_type"]);
}

/** Whether a file's value is an object. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
