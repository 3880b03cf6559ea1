/** The page's pictures as Vega-Lite specifications: what of a report's data each one shows. */
import { METHODS } from "../../methods/registry.ts";
import { figure } from "../format.ts";
import { CHART_WIDTH, type Spec } from "./draw.ts";
import type { BeforeAndAfter, ExaminedRun, MatrixCorrelation, ReportData, ReportedRun, RunGroup } from "./report-data.ts";
import { metricWords, sentence, spreadWords } from "./words.ts";

/** One picture. */
export interface Chart {
  readonly title: string;
  /** How it is to be read, where that isn't plain. */
  readonly note?: string;
  /** What is to be seen, in a sentence. */
  readonly label: string;
  readonly spec: Spec;
}

const COLORS = new Map(METHODS.map(({ name }) => [name, `var(--${name})`]));
const SHAPES = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left"];
const DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [10, 4]];
/** Colours of what is no method: roles of matrices. */
const SERIES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)", "var(--series-7)", "var(--series-8)"];
/** A method's colour, on every page the same. */
export function colorOf(method: string): string {
  return COLORS.get(method) ?? "var(--series-1)";
}

/** Above this, largest over smallest, an axis of operations is logarithmic. */
const LOG_RANGE = 12;

const numeric = (field: string, title: string, more: Spec = {}): Spec => ({ field, type: "quantitative", title, scale: { zero: false, nice: true }, axis: { tickCount: 5 }, ...more });
const steps = numeric("step", "step", { scale: { zero: true, nice: false }, axis: { tickCount: 5, grid: false } });

/** How loss and figures went, step by step; the rate and the gradient too where the page shows runs of one kind. */
export function curveCharts(data: ReportData): Chart[] {
  const metric = data.metric?.name;
  const alone = data.groups.length === 1;
  return [
    lossChart(data),
    ...(metric === undefined || metric === "eval_loss" ? [] : [evaluationChart(data, metric)]),
    ...(alone ? [] : [evaluationChart(data, "eval_loss")]),
    ...(alone ? [stepChart(data, "learningRate", "Learning rate"), stepChart(data, "gradNorm", "Norm of the gradient, before clipping")] : []),
  ].filter((chart) => chart !== undefined);
}

/** Of runs of several kinds: the figure of each kind with its spread, and against what training cost. */
export function comparisonCharts(data: ReportData): Chart[] {
  if (data.metric === null || data.groups.length < 2) return [];
  return [spreadChart(data, data.metric.name), costChart(data, data.metric.name)].filter((chart) => chart !== undefined);
}

/** How each trained matrix correlates with what it was and with its update, and entries of the one that moved most. */
export function correlationCharts({ correlations }: ExaminedRun): Chart[] {
  const known = (correlations ?? []).filter(({ correlation }) => correlation.after !== null);
  const [most] = [...known].sort((a, b) => (a.correlation.after ?? 0) - (b.correlation.after ?? 0));
  if (most === undefined) return [];
  return [
    pairsChart(known, "correlation", "Correlation of W′ with W₀", "Over the entries of each trained matrix, before training and after: 1 is unchanged."),
    ...(known.some(({ updateCorrelation }) => updateCorrelation.after !== null)
      ? [pairsChart(known, "updateCorrelation", "Correlation of the update with W₀", "The update is W′ − W₀, by itself.")] : []),
    ...(most.sample.length === 0 ? [] : [sampleChart(most)]),
  ];
}

