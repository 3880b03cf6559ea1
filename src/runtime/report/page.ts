/** A report's data → one HTML file that asks for nothing: no script, its pictures drawn, its style inside. */
import { list } from "../../errors/hut-error.ts";
import { duration, figure, grouped, operations } from "../format.ts";
import { colorOf, comparisonCharts, correlationCharts, curveCharts, type Chart, type LegendEntry } from "./charts.ts";
import { draw } from "./draw.ts";
import { Html, html } from "./html.ts";
import type { AttributedText, Confusion, ExaminedRun, ReportData, ReportedRun, RunGroup, WordScores, WorstExample } from "./report-data.ts";
import { STYLE } from "./style.ts";
import { metricWords, sentence, settingWords, spreadWords, valueWords } from "./words.ts";

/** Nothing may be fetched, run or sent, whatever stands in the page. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
/** With more classes than this the most frequent mix-ups are listed instead of all pairs. */
const MATRIX_CLASSES = 20;
const MIX_UPS = 20;
/** Strongest shade behind text, of 100: ink on it keeps 4.5:1. */
const STRONGEST_WORD = 75;
const STRONGEST_CELL = 55;

/** The page, of `version` of onnx-hut. */
export async function reportPage(data: ReportData, version: string): Promise<string> {
  const title = titleOf(data);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="onnx-hut ${version}">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<header>
<h1>${title}</h1>
<p class="lead">${leadOf(data)}</p>
</header>
${await results(data)}
${await curves(data)}
${await examinedRuns(data)}
${settings(data)}
${data.notes.length > 0 && html`<h2>Not on this page</h2>
<ul class="notes">${data.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<footer>Made by onnx-hut ${version}. This file holds everything it shows, and asks for nothing.</footer>
</main>
</body>
</html>
`;
  return page.text;
}

function titleOf({ groups, runs }: ReportData): string {
  const models = [...new Set(runs.map(({ model }) => model.split(/[/\\]/).findLast((part) => part !== "") ?? model))];
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return `${only.name} on ${models[0] ?? ""}${only.runs.length === 1 ? "" : `, ${String(only.runs.length)} seeds`}`;
  return `${String(groups.length)} ways to fine-tune ${list(models, 3)}`;
}

function leadOf({ runs, groups, metric }: ReportData): string {
  const files = (name: string): string => list([...new Set(runs.flatMap(({ settings }) => (typeof settings[name] === "string" ? [settings[name]] : [])))], 3);
  const [best] = metric === null ? [] : bestFirst(groups, metric.name, metric.greaterIsBetter);
  const spread = metric === null ? undefined : best?.metrics[metric.name];
  const first = runs.length === 1 ? `Trained on ${files("train")}.` : `${String(runs.length)} runs, trained on ${files("train")}.`;
  const evaluated = files("dev");
  const dev = evaluated === "none" ? " Evaluated on nothing." : ` Evaluated on ${evaluated}.`;
  return first + dev + (metric === null || best === undefined || spread === undefined || groups.length === 1 ? "" : ` Best ${metricWords(metric.name)}: ${best.name}, ${spreadWords(spread)}.`);
}

function bestFirst(groups: readonly RunGroup[], metric: string, greaterIsBetter: boolean): RunGroup[] {
  const value = (group: RunGroup): number => group.metrics[metric]?.mean ?? NaN;
  return groups.filter((group) => !Number.isNaN(value(group))).sort((a, b) => (greaterIsBetter ? 1 : -1) * (value(b) - value(a)));
}

async function results(data: ReportData): Promise<Html> {
  const [only] = data.groups;
  if (data.groups.length === 1 && only !== undefined) {
    return html`${glance(data, only)}
${metricNames(data).length > 0 && html`<h2>${only.runs.length === 1 ? "Figures" : `Figures over ${String(only.runs.length)} seeds`}</h2>
${only.runs.length === 1 ? plainList(metricNames(data).map((name) => [metricWords(name), number(data.runs[0]?.metrics[name])])) : figuresOfOne(data, only)}`}`;
  }
  return html`<h2>Results</h2>
${tableOfGroups(data)}
<div class="grid even" style="margin-top:14px">${await pictures(comparisonCharts(data))}</div>`;
}

/** What one wants to know first of runs of one kind. */
function glance({ metric, runs }: ReportData, group: RunGroup): Html {
  const spread = metric === null ? undefined : group.metrics[metric.name];
  const first = runs[group.runs[0] ?? 0];
  const fact = (name: string, value: string, more?: string): Html => html`<div><dt>${name}</dt><dd>${value}${more !== undefined && html`<small>${more}</small>`}</dd></div>`;
  return html`<dl class="facts">
${metric !== null && spread !== undefined && fact(sentence(metricWords(metric.name)), spreadWords(spread), spread.n > 1 ? `${figure(spread.min)} to ${figure(spread.max)}` : undefined)}
${first !== undefined && fact("Steps", grouped(first.steps), group.finished ? (first.bestStep === null ? undefined : `best at ${grouped(first.bestStep)}`) : "not finished")}
${group.trainableParams !== null && fact("Trained numbers", grouped(group.trainableParams))}
${group.seconds !== null && fact("Training took", duration(group.seconds.mean), group.seconds.n > 1 ? "mean of the seeds" : undefined)}
${group.flops !== null && fact("Operations", operations(group.flops))}
</dl>`;
}

/** Names of the figures that any group has, the one that is compared by first. */
function metricNames({ groups, metric }: ReportData): string[] {
  const names = [...new Set(groups.flatMap((group) => Object.keys(group.metrics)))];
  return names.sort((a, b) => Number(b === metric?.name) - Number(a === metric?.name));
}

function figuresOfOne(data: ReportData, group: RunGroup): Html {
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">figure</th><th scope="col" class="n">mean ± deviation</th><th scope="col" class="n">lowest to highest</th>${group.runs.map((i) => html`<th scope="col" class="n">seed ${data.runs[i]?.seed}</th>`)}</tr></thead>
<tbody>${metricNames(data).map((name) => {
    const spread = group.metrics[name];
    return spread !== undefined && html`<tr><th scope="row">${metricWords(name)}</th><td class="n">${spreadWords(spread)}</td><td class="n">${figure(spread.min)} to ${figure(spread.max)}</td>${group.runs.map((i) => html`<td class="n">${number(data.runs[i]?.metrics[name])}</td>`)}</tr>
`;
  })}</tbody>
</table></div>`;
}

function tableOfGroups(data: ReportData): Html {
  const { groups, metric } = data;
  const others = metricNames(data).filter((name) => name !== metric?.name);
  const inOrder = metric === null ? groups : [...new Set([...bestFirst(groups, metric.name, metric.greaterIsBetter), ...groups])];
  const cell = (group: RunGroup, name: string): Html => { const spread = group.metrics[name]; return html`<td class="n">${spread === undefined ? "–" : spreadWords(spread)}</td>`; };
  const several = groups.some((group) => group.runs.length > 1);
  return html`<div class="scroll"><table>
<thead><tr><th scope="col">method</th><th scope="col" class="n">seeds</th>${metric !== null && html`<th scope="col" class="n">${metricWords(metric.name)}</th>${several && html`<th scope="col" class="n">lowest to highest</th>`}`}<th scope="col" class="n">trained numbers</th><th scope="col" class="n">operations</th><th scope="col" class="n">time</th>${others.map((name) => html`<th scope="col" class="n">${metricWords(name)}</th>`)}</tr></thead>
<tbody>${inOrder.map((group, i) => {
    const spread = metric === null ? undefined : group.metrics[metric.name];
    return html`<tr${i === 0 && metric !== null && html` class="best"`}><th scope="row"><span class="dot" style="--c:${colorOf(group.method)}"></span>${group.name}</th><td class="n">${group.runs.length}</td>${metric !== null && html`${cell(group, metric.name)}${several && html`<td class="n">${spread === undefined || spread.n === 1 ? "–" : `${figure(spread.min)} to ${figure(spread.max)}`}</td>`}`}<td class="n">${group.trainableParams === null ? "–" : grouped(group.trainableParams)}</td><td class="n">${group.flops === null ? "–" : operations(group.flops)}</td><td class="n">${group.seconds === null ? "–" : duration(group.seconds.mean)}</td>${others.map((name) => cell(group, name))}</tr>
`;
  })}</tbody>
</table></div>
${several && html`<p class="note" style="margin-top:8px">Mean ± standard deviation of the seeds (n − 1). Operations are those of all training steps.</p>`}`;
}

async function curves(data: ReportData): Promise<Html> {
  const charts = curveCharts(data);
  return html`${charts.length > 0 && html`<h2>Training</h2>
<div class="grid fill">${await pictures(charts)}</div>`}`;
}

/** What examined runs showed, subject by subject: with several runs, side by side. */
async function examinedRuns(data: ReportData): Promise<Html> {
  const { examined, runs, groups } = data;
  const nameOf = ({ run }: ExaminedRun): string => `${groups.find((group) => group.runs.includes(run))?.name ?? ""}, seed ${String(runs[run]?.seed ?? 0)}`;
  const alone = examined.length === 1;
  const heading = (each: ExaminedRun, title: string): string => (alone ? title : nameOf(each));
  const of = alone && runs.length > 1 && examined[0] !== undefined ? ` (${nameOf(examined[0])})` : "";
  const best = alone ? "" : "Of each method, the run with the best figure.";
  const mistaken = examined.filter(({ confusion }) => confusion !== null);
  const wrong = examined.filter(({ worst }) => worst !== null && worst.length > 0);
  const read = examined.filter(({ attributions }) => attributions !== null && attributions.length > 0);
  const charts = await all(examined, async (each) => html`${await pictures(correlationCharts(each).map((chart) => (alone ? chart : { ...chart, title: `${nameOf(each)}: ${chart.title}` })))}`);
  return html`${mistaken.length + wrong.length > 0 && html`<h2>Where it is wrong${of}</h2>
${best !== "" && html`<p class="note">${best}</p>`}
<div class="grid${alone ? " two" : ""}">
${mistaken.map((each) => html`<section class="card"><h3>${heading(each, "What was taken for what")}</h3>${each.confusion !== null && (each.confusion.labels.length > MATRIX_CLASSES ? mixUps(each.confusion) : matrix(each.confusion))}${classTable(runs[each.run])}</section>
`)}
${alone && wrong.map(({ worst }) => html`<section class="card"><h3>Worst examples</h3><p class="note">Highest loss first.</p>${worstList(worst ?? [])}</section>`)}
</div>
${!alone && html`<div class="stack">${wrong.map((each, i) => html`<details class="card"${i === 0 && html` open`}><summary><h3>Worst examples of ${nameOf(each)}</h3></summary>${worstList(each.worst ?? [])}</details>
`)}</div>`}`}
${charts.some(({ text }) => text !== "") && html`<h2>What training did to the weights${of}</h2>
<div class="grid fill">${charts}</div>`}
${read.length > 0 && html`<h2>Which words decide${of}</h2>
<p class="note">The redder a word, the more it did for the prediction: its gradient × input, in size, against the strongest word of the text.</p>
<div class="stack">${read.map((each, i) => (alone ? html`<section class="card">${(each.attributions ?? []).map(wordsOf)}</section>` : html`<details class="card"${i === 0 && html` open`}><summary><h3>${nameOf(each)}</h3></summary>${(each.attributions ?? []).map(wordsOf)}</details>
`))}</div>`}`;
}

function worstList(worst: readonly WorstExample[]): Html {
  return html`<ol class="worst">${worst.map(worstExample)}</ol>`;
}

function matrix({ labels, counts, file }: Confusion): Html {
  return html`<div class="scroll"><table class="confusion">
<caption>Rows: the class it is. Columns: the class it was taken for. Share of the row below each count; ${file}.</caption>
<thead><tr><td></td>${labels.map((label) => html`<th scope="col" class="n" style="text-align:center">${label}</th>`)}</tr></thead>
<tbody>${labels.map((label, i) => {
    const row = counts[i] ?? [];
    const sum = row.reduce((a, b) => a + b, 0);
    return html`<tr><th scope="row">${label}</th>${labels.map((_, j) => {
      const share = sum === 0 ? 0 : (row[j] ?? 0) / sum;
      return html`<td style="--s:${(share * STRONGEST_CELL).toFixed(0)}%">${grouped(row[j] ?? 0)}<small>${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %</small></td>`;
    })}</tr>
`;
  })}</tbody>
</table></div>`;
}

function mixUps({ labels, counts, file }: Confusion): Html {
  const pairs = counts.flatMap((row, i) => row.flatMap((count, j) => (i === j || count === 0 ? [] : [{ is: labels[i] ?? "", taken: labels[j] ?? "", count }]))).sort((a, b) => b.count - a.count).slice(0, MIX_UPS);
  return html`<p class="note">The most frequent mix-ups of ${labels.length} classes; ${file}.</p>
<div class="scroll"><table><thead><tr><th scope="col">is</th><th scope="col">taken for</th><th scope="col" class="n">records</th></tr></thead>
<tbody>${pairs.map((pair) => html`<tr><td>${pair.is}</td><td>${pair.taken}</td><td class="n">${grouped(pair.count)}</td></tr>`)}</tbody></table></div>`;
}

function classTable(run: ReportedRun | undefined): Html {
  const classes = run?.classes ?? [];
  if (classes.length === 0) return html``;
  return html`<div class="scroll" style="margin-top:14px"><table><thead><tr><th scope="col">class</th>${["precision", "recall", "F1", "records"].map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${classes.map((c) => html`<tr><th scope="row">${c.label}</th>${[c.precision, c.recall, c.f1].map((value) => html`<td class="n">${number(value)}</td>`)}<td class="n">${grouped(c.support)}</td></tr>`)}</tbody></table></div>`;
}

function worstExample({ line, texts, label, prediction, score, loss }: WorstExample): Html {
  return html`<li>${texts.map((text) => html`<div class="text">${text.trim() === "" ? "(empty)" : text}</div>`)}
<div class="tag">is <b>${label}</b>, taken for <b>${prediction}</b> with ${(100 * score).toFixed(1)} % · loss ${figure(loss)} · line ${line}</div></li>
`;
}

function wordsOf({ label, original, tuned }: AttributedText): Html {
  const side = (name: string, { words, scores, prediction }: WordScores, known: string | null): Html => {
    const most = Math.max(...scores.map(Math.abs), Number.MIN_VALUE);
    return html`<div><div class="tag">${name}: <b>${prediction}</b>${known !== null && html` · label <b>${known}</b>`}</div><div class="words">${words.map((word, i) => html`<span class="w" style="--s:${(STRONGEST_WORD * Math.abs(scores[i] ?? 0) / most).toFixed(0)}%">${word}</span> `)}</div></div>`;
  };
  return html`<div class="pair">${side("Fine-tuned", tuned, label)}${side("Original", original, null)}</div>
`;
}

/** Settings that all runs share, and what each run has for itself. */
function settings({ runs }: ReportData): Html {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
  const isShared = (name: string): boolean => new Set(runs.map((run) => JSON.stringify(run.settings[name]))).size === 1;
  const shared = names.filter(isShared);
  const own = names.filter((name) => !isShared(name));
  return html`<h2>Settings</h2>
<div class="stack">
${runs.length > 1 && html`<div class="scroll"><table><thead><tr><th scope="col">run</th>${own.map((name) => html`<th scope="col">${settingWords(name)}</th>`)}<th scope="col" class="n">steps</th><th scope="col" class="n">time</th></tr></thead>
<tbody>${runs.map((run) => html`<tr><th scope="row">${run.folder}</th>${own.map((name) => html`<td>${valueWords(run.settings[name])}</td>`)}<td class="n">${grouped(run.steps)}${!run.finished && " (not finished)"}</td><td class="n">${run.seconds === null ? "–" : duration(run.seconds)}</td></tr>
`)}</tbody></table></div>`}
${runs.length > 1 && shared.length > 0 && html`<p class="note">What all of them have:</p>`}
${plainList(shared.map((name) => [settingWords(name), valueWords(runs[0]?.settings[name])]))}
</div>`;
}

/** Names and their values, as many beside each other as there is room for. */
function plainList(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl class="plain card">${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`)}</dl>`;
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : figure(value);
}

async function pictures(charts: readonly Chart[]): Promise<Html[]> {
  return all(charts, async ({ title, note, label, legend, spec }) => html`<figure class="card"><figcaption><h3>${title}</h3>${note !== undefined && html`<p class="note">${note}</p>`}</figcaption>${await draw(spec, label)}${legend !== undefined && html`<ul class="legend">${legend.map(legendEntry)}</ul>`}</figure>
`);
}

const GLYPHS: Readonly<Record<string, string>> = { circle: "●", square: "■", "triangle-up": "▲", diamond: "◆", "triangle-down": "▼", cross: "✚", "triangle-right": "▶", "triangle-left": "◀" };

function legendEntry({ name, color, dash, shape }: LegendEntry): Html {
  const line = dash !== undefined && html`<svg class="swatch" viewBox="0 0 26 8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke="${color}" stroke-width="2.5" stroke-dasharray="${dash.join(" ")}"/></svg>`;
  const point = shape !== undefined && html`<span style="color:${color}" aria-hidden="true">${GLYPHS[shape] ?? "●"}</span>`;
  return html`<li>${line}${point}${name}</li>`;
}

/** One after the other. */
async function all<T>(items: readonly T[], make: (item: T) => Promise<Html>): Promise<Html[]> {
  const made: Html[] = [];
  for (const item of items) made.push(await make(item));
  return made;
}
