/** The model card of a merged model's folder. */
import type { ProblemName } from "../options.ts";

/** By this line a card is known as ours, and may be written anew. */
const MARK = "<!-- written by onnx-hut; remove this line to keep your own text -->";

/** What a card tells. What isn't known is undefined, and the card leaves it out. */
export interface ModelCard {
  /** The folder's name. */
  readonly name: string;
  /** The hub's pipeline tag, and the library that opens the folder. */
  readonly tag: string;
  readonly library: "transformers.js" | "sentence-transformers";
  /** The base's name on the hub. */
  readonly base: string | undefined;
  readonly labels: readonly string[] | undefined;
  /** Of a classifier of records: what it tells; undefined where it tells of words. */
  readonly problem: ProblemName | undefined;
  readonly method: {
    readonly name: string; readonly rank?: number; readonly alpha?: number; readonly targets: string; readonly whole: readonly string[];
    /** Numbers trained. */
    readonly trained: number;
  };
  /** How an attached head pools. */
  readonly pooling: string | undefined;
  readonly run: RunFacts | undefined;
  /** The graph decodes stored integers: ONNX Runtime rounds activations there unless it is told not to. */
  readonly decodes: boolean;
  /** Paths in the folder. */
  readonly files: readonly string[];
}

/** What the run folder of an adapter tells of how it was trained. */
export interface RunFacts {
  /** Names of the data files. */
  readonly train: string | undefined;
  readonly dev: string | undefined;
  /** Settings that are numbers: learning rate, epochs, … */
  readonly settings: Readonly<Record<string, number>>;
  /** On `dev`: accuracy, loss, … */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Settings of a run that a card tells, with their words there. */
export const TOLD_SETTINGS: Readonly<Record<string, string>> = {
  lr: "peak learning rate", epochs: "epochs", maxSteps: "steps", batchSize: "batch size", maxSeqLength: "longest text, in tokens",
  weightDecay: "weight decay", seed: "seed",
};

/** What the program on the card is run on. */
const TEXT = "I would see it again tomorrow.";
const IMAGE = "image.png";

/** The card: front matter as the hub reads it, then what the model is, how it was trained, what it reaches, and how to run it. */
export function modelCard(card: ModelCard): string {
  return [
    "---", ...frontMatter(card), "---", "", MARK, "", `# ${plain(card.name)}`, "", ...whatItIs(card),
    "## How it was trained", "", ...training(card),
    ...(card.run === undefined || Object.keys(card.run.metrics).length === 0 ? [] : ["## Metrics", "", ...metricsTable(card.run), ""]),
    "## How to use it", "", ...usage(card),
    "## Files", "", ...card.files.map((file) => `- \`${file}\``), "",
  ].join("\n");
}

/** Whether a card was written by modelCard and not edited since to be kept. */
export function isOurCard(text: string): boolean {
  return text.includes(MARK);
}

function frontMatter({ name, tag, library, base, method, run }: ModelCard): string[] {
  const metrics = Object.entries(run?.metrics ?? {});
  const data = run?.dev;
  return [
    `library_name: ${library}`,
    `pipeline_tag: ${tag}`,
    ...(base === undefined ? [] : [`base_model: ${yaml(base)}`, "base_model_relation: finetune"]),
    "tags:", ...["onnx", "onnx-hut", method.name].map((word) => `- ${yaml(word)}`),
    ...(data === undefined || metrics.length === 0 ? [] : [
      "model-index:", `- name: ${yaml(name)}`, "  results:", "  - task:", `      type: ${tag}`,
      "    dataset:", `      name: ${yaml(data)}`, `      type: ${yaml(data)}`, "    metrics:",
      ...metrics.flatMap(([type, value]) => [`    - type: ${yaml(type)}`, `      value: ${yamlNumber(value)}`]),
    ]),
  ];
}

function whatItIs({ tag, base, labels, problem, pooling }: ModelCard): string[] {
  const head = pooling === undefined ? "" : `, with a linear head on its hidden states (${pooling === "token" ? "on each token" : `${pooling} pooling`})`;
  const kinds: Readonly<Record<ProblemName, string>> = { "single": "one of", "multi-label": "any of", "regression": "a number called" };
  const from = base === undefined ? "the base model" : `[${plain(base)}](https://huggingface.co/${base})`;
  return [
    `An ONNX model for ${tag}: ${from}${head}, fine-tuned with onnx-hut. The update is merged into the weights, so the graph is the base's and runs as fast.`, "",
    ...(labels === undefined ? [] : [`It tells ${problem === undefined ? "of each word one of" : kinds[problem]}: ${labels.map(plain).join(", ")}.`, ""]),
  ];
}

function training({ method, run }: ModelCard): string[] {
  const { name, rank, alpha, targets, whole, trained } = method;
  const settings = Object.entries(run?.settings ?? {}).map(([key, value]) => [TOLD_SETTINGS[key] ?? key, String(value)]);
  const rows = [
    ["method", name.toUpperCase()], ...(rank === undefined ? [] : [["rank", String(rank)]]), ...(alpha === undefined ? [] : [["alpha", String(alpha)]]), ...(targets === "" ? [] : [["on", plain(targets)]]),
    ...(whole.length === 0 ? [] : [["trained whole", plain(whole.join(", "))]]), ["numbers trained", trained.toLocaleString("en-US")],
    ...(run?.train === undefined ? [] : [["data", plain(run.train)]]), ...settings,
  ];
  return ["| | |", "| --- | --- |", ...rows.map(([key = "", value = ""]) => `| ${key} | ${value} |`), ""];
}

function metricsTable({ dev, metrics }: RunFacts): string[] {
  const rows = Object.entries(metrics).map(([name, value]) => `| ${plain(name.replaceAll("_", " "))} | ${String(Number(value.toPrecision(4)))} |`);
  return [`| on ${plain(dev ?? "the development data")} | |`, "| --- | --- |", ...rows];
}

/** A program that runs: the folder is looked for beside it. */
function usage({ name, tag, problem, decodes, library }: ModelCard): string[] {
  const folder = JSON.stringify(`./${name}`);
  const options = decodes ? ", { session_options: { extra: { session: { qdq_matmulnbits_accuracy_level: \"0\" } } } }" : "";
  // transformers.js has no pipeline for sentences as such.
  const pipeline = tag === "sentence-similarity" ? "feature-extraction" : tag;
  const input = JSON.stringify(tag === "image-classification" ? IMAGE : TEXT);
  const js = problem === "regression" ? [
    "import { AutoModelForSequenceClassification, AutoTokenizer } from \"@huggingface/transformers\";", "",
    `const tokenizer = await AutoTokenizer.from_pretrained(${folder});`,
    `const model = await AutoModelForSequenceClassification.from_pretrained(${folder}${options});`,
    `const { logits } = await model(tokenizer(${input}));`, "console.log(logits.tolist());",
  ] : [
    "import { pipeline } from \"@huggingface/transformers\";", "",
    `const run = await pipeline("${pipeline}", ${folder}${options});`,
    `console.log(await run(${input}${pipeline === "feature-extraction" ? ", { pooling: \"mean\", normalize: true }" : ""}));`,
  ];
  return [
    "With [transformers.js](https://huggingface.co/docs/transformers.js), the folder in the current one:", "", "```js", ...js, "```", "",
    ...(problem === "regression" ? ["(Its pipeline takes the softmax of the one number, which is always 1.)", ""] : []),
    ...(decodes ? ["The session option keeps products of stored integers exact; without it ONNX Runtime rounds activations to 8 bits.", ""] : []),
    ...(library === "sentence-transformers" ? ["With sentence-transformers:", "", "```python", "from sentence_transformers import SentenceTransformer", "",
      `model = SentenceTransformer(${JSON.stringify(name)}, backend="onnx")`, `print(model.encode(${input}))`, "```", ""] : []),
  ];
}

/** A YAML scalar: JSON's text is YAML's double-quoted one, less what YAML takes for a line's end or doesn't print. */
function yaml(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A number as YAML reads one: an exponent needs a point before it. */
function yamlNumber(value: number): string {
  return String(value).replace(/^(-?\d+)e/, "$1.0e");
}

/** Text in a line of Markdown: nothing in it is markup, and it has no line's end. */
function plain(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, " ").replace(/[\\`*_{}<>[\]#|&]/g, "\\$&");
}
