/** The work of the page, off its thread: onnx-hut on onnxruntime-web. */
import { HutError, openModel, readRecords, type AdaptedModel, type MemoryModel, type MemoryRunOptions, type ModelFiles, type OnnxRuntime } from "../../src/browser.ts";
import type { Answer, DataInfo, OpenedInfo, PickedModel, Provider, Reply, Request, Requests, Scores, TrainedInfo, TrainSettings } from "./messages.ts";
import { classify } from "./transformers.ts";

/** Every so many sentences one is held out, where there are enough to spare any. */
const HELD_OUT_OF = 5;
const ENOUGH_TO_HOLD_OUT = 50;

/** The files that may go along with a model, by what onnx-hut calls them. */
const OTHERS = { tokenizerConfig: "tokenizer_config.json", specialTokensMap: "special_tokens_map.json", config: "config.json" } as const satisfies Partial<Record<keyof ModelFiles, string>>;

type Fields = Readonly<Record<string, unknown>>;

/** What was chosen so far; each step of the page needs those before it. */
interface Chosen {
  runtime?: OnnxRuntime;
  files?: ModelFiles;
  model?: MemoryModel;
  run?: MemoryRunOptions;
  hasLogits?: boolean;
  /** As it was before training, for comparison; and as it is. */
  start?: AdaptedModel;
  adapted?: AdaptedModel;
  /** What training made of it: the file that the user takes, and the model in it, which answers from then on. */
  merged?: Uint8Array;
  tried?: AdaptedModel;
  /** The same as a folder, once it was asked for. */
  folder?: Promise<ReadonlyMap<string, Uint8Array>>;
  train?: readonly Fields[];
  dev?: readonly Fields[];
  classes?: readonly string[];
}

const chosen: Chosen = {};
let stop = new AbortController();

const HANDLERS: { readonly [K in keyof Requests]: (body: Requests[K]["takes"]) => Promise<Requests[K]["gives"]> } = {
  open: ({ picked, provider }) => open(picked, provider),
  data: ({ name, content, rank }) => data(name, content, rank),
  train: (settings) => train(settings),
  stop: () => {
    stop.abort();
    return Promise.resolve(null);
  },
  predict: ({ sentence }) => predict(sentence),
  transformers: ({ sentence }) => transformers(sentence),
  merged: () => Promise.resolve(needed(chosen.merged)),
  adapter: () => Promise.resolve([...needed(chosen.adapted).adapterFiles()]),
  folder: async () => [...await folder()],
};

async function open(picked: PickedModel | null, provider: Provider): Promise<OpenedInfo> {
  // The build of ONNX Runtime without WebGPU is half as large.
  const runtime = await import(new URL(`/ort/ort.${provider}.min.mjs`, self.location.href).href) as OnnxRuntime;
  const fetched = async (name: string): Promise<Response> => {
    const response = await fetch(`/demo/${name}`);
    if (!response.ok) throw new Error(`The demo's ${name} is not there (${String(response.status)}).`);
    return response;
  };
  const fetchedText = async (name: string): Promise<string> => (await fetched(name)).text();
  const { others, ...given } = picked ?? {
    name: "model.onnx", model: await (await fetched("model.onnx")).arrayBuffer(), tokenizer: await fetchedText("tokenizer.json"),
    others: await Promise.all(Object.values(OTHERS).map(async (name) => [name, await fetchedText(name)] as const)),
  };
  const files = { ...given, ...Object.fromEntries(Object.entries(OTHERS).map(([key, name]) => [key, others.find(([other]) => other === name)?.[1]])) };
  const model = openModel(runtime, files);
  const { parameters, weights, outputs } = model.inspect();
  chosen.runtime = runtime;
  chosen.files = files;
  chosen.model = model;
  chosen.run = { provider: provider === "webgpu" ? "webgpu" : "cpu" };
  chosen.hasLogits = outputs.some((output) => output.name === "logits");
  return { name: files.name, parameters, weights: weights.length, hasLogits: chosen.hasLogits };
}

