/** A report's data, made up: what the page draws without a model having run. */
import { groupRuns } from "../../../src/runtime/report/group-runs.ts";
import type { AttributedText, ExaminedRun, MatrixCorrelation, ReportData, ReportedRun } from "../../../src/runtime/report/report-data.ts";
import { Random } from "../../../src/runtime/random.ts";

/** Text that means something to HTML, CSS, URLs or terminals, and must not on the page. */
export const HOSTILE = `<script>alert(1)</script><img src=x onerror=alert(2)> "'\`&amp; </style></svg>`;

/** One run; its figures come from method, rank and seed alone. */
export function madeRun(method: string, rank: number | null, seed: number, more: Partial<ReportedRun> = {}): ReportedRun {
  const random = new Random(1000 * seed + (rank ?? 0) + method.length);
  const best = 0.7 + 0.02 * Math.log2(rank ?? 1) + (method === "hut" ? 0.06 : 0) + 0.02 * (random.uniform() - 0.5);
  const steps = 120;
  const flops = (method === "head" ? 0.5e12 : 1.05e12) + 4e9 * (rank ?? 0);
  return {
    folder: `runs/${method}-${String(rank)}-${String(seed)}`, name: `${method}-${String(rank)}-${String(seed)}`, model: "models/minilm", method, rank, seed, finished: true, steps, bestStep: null,
    settings: { task: "text-classification", method, ...(rank === null ? {} : { rank }), seed, lr: method === "hut" ? 0.005 : 0.001, targetModules: ["q", "v"], train: "data/train.tsv", dev: "data/dev.tsv", batchSize: 32 },
    trainableParams: 770 + 4608 * (rank ?? 0), seconds: 30 + 5 * random.uniform(), tokensPerSecond: 2500, tokensPerRecord: 24, flops,
    curve: Array.from({ length: steps }, (_, i) => ({ step: i + 1, loss: 0.7 - 0.3 * (1 - Math.exp(-i / 40)) * best + 0.06 * (random.uniform() - 0.5), gradNorm: 0.5 + 0.4 * random.uniform(), learningRate: i < 8 ? 0.005 * (i + 1) / 8 : 0.005 * (1 - (i - 8) / 112) })),
    evaluations: [40, 80, 120].map((step, i) => ({ step, epoch: step / 40, eval_loss: 0.6 - 0.05 * i, eval_accuracy: best - 0.03 * (2 - i) })),
    metrics: { eval_loss: 0.5 + 0.01 * random.uniform(), eval_accuracy: best, eval_f1: best + 0.01 },
    classes: [{ label: "negative", precision: 0.8, recall: 0.7, f1: 0.75, support: 428 }, { label: "positive", precision: 0.75, recall: 0.83, f1: 0.79, support: 444 }],
    ...more,
  };
}

/** Correlations of the matrices q and v of so many layers. */
export function madeCorrelations(layers: number): MatrixCorrelation[] {
  const random = new Random(7);
  return Array.from({ length: layers }, (_, layer) => ["query", "value"].map((part, p): MatrixCorrelation => {
    const after = 0.999 - 0.01 * p - 0.012 * Math.abs(Math.sin(layer + p));
    const sample = Array.from({ length: 200 }, (): [number, number] => { const w = 0.2 * (random.uniform() - 0.5); return [w, w * (1 + 0.5 * (random.uniform() - 0.5))]; });
    return { module: `encoder.layer.${String(layer)}.attention.self.${part}`, trained: "adapted", correlation: { before: 1, after }, updateCorrelation: { before: null, after: 0.2 * Math.sin(layer + 2 * p) }, relativeUpdate: { before: 0, after: 0.14 }, sample };
  })).flat();
}

const WORDS = "a gorgeous , witty , seductive movie that never quite loses its nerve".split(" ");

/** One text whose middle word counts most. */
export function madeText(label: string): AttributedText {
  const scores = (strongest: number): number[] => WORDS.map((_, i) => (i % 2 === 0 ? 1 : -1) * Math.exp(-((i - strongest) ** 2) / 3));
  return { label, tuned: { words: WORDS, scores: scores(3), prediction: "positive" }, original: { words: WORDS, scores: scores(8), prediction: "negative" } };
}

/** What examining a run shows. */
export function madeExamined(run: number, layers: number): ExaminedRun {
  return {
    run, correlations: madeCorrelations(layers), attributions: [madeText("positive"), madeText("positive")],
    confusion: { file: "data/dev.tsv", labels: ["negative", "positive"], counts: [[303, 125], [76, 368]] },
    worst: [{ line: 479, texts: ["a great ensemble cast ca n't lift this heartfelt enterprise out of the familiar ."], label: "negative", prediction: "positive", score: 0.889, loss: 2.2 },
      { line: 12, texts: ["first of a pair", "second of it"], label: "positive", prediction: "negative", score: 0.8, loss: 1.6 }],
  };
}

/** Runs of several methods and ranks, with three seeds each. */
export function madeComparison(): ReportData {
  const kinds: [string, number | null][] = [["hut", 4], ["hut", 8], ["hut", 16], ["lora", 4], ["lora", 8], ["lora", 16], ["bitfit", null], ["head", null]];
  const runs = kinds.flatMap(([method, rank]) => [0, 1, 2].map((seed) => madeRun(method, rank, seed)));
  const examined = ["hut", "lora"].map((method) => madeExamined(runs.findIndex((run) => run.method === method), 6));
  return { metric: { name: "eval_accuracy", greaterIsBetter: true }, runs, groups: groupRuns(runs, runs.map(() => ({ modelBytes: 1, hashes: undefined }))), examined, notes: ["Mistakes of bitfit: the run had no dev set. Name labelled data with --data."] };
}

/** One run alone. */
export function madeSingle(more: Partial<ReportedRun> = {}): ReportData {
  const runs = [madeRun("hut", 8, 0, more)];
  return { metric: { name: "eval_accuracy", greaterIsBetter: true }, runs, groups: groupRuns(runs, [{ modelBytes: 1, hashes: undefined }]), examined: [madeExamined(0, 12)], notes: [] };
}