function lossChart({ groups, runs }: ReportData): Chart | undefined {
  const alone = groups.length === 1;
  const drawn = groups.flatMap((group) => smoothed(meanCurve(group, runs, "loss")).map((point) => ({ ...point, group: group.name })));
  if (drawn.length === 0) return undefined;
  const raw = alone ? runs.flatMap((run, i) => run.curve.map(({ step, loss }) => ({ step, value: loss, run: i }))) : [];
  const [first, last] = [drawn[0]?.value ?? NaN, drawn.at(-1)?.value ?? NaN];
  const eachStep = { data: { values: raw }, mark: { type: "line", strokeWidth: 1, opacity: 0.35, clip: true }, encoding: { x: steps, y: numeric("value", "loss"), detail: { field: "run" }, color: { value: colorOf(groups[0]?.method ?? "") } } };
  return {
    title: "Training loss", ...(alone ? { note: "Thin: what was logged. Thick: smoothed." } : { note: "Smoothed, and the mean over seeds." }),
    label: alone ? `Training loss by step: from ${figure(first)} to ${figure(last)}, smoothed` : `Training loss by step, one line for each of ${groups.map(({ name }) => name).join(", ")}`,
    spec: { layer: [...(alone ? [eachStep] : []), { data: { values: drawn }, mark: { type: "line", strokeWidth: 2, clip: true }, encoding: { x: steps, y: numeric("value", "loss"), ...byGroup(groups) } }] },
  };
}

function evaluationChart({ groups, runs }: ReportData, metric: string): Chart | undefined {
  const drawn = groups.flatMap((group) => evaluationSpread(group, runs, metric).map((point) => ({ ...point, group: group.name })));
  if (drawn.length === 0) return undefined;
  const several = groups.some((group) => group.runs.length > 1);
  const encoding = { x: steps, ...byGroup(groups) };
  return {
    title: `${sentence(metricWords(metric))} on the dev set`, ...(several ? { note: "Lines: mean over seeds. Bands: lowest to highest seed." } : {}),
    label: `${sentence(metricWords(metric))} at each evaluation: ${groups.map(({ name }) => { const at = drawn.filter((point) => point.group === name); return `${name} from ${figure(at[0]?.mean ?? NaN)} to ${figure(at.at(-1)?.mean ?? NaN)}`; }).join("; ")}`,
    spec: {
      data: { values: drawn },
      layer: [
        ...(several ? [{ mark: { type: "area", opacity: 0.14 }, encoding: { ...encoding, strokeDash: undefined, y: numeric("min", metricWords(metric)), y2: { field: "max" } } }] : []),
        { mark: { type: "line", strokeWidth: 2, point: { size: 36, filled: true } }, encoding: { ...encoding, y: numeric("mean", metricWords(metric)) } },
      ],
    },
  };
}

function stepChart({ groups, runs }: ReportData, what: "learningRate" | "gradNorm", title: string): Chart | undefined {
  const drawn = groups.flatMap((group) => meanCurve(group, runs, what));
  if (drawn.length === 0) return undefined;
  const least = what === "learningRate" ? { scale: { zero: true }, axis: { tickCount: 5, format: "~g" } } : { scale: { zero: true } };
  return {
    title, label: `${title} by step: highest ${figure(Math.max(...drawn.map(({ value }) => value)))}, at the end ${figure(drawn.at(-1)?.value ?? NaN)}`,
    spec: { data: { values: drawn }, height: 170, mark: { type: "line", strokeWidth: 1.5, color: colorOf(groups[0]?.method ?? "") }, encoding: { x: steps, y: numeric("value", title === "Learning rate" ? "rate" : "norm", least) } },
  };
}

