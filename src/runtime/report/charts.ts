/** The page's pictures as Vega-Lite specifications: what of a report's data each one shows. */
import { METHODS } from "../../methods/registry.ts";
import { figure } from "../format.ts";
import type { Spec } from "./draw.ts";
import type { BeforeAndAfter, ExaminedRun, MatrixCorrelation, ReportData, ReportedRun, RunGroup } from "./report-data.ts";
import { metricWords, sentence, spreadWords } from "./words.ts";

/** One picture. */
export interface Chart {
  readonly title: string;
  /** How it is to be read, where that isn't plain. */
  readonly note?: string;
  /** What is to be seen, in a sentence. */
  readonly label: string;
  /** What its lines and points stand for; none where it has but one kind. */
  readonly legend?: readonly LegendEntry[];
  readonly spec: Spec;
}

/** One kind of line, or of point. */
export interface LegendEntry {
  readonly name: string;
  readonly color: string;
  /** Of a line: lengths of strokes and gaps. */
  readonly dash?: readonly number[];
  /** Of a point: its shape, as Vega calls it. */
  readonly shape?: string;
}

const COLORS = new Map(METHODS.map(({ name }) => [name, `var(--${name})`]));
const SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left"];
const DASHES = [[], [6, 3], [2, 2], [8, 2, 2, 2], [12, 4]];
/** Of what was before training. */
const BEFORE = [3, 3];
/** Colours of what is no method: roles of matrices. */
const SERIES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)", "var(--series-5)", "var(--series-6)", "var(--series-7)", "var(--series-8)"];
/** A method's colour, on every page the same. */
export function colorOf(method: string): string {
  return COLORS.get(method) ?? "var(--series-1)";
}

/** Above this, largest over smallest, an axis of operations is logarithmic. */
const LOG_RANGE = 12;

/** What Vega is told of a name, its place among others: it stumbles over names that JavaScript has for something, and these are the files' own. */
const key = (place: number): string => `k${String(place)}`;
const keys = (named: readonly unknown[]): string[] => named.map((_, i) => key(i));
/** An axis that shows names for their keys; the blank before each keeps even a literal from being one of those names. */
const labelsOf = (names: readonly string[]): Spec => ({ labelExpr: `slice(${JSON.stringify(names.map((name) => ` ${name}`))}[+slice(datum.value, 1)], 1)` });

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
  // A head that was attached begins at random: that it moves far says little.
  const [most] = [...known].sort((a, b) => Number(a.trained === "whole") - Number(b.trained === "whole") || (a.correlation.after ?? 0) - (b.correlation.after ?? 0));
  if (most === undefined || known.every(({ module, trained }) => trained === "whole" && layerOf(module) === null)) return [];
  return [
    pairsChart(known, "correlation", "Correlation of W′ with W₀", "Over the entries of each trained matrix, before training and after: 1 is unchanged."),
    ...(known.some(({ updateCorrelation }) => updateCorrelation.after !== null)
      ? [pairsChart(known, "updateCorrelation", "Correlation of the update with W₀", "The update is W′ − W₀, by itself.")] : []),
    ...(most.sample.length === 0 ? [] : [sampleChart(most)]),
  ];
}

function lossChart({ groups, runs }: ReportData): Chart | undefined {
  const alone = groups.length === 1;
  const drawn = groups.flatMap((group, g) => smoothed(meanCurve(group, runs, "loss")).map((point) => ({ ...point, group: key(g) })));
  if (drawn.length === 0) return undefined;
  const raw = alone ? runs.flatMap((run, i) => run.curve.map(({ step, loss }) => ({ step, value: loss, run: i }))) : [];
  const [first, last] = [drawn[0]?.value ?? NaN, drawn.at(-1)?.value ?? NaN];
  const eachStep = { data: { values: raw }, mark: { type: "line", strokeWidth: 1, opacity: 0.35 }, encoding: { x: steps, y: numeric("value", "loss"), detail: { field: "run" }, color: { value: colorOf(groups[0]?.method ?? "") } } };
  return {
    title: "Training loss", ...(alone ? { note: "Thin: what was logged. Thick: smoothed." } : { note: "Smoothed, and the mean over seeds." }),
    label: alone ? `Training loss by step: from ${figure(first)} to ${figure(last)}, smoothed` : `Training loss by step, one line for each of ${groups.map(({ name }) => name).join(", ")}`,
    ...legendOf(groups),
    spec: { layer: [...(alone ? [eachStep] : []), { data: { values: drawn }, mark: { type: "line", strokeWidth: 2 }, encoding: { x: steps, y: numeric("value", "loss"), ...byGroup(groups) } }] },
  };
}