async function data(name: string, content: ArrayBuffer | string, rank: number): Promise<DataInfo> {
  const model = needed(chosen.model);
  const { columns, records } = readRecords({ name, content });
  const text = ["text", "sentence"].find((column) => columns.includes(column));
  if (text === undefined || !columns.includes("label")) throw new Error(`The first line must name the columns "text" (or "sentence") and "label"; it names ${columns.map((c) => `"${c}"`).join(", ")}.`);
  const fields = records.map((record) => record.fields);
  const labels = fields.map((record) => String(record["label"]));
  const numbered = labels.every((label) => /^\d+$/.test(label));
  const found = [...new Set(labels)].sort((a, b) => (numbered ? Number(a) - Number(b) : a < b ? -1 : 1));
  const classes = numbered ? Array.from({ length: Number(found.at(-1)) + 1 }, (_, i) => String(i)) : found;
  if (found.length < 2) throw new Error(`All sentences have the same label, "${found[0] ?? ""}". There must be two at least.`);
  const spared = fields.length >= ENOUGH_TO_HOLD_OUT;
  const isSpared = (i: number): boolean => spared && i % HELD_OUT_OF === HELD_OUT_OF - 1;
  const head = chosen.hasLogits === true ? {} : { head: "mean" as const, numLabels: classes.length };
  await forget();
  const adapted = model.adapt({ ...head, rank });
  chosen.start = model.adapt({ ...head, rank });
  chosen.adapted = adapted;
  chosen.train = fields.filter((_, i) => !isSpared(i));
  chosen.dev = fields.filter((_, i) => isSpared(i));
  chosen.classes = classes;
  return {
    sentences: fields.length, heldOut: chosen.dev.length, classes: classes.map((c) => ({ name: c, count: labels.filter((label) => label === c).length })),
    examples: fields.slice(0, 3).map((record) => ({ sentence: String(record[text]), label: String(record["label"]) })), trainableParams: adapted.trainableParams, totalParams: adapted.totalParams,
  };
}

async function train({ epochs, batchSize, lr }: TrainSettings): Promise<TrainedInfo> {
  const adapted = needed(chosen.adapted);
  const dev = needed(chosen.dev);
  stop = new AbortController();
  const options = {
    ...chosen.run, batchSize,
    onProgress: ({ phase, done, total, figures }: { phase: string; done: number; total: number; figures?: Readonly<Record<string, number>> }): void => {
      post({ news: { phase, done, total, loss: figures?.["loss"] ?? null } });
    },
  };
  const accuracy = async (): Promise<number | null> => (dev.length === 0 ? null : (await adapted.evaluate(dev, options))["eval_accuracy"] ?? null);
  await forget();
  const before = await accuracy();
  const { steps, train_runtime, interrupted } = await adapted.train(needed(chosen.train), { ...options, epochs, lr, signal: stop.signal });
  const after = await accuracy();
  await adapted[Symbol.asyncDispose]();
  chosen.merged = await adapted.fold();
  chosen.tried = openModel(needed(chosen.runtime), { ...needed(chosen.files), model: chosen.merged, classes: adapted.classes }).adapt();
  return { steps, seconds: train_runtime, interrupted, accuracy: { before, after } };
}

/** Lets go of what an earlier training made. */
async function forget(): Promise<void> {
  await chosen.tried?.[Symbol.asyncDispose]();
  delete chosen.tried;
  delete chosen.merged;
  delete chosen.folder;
}

async function predict(sentence: string): Promise<Scores> {
  const start = needed(chosen.start);
  const scores = async (model: AdaptedModel): Promise<number[]> => softmax((await model.predict([{ text: sentence }], chosen.run))[0]?.logits ?? []);
  const before = await scores(start);
  // Each model that predicts holds the weights once more.
  await start[Symbol.asyncDispose]();
  return { classes: needed(chosen.classes), before, after: chosen.tried === undefined ? before : await scores(chosen.tried) };
}

/** What this page says of a sentence, and what transformers.js says that is given the folder. */
async function transformers(sentence: string): Promise<{ ours: Answer; theirs: Answer }> {
  const [{ label, score } = {}] = await needed(chosen.tried).predict([{ text: sentence }], chosen.run);
  return { ours: { label: needed(label), score: needed(score) }, theirs: await classify(await folder(), sentence) };
}

function folder(): Promise<ReadonlyMap<string, Uint8Array>> {
  chosen.folder ??= needed(chosen.adapted).modelFolder({ name: "trained" });
  return chosen.folder;
}

function softmax(logits: readonly number[]): number[] {
  const powers = logits.map((v) => Math.exp(v - Math.max(...logits)));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / sum);
}

function needed<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("Choose a model and data first.");
  return value;
}

function post(reply: Reply): void {
  self.postMessage(reply);
}

self.addEventListener("message", ({ data: request }: MessageEvent<Request>) => {
  const handle = HANDLERS[request.type] as (body: unknown) => Promise<unknown>;
  handle(request.body).then(
    (result) => { post({ id: request.id, result }); },
    (error: unknown) => { post({ id: request.id, error: error instanceof HutError || error instanceof Error ? error.message : String(error) }); },
  );
});