function spreadChart({ groups, runs, metric }: ReportData, name: string): Chart | undefined {
  const known = groups.flatMap((group) => { const spread = group.metrics[name]; return spread === undefined ? [] : [{ group, spread }]; });
  if (known.length === 0) return undefined;
  const inOrder = [...known].sort((a, b) => (metric?.greaterIsBetter === false ? 1 : -1) * (a.spread.mean - b.spread.mean));
  const order = inOrder.map(({ group }) => group.name);
  const y = { field: "group", type: "nominal", sort: order, title: null, scale: { domain: order }, axis: { labelColor: "var(--ink)", ticks: false, labelLimit: 140 } };
  const color = { field: "method", type: "nominal", scale: methodScale(groups), legend: null };
  const x = (field: string): Spec => numeric(field, metricWords(name));
  const seeds = known.flatMap(({ group }) => group.runs.map((i) => ({ group: group.name, method: group.method, value: runs[i]?.metrics[name] })));
  const bars = known.map(({ group, spread }) => ({ group: group.name, method: group.method, mean: spread.mean, low: spread.mean - (spread.deviation ?? 0), high: spread.mean + (spread.deviation ?? 0) }));
  return {
    title: `${sentence(metricWords(name))} by method and rank`, note: "Large: mean. Bar: one standard deviation each way. Small: each seed.",
    label: `${sentence(metricWords(name))}, best first: ${inOrder.map(({ group, spread }) => `${group.name} ${spreadWords(spread)}`).join(", ")}`,
    spec: {
      height: 28 * known.length + 52,
      layer: [
        { data: { values: bars }, mark: { type: "rule", strokeWidth: 2 }, encoding: { y, x: x("low"), x2: { field: "high" }, color } },
        { data: { values: seeds }, mark: { type: "point", filled: true, size: 22, opacity: 0.55, yOffset: 8 }, encoding: { y, x: x("value"), color } },
        { data: { values: bars }, mark: { type: "point", filled: true, size: 80, opacity: 1 }, encoding: { y, x: x("mean"), color } },
      ],
    },
  };
}

function costChart({ groups }: ReportData, name: string): Chart | undefined {
  const points = groups.flatMap(({ method, rank, flops, metrics, name: group }) => {
    const spread = metrics[name];
    if (spread === undefined || flops === null) return [];
    const deviation = spread.deviation ?? 0;
    return [{ group, method, rank, text: rank === null ? "" : `r${String(rank)}`, gflops: flops / 1e9, mean: spread.mean, low: spread.mean - deviation, high: spread.mean + deviation }];
  });
  if (points.length === 0) return undefined;
  const all = points.map(({ gflops }) => gflops);
  const isLog = Math.max(...all) / Math.min(...all) > LOG_RANGE;
  const x = numeric("gflops", `training, GFLOP${isLog ? " (logarithmic)" : ""}`, { scale: isLog ? { type: "log", nice: true } : { zero: false, nice: true, padding: 14 }, axis: { tickCount: 5, format: "~s" } });
  const methods = [...new Set(groups.map(({ method }) => method))];
  const color = { field: "method", type: "nominal", scale: methodScale(groups) };
  const y = numeric("mean", metricWords(name), { scale: { zero: false, nice: true, padding: 10 } });
  return {
    title: `${sentence(metricWords(name))} against operations of training`,
    note: "One point a method and rank, bars one standard deviation each way. Operations are counted from the training graphs, for records of the mean length.",
    label: `${sentence(metricWords(name))} against operations: ${points.map((point) => `${point.group} ${figure(point.mean)} at ${figure(point.gflops)} GFLOP`).join(", ")}`,
    spec: {
      height: 280, data: { values: points },
      layer: [
        { mark: { type: "line", strokeWidth: 1, opacity: 0.5 }, encoding: { x, y, color: { ...color, legend: null }, order: { field: "rank" } } },
        { mark: { type: "rule", strokeWidth: 2 }, encoding: { x, y: numeric("low", metricWords(name)), y2: { field: "high" }, color: { ...color, legend: null } } },
        { mark: { type: "point", filled: true, size: 80, opacity: 1 }, encoding: { x, y, color, shape: { field: "method", type: "nominal", scale: { domain: methods, range: methods.map((_, i) => SHAPES[i % SHAPES.length]) } } } },
        { mark: { type: "text", align: "left", dx: 8, dy: 1, fontSize: 12, color: "var(--ink)" }, encoding: { x, y, text: { field: "text" } } },
      ],
    },
  };
}