function evaluationChart({ groups, runs }: ReportData, metric: string): Chart | undefined {
  const drawn = groups.flatMap((group, g) => evaluationSpread(group, runs, metric).map((point) => ({ ...point, group: key(g) })));
  if (drawn.length === 0) return undefined;
  const several = groups.some((group) => group.runs.length > 1);
  const encoding = { x: steps, ...byGroup(groups) };
  return {
    title: `${sentence(metricWords(metric))} on the dev set`, ...(several ? { note: "Lines: mean over seeds. Bands: lowest to highest seed." } : {}),
    label: `${sentence(metricWords(metric))} at each evaluation: ${groups.map(({ name }, g) => { const at = drawn.filter((point) => point.group === key(g)); return `${name} from ${figure(at[0]?.mean ?? NaN)} to ${figure(at.at(-1)?.mean ?? NaN)}`; }).join("; ")}`,
    ...legendOf(groups),
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
  const y = { field: "group", type: "nominal", title: null, scale: { domain: keys(inOrder) }, axis: { ...labelsOf(inOrder.map(({ group }) => group.name)), labelColor: "var(--ink)", ticks: false, labelLimit: 140 } };
  const color = { field: "method", type: "nominal", scale: methodScale(groups), legend: null };
  const x = (field: string): Spec => numeric(field, metricWords(name));
  const methodKey = methodKeys(groups);
  const seeds = inOrder.flatMap(({ group }, g) => group.runs.map((i) => ({ group: key(g), method: methodKey(group), value: runs[i]?.metrics[name] })));
  const bars = inOrder.map(({ group, spread }, g) => ({ group: key(g), method: methodKey(group), mean: spread.mean, low: spread.mean - (spread.deviation ?? 0), high: spread.mean + (spread.deviation ?? 0) }));
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
  const known = groups.flatMap(({ method, rank, flops, metrics, name: group }) => {
    const spread = metrics[name];
    return spread === undefined || flops === null ? [] : [{ group, method, rank, flops, mean: spread.mean, low: spread.mean - (spread.deviation ?? 0), high: spread.mean + (spread.deviation ?? 0) }];
  });
  if (known.length === 0) return undefined;
  const all = known.map(({ flops }) => flops);
  const isLog = Math.max(...all) / Math.min(...all) > LOG_RANGE;
  const [unit, size] = Math.max(...all) >= 1e12 && !isLog ? ["TFLOP", 1e12] : ["GFLOP", 1e9];
  const placed = placeLabels(known.map(({ flops, mean }) => ({ x: isLog ? Math.log(flops) : flops, y: mean })));
  const methodKey = methodKeys(groups);
  const points = known.map((point, i) => ({ ...point, method: methodKey(point), operations: point.flops / size, text: point.rank === null ? "" : `r${String(point.rank)}`, place: placed[i] }));
  const methods = [...new Set(groups.map(({ method }) => method))];
  const x = numeric("operations", `operations of training, ${unit}`, { scale: isLog ? { type: "log", nice: true } : { zero: false, nice: true, padding: 26 }, axis: { tickCount: 5, format: isLog ? "~s" : "~g" } });
  const y = numeric("mean", metricWords(name), { scale: { zero: false, nice: true, padding: 10 } });
  const color = { field: "method", type: "nominal", scale: methodScale(groups), legend: null };
  const shape = { field: "method", type: "nominal", legend: null, scale: { domain: keys(methods), range: methods.map(shapeOf) } };
  return {
    title: `${sentence(metricWords(name))} against operations of training`,
    note: "A point a method and rank (r), a bar one standard deviation each way. Operations are counted from the training graphs, for records of the mean length.",
    label: `${sentence(metricWords(name))} against operations: ${points.map((point) => `${point.group} ${figure(point.mean)} at ${figure(point.operations)} ${unit}`).join(", ")}`,
    legend: methods.map((method, i) => ({ name: method, color: colorOf(method), shape: shapeOf(method, i) })),
    spec: {
      height: 280, data: { values: points },
      layer: [
        { mark: { type: "line", strokeWidth: 1, opacity: 0.5 }, encoding: { x, y, color, order: { field: "rank" } } },
        { mark: { type: "rule", strokeWidth: 2 }, encoding: { x, y: numeric("low", metricWords(name)), y2: { field: "high" }, color } },
        { mark: { type: "point", filled: true, size: 80, opacity: 1 }, encoding: { x, y, color, shape } },
        ...LABEL_PLACES.map(({ align, dx, dy }, place) => ({
          transform: [{ filter: `datum.place === ${String(place)}` }], mark: { type: "text", align, dx, dy, fontSize: 12, color: "var(--ink)" }, encoding: { x, y, text: { field: "text" } },
        })),
      ],
    },
  };
}

/** Where a point's label may stand, first choice first. */
const LABEL_PLACES = [{ align: "left", dx: 8, dy: 1 }, { align: "right", dx: -8, dy: 1 }, { align: "left", dx: 6, dy: -13 }, { align: "left", dx: 6, dy: 14 }] as const;
/** Nearer than this, in CSS pixels across and down, two labels would touch, or a label and a point. */
const LABEL_ROOM = [26, 15] as const;

/** For each point the first of the places at which its label meets no point and no label placed before; the first of all where there is none. */
function placeLabels(points: readonly { readonly x: number; readonly y: number }[]): number[] {
  const along = (values: readonly number[], length: number): ((value: number) => number) => {
    const [least, most] = [Math.min(...values), Math.max(...values)];
    return (value) => (most === least ? 0 : ((value - least) / (most - least)) * length);
  };
  const [across, down] = [along(points.map(({ x }) => x), 210), along(points.map(({ y }) => y), 190)];
  const marks = points.map(({ x, y }) => ({ x: across(x), y: -down(y) }));
  const taken: { x: number; y: number }[] = [...marks];
  return marks.map((mark) => {
    const centers = LABEL_PLACES.map(({ align, dx, dy }) => ({ x: mark.x + dx + (align === "left" ? 10 : -10), y: mark.y + dy }));
    const isFree = (center: { x: number; y: number }): boolean => taken.every((other) => other === mark || Math.abs(other.x - center.x) > LABEL_ROOM[0] * (marks.includes(other) ? 0.6 : 1) || Math.abs(other.y - center.y) > LABEL_ROOM[1] * (marks.includes(other) ? 0.7 : 1));
    const free = Math.max(0, centers.findIndex(isFree));
    const center = centers[free];
    if (center !== undefined) taken.push(center);
    return free;
  });
}

function shapeOf(_method: string, i: number): string {
  return SHAPES[i % SHAPES.length] ?? "circle";
}

/** A figure of each matrix: by layer, one line for each place in a layer, or a row each where paths tell no layer. */
function pairsChart(matrices: readonly MatrixCorrelation[], what: "correlation" | "updateCorrelation", title: string, note: string): Chart {
  const places = new Set(matrices.map(placeOf));
  const pairs = matrices.map((matrix) => ({ name: shortest(placeOf(matrix), places), module: matrixName(matrix), layer: layerOf(matrix.module), ...matrix[what] }));
  const inLayers = pairs.filter(({ layer }) => layer !== null);
  const values = (when: "before" | "after"): number[] => pairs.flatMap((pair) => pair[when] ?? []);
  const label = `${title}: ${spanWords(values("before"), "before training")}, ${spanWords(values("after"), "after")}`;
  if (inLayers.length === 0) return { title, note, label, spec: rowsSpec(pairs) };
  const names = [...new Set(inLayers.map(({ name }) => name))];
  const legend = names.map((name, i): LegendEntry => ({ name, color: SERIES[i % SERIES.length] ?? "", dash: [] }));
  const before = values("before").length > 0 ? [{ name: "before training", color: "var(--ink)", dash: BEFORE }] : [];
  return { title, note, label, legend: [...legend, ...before], spec: layersSpec(inLayers) };
}

type Pair = BeforeAndAfter & { readonly name: string; readonly module: string; readonly layer: number | null };

function layersSpec(pairs: readonly Pair[]): Spec {
  const names = [...new Set(pairs.map(({ name }) => name))];
  const points = pairs.flatMap(({ name: own, layer, before, after }) => { const name = key(names.indexOf(own)); return [{ name, layer, value: before, when: "before" }, { name, layer, value: after, when: "after" }]; }).filter(({ value }) => value !== null);
  const layers = [...new Set(pairs.map(({ layer }) => layer ?? 0))].sort((a, b) => a - b);
  const every = Math.ceil(layers.length / 12);
  const x = { field: "layer", type: "quantitative", title: "layer", scale: { nice: false, padding: 10, domain: [layers[0], layers.at(-1)] }, axis: { values: layers.filter((_, i) => i % every === 0), format: "d", grid: false } };
  const y = numeric("value", "correlation");
  const color = { field: "name", type: "nominal", legend: null, scale: { domain: keys(names), range: names.map((_, i) => SERIES[i % SERIES.length]) } };
  const when = ["before", "after"].filter((each) => points.some((point) => point.when === each));
  const dash = { field: "when", type: "nominal", scale: { domain: when, range: when.map((each) => (each === "before" ? BEFORE : [])) }, legend: null };
  return {
    data: { values: points },
    layer: [
      { mark: { type: "line", strokeWidth: 2 }, encoding: { x, y, color, strokeDash: dash } },
      { transform: [{ filter: "datum.when === 'after'" }], mark: { type: "point", filled: true, size: 46, opacity: 1 }, encoding: { x, y, color } },
    ],
  };
}

function rowsSpec(pairs: readonly Pair[]): Spec {
  const y = { field: "module", type: "nominal", title: null, scale: { domain: keys(pairs) }, axis: { ...labelsOf(pairs.map(({ module }) => module)), labelColor: "var(--ink)", ticks: false, labelLimit: 150 } };
  const dot = (field: string, more: Spec): Spec => ({ mark: { type: "point", size: 60, opacity: 1, ...more }, encoding: { y, x: numeric(field, "correlation"), color: { value: SERIES[0] } } });
  return {
    height: 24 * pairs.length + 52, data: { values: pairs.map((pair, i) => ({ ...pair, module: key(i) })) },
    layer: [{ mark: { type: "rule", strokeWidth: 1.5 }, encoding: { y, x: numeric("before", "correlation"), x2: { field: "after" }, color: { value: SERIES[0] } } }, dot("before", { filled: false }), dot("after", { filled: true })],
  };
}

function sampleChart(matrix: MatrixCorrelation): Chart {
  const { sample, updateCorrelation: { after }, relativeUpdate: { after: size } } = matrix;
  const name = matrixName(matrix);
  const [x, y] = [numeric("base", "W₀"), numeric("update", "W′ − W₀")];
  return {
    title: `Update of ${name}`, note: `The matrix that moved most: what training added to ${String(sample.length)} of its entries.${size === null ? "" : ` ‖W′ − W₀‖ / ‖W₀‖ is ${figure(size)}.`}`,
    label: `Updates of ${String(sample.length)} entries of ${name}, against what they were${after === null ? "" : `: correlation ${figure(after)}`}`,
    spec: {
      layer: [
        { data: { values: [{ update: 0 }] }, mark: { type: "rule", strokeWidth: 1, color: "var(--axis)" }, encoding: { y } },
        { data: { values: sample.map(([base, now]) => ({ base, update: now - base })) }, mark: { type: "point", filled: true, size: 16, opacity: 0.55, color: SERIES[0] }, encoding: { x, y } },
      ],
    },
  };
}

function matrixName({ module, role }: MatrixCorrelation): string {
  return role === undefined ? module : `${module} (${role})`;
}

/** Its place in its layer, the same in every layer: "attention.self.query". */
function placeOf({ module, role }: MatrixCorrelation): string {
  return role ?? module.split(".").slice(module.split(".").findIndex((part) => /^\d+$/.test(part)) + 1).join(".");
}

/** The end of a path by which it is known among others. */
function shortest(path: string, among: ReadonlySet<string>): string {
  const parts = path.split(".");
  const ends = parts.map((_, i) => parts.slice(parts.length - 1 - i).join("."));
  return ends.find((end) => [...among].filter((other) => other === end || other.endsWith(`.${end}`)).length === 1) ?? path;
}

/** The first number in a module's path. */
function layerOf(module: string): number | null {
  const layer = module.split(".").find((part) => /^\d+$/.test(part));
  return layer === undefined ? null : Number(layer);
}

/** Colour by method and dash by what else differs. */
function byGroup(groups: readonly RunGroup[]): Spec {
  const domain = keys(groups);
  return {
    color: { field: "group", type: "nominal", legend: null, scale: { domain, range: groups.map(({ method }) => colorOf(method)) } },
    strokeDash: { field: "group", type: "nominal", legend: null, scale: { domain, range: groups.map((group) => dashOf(group, groups)) } },
  };
}

function dashOf(group: RunGroup, groups: readonly RunGroup[]): number[] {
  const alike = groups.filter(({ method }) => method === group.method);
  return DASHES[alike.indexOf(group) % DASHES.length] ?? [];
}

function legendOf(groups: readonly RunGroup[]): { legend?: LegendEntry[] } {
  return groups.length < 2 ? {} : { legend: groups.map((group) => ({ name: group.name, color: colorOf(group.method), dash: dashOf(group, groups) })) };
}

function methodScale(groups: readonly RunGroup[]): Spec {
  const methods = [...new Set(groups.map(({ method }) => method))];
  return { domain: keys(methods), range: methods.map(colorOf) };
}

function methodKeys(groups: readonly RunGroup[]): (of: { readonly method: string }) => string {
  const methods = [...new Set(groups.map(({ method }) => method))];
  return ({ method }) => key(methods.indexOf(method));
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