/** A figure of each matrix: by layer, one line for each place in a layer, or a row each where paths tell no layer. */
function pairsChart(matrices: readonly MatrixCorrelation[], what: "correlation" | "updateCorrelation", title: string, note: string): Chart {
  const pairs = matrices.map((matrix) => ({ name: seriesOf(matrix), module: matrixName(matrix), layer: layerOf(matrix.module), ...matrix[what] }));
  const inLayers = pairs.filter(({ layer }) => layer !== null);
  const values = (when: "before" | "after"): number[] => pairs.flatMap((pair) => pair[when] ?? []);
  const label = `${title}: ${spanWords(values("before"), "before training")}, ${spanWords(values("after"), "after")}`;
  return { title, note, label, spec: inLayers.length > 0 ? layersSpec(inLayers, title) : rowsSpec(pairs, title) };
}

type Pair = BeforeAndAfter & { readonly name: string; readonly module: string; readonly layer: number | null };

function layersSpec(pairs: readonly Pair[], title: string): Spec {
  const names = [...new Set(pairs.map(({ name }) => name))];
  const points = pairs.flatMap(({ name, layer, before, after }) => [{ name, layer, value: before, when: "before" }, { name, layer, value: after, when: "after" }]).filter(({ value }) => value !== null);
  const layers = [...new Set(pairs.map(({ layer }) => layer ?? 0))].sort((a, b) => a - b);
  const every = Math.ceil(layers.length / 12);
  const x = { field: "layer", type: "quantitative", title: "layer", scale: { nice: false, padding: 10, domain: [layers[0], layers.at(-1)] }, axis: { values: layers.filter((_, i) => i % every === 0), format: "d", grid: false } };
  const y = numeric("value", title.charAt(0).toLowerCase() + title.slice(1));
  const color = { field: "name", type: "nominal", scale: { domain: names, range: names.map((_, i) => SERIES[i % SERIES.length]) } };
  const when = ["before", "after"].filter((each) => points.some((point) => point.when === each));
  const dash = { field: "when", type: "nominal", scale: { domain: when, range: when.map((each) => (each === "before" ? [3, 3] : [1, 0])) }, legend: when.length < 2 ? null : { symbolStrokeColor: "var(--ink)", symbolType: "stroke" } };
  return {
    data: { values: points },
    layer: [
      { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y, color, strokeDash: dash } },
      { transform: [{ filter: "datum.when === 'after'" }], mark: { type: "point", filled: true, size: 46, opacity: 1 }, encoding: { x, y, color } },
    ],
  };
}

function rowsSpec(pairs: readonly Pair[], title: string): Spec {
  const y = { field: "module", type: "nominal", sort: pairs.map(({ module }) => module), title: null, axis: { labelColor: "var(--ink)", ticks: false, labelLimit: 150 } };
  const dot = (field: string, more: Spec): Spec => ({ mark: { type: "point", size: 60, opacity: 1, ...more }, encoding: { y, x: numeric(field, title), color: { value: SERIES[0] } } });
  return {
    height: 24 * pairs.length + 52, data: { values: pairs },
    layer: [{ mark: { type: "rule", strokeWidth: 1.5 }, encoding: { y, x: numeric("before", title), x2: { field: "after" }, color: { value: SERIES[0] } } }, dot("before", { filled: false }), dot("after", { filled: true })],
  };
}

function sampleChart(matrix: MatrixCorrelation): Chart {
  const { sample, correlation: { after }, relativeUpdate: { after: change } } = matrix;
  const points = sample.map(([before, now]) => ({ before, now }));
  const ends = [Math.min(...points.map(({ before }) => before)), Math.max(...points.map(({ before }) => before))];
  const name = matrixName(matrix);
  return {
    title: `Entries of ${name}`, note: `The matrix that moved most: ${String(points.length)} entries before and after. On the line nothing changed.${change === null ? "" : ` ‖W′ − W₀‖ / ‖W₀‖ is ${figure(change)}.`}`,
    label: `${String(points.length)} entries of ${name}, after training against before: correlation ${figure(after ?? NaN)}`,
    spec: {
      layer: [
        { data: { values: ends.map((before) => ({ before, now: before })) }, mark: { type: "line", strokeWidth: 1, color: "var(--axis)" }, encoding: { x: numeric("before", "W₀"), y: numeric("now", "W′") } },
        { data: { values: points }, mark: { type: "point", filled: true, size: 14, opacity: 0.5, color: SERIES[0] }, encoding: { x: numeric("before", "W₀"), y: numeric("now", "W′") } },
      ],
      width: CHART_WIDTH,
    },
  };
}

function matrixName({ module, role }: MatrixCorrelation): string {
  return role === undefined ? module : `${module} (${role})`;
}

/** Its place in a layer: q, or the path's end. */
function seriesOf({ module, role }: MatrixCorrelation): string {
  return role ?? module.split(".").filter((part) => !/^\d+$/.test(part)).at(-1) ?? module;
}

/** The first number in a module's path. */
function layerOf(module: string): number | null {
  const layer = module.split(".").find((part) => /^\d+$/.test(part));
  return layer === undefined ? null : Number(layer);
}

/** Colour by method and dash by rank, one entry of the legend for each group; none where there is but one. */
function byGroup(groups: readonly RunGroup[]): Spec {
  const domain = groups.map(({ name }) => name);
  const legend = groups.length < 2 ? { legend: null } : { legend: { columns: domain.some((name) => name.length > 16) ? 2 : 3, symbolType: "stroke" } };
  const dash = (group: RunGroup): number[] => { const alike = groups.filter(({ method }) => method === group.method); return DASHES[alike.indexOf(group) % DASHES.length] ?? [1, 0]; };
  return {
    color: { field: "group", type: "nominal", scale: { domain, range: groups.map(({ method }) => colorOf(method)) }, ...legend },
    strokeDash: { field: "group", type: "nominal", scale: { domain, range: groups.map(dash) }, ...legend },
  };
}

function methodScale(groups: readonly RunGroup[]): Spec {
  const domain = [...new Set(groups.map(({ method }) => method))];
  return { domain, range: domain.map(colorOf) };
}

/** The mean over a group's runs of what was logged, at each step that one of them has a point for. */
function meanCurve(group: RunGroup, runs: readonly ReportedRun[], what: "loss" | "gradNorm" | "learningRate"): { step: number; value: number }[] {
  const at = new Map<number, number[]>();
  for (const i of group.runs) {
    for (const point of runs[i]?.curve ?? []) {
      const value = point[what];
      if (value !== null && Number.isFinite(value)) at.set(point.step, [...at.get(point.step) ?? [], value]);
    }
  }
  return [...at].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, value: values.reduce((a, b) => a + b, 0) / values.length }));
}

/** An exponential moving average over a twelfth of the curve, its start without a pull towards 0. */
function smoothed(points: readonly { readonly step: number; readonly value: number }[]): { step: number; value: number }[] {
  const keep = 1 - 1 / Math.max(1, points.length / 12);
  let sum = 0;
  let weight = 0;
  return points.map(({ step, value }) => {
    sum = keep * sum + value;
    weight = keep * weight + 1;
    return { step, value: sum / weight };
  });
}

function evaluationSpread(group: RunGroup, runs: readonly ReportedRun[], metric: string): { step: number; mean: number; min: number; max: number }[] {
  const at = new Map<number, number[]>();
  for (const i of group.runs) {
    for (const evaluation of runs[i]?.evaluations ?? []) {
      const [step, value] = [evaluation["step"] ?? null, evaluation[metric] ?? null];
      if (step !== null && value !== null) at.set(step, [...at.get(step) ?? [], value]);
    }
  }
  return [...at].sort(([a], [b]) => a - b).map(([step, values]) => ({ step, mean: values.reduce((a, b) => a + b, 0) / values.length, min: Math.min(...values), max: Math.max(...values) }));
}

function spanWords(values: readonly number[], when: string): string {
  return values.length === 0 ? `unknown ${when}` : `${figure(Math.min(...values))} to ${figure(Math.max(...values))} ${when}`;
}
