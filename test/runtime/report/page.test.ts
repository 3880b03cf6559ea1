import assert from "node:assert/strict";
import { reportPage } from "../../../src/runtime/report/page.ts";
import type { ReportData } from "../../../src/runtime/report/report-data.ts";
import { HOSTILE, madeComparison, madeExamined, madeRun, madeSingle } from "./made-up.ts";
import { groupRuns } from "../../../src/runtime/report/group-runs.ts";

/** The tags of a page, by name. */
const tags = (page: string): string[] => [...page.matchAll(/<([a-z][a-z0-9]*)/g)].map(([, name]) => name ?? "");
const count = (page: string, what: RegExp): number => [...page.matchAll(what)].length;

describe("the page of a report", function () {
  this.timeout(20_000);

  it("of one run: its figures, its curves and what running it showed", async () => {
    const page = await reportPage(madeSingle(), "1.2.3");
    assert.match(page, /<title>hut r8 on minilm<\/title>/);
    for (const heading of ["Figures", "Training", "Where it is wrong", "What training did to the weights", "Which words decide", "Settings"]) assert.ok(page.includes(`<h2>${heading}</h2>`), heading);
    // Loss, accuracy, learning rate, gradient; correlations of W' and of the update, entries.
    assert.equal(count(page, /<svg viewBox="[^"]+" role="img" aria-label="[^"]+">/g), 7);
    assert.match(page, /<dt>lr<\/dt><dd>0\.005<\/dd>/);
    assert.match(page, /<td style="--s:39%">303<small>71 %<\/small><\/td>/);
    assert.match(page, /<span class="w" style="--s:75%">witty<\/span>/);
  });

  it("of several: a table, best first, and the figure against operations", async () => {
    const data = madeComparison();
    const page = await reportPage(data, "1.2.3");
    const rows = [...page.matchAll(/<th scope="row"><span class="dot"[^>]*><\/span>([^<]*)<\/th>/g)].map(([, name]) => name);
    const byMean = [...data.groups].sort((a, b) => (b.metrics["eval_accuracy"]?.mean ?? 0) - (a.metrics["eval_accuracy"]?.mean ?? 0)).map(({ name }) => name);
    assert.deepEqual(rows, byMean);
    assert.match(page, /aria-label="Accuracy against operations: hut r4 0\.\d+ at 1\.\d+ TFLOP, /);
    assert.match(page, /<h2>Not on this page<\/h2>\s*<ul class="notes"><li>Mistakes of bitfit/);
    // A dash for each rank of a method, a shape for each method.
    assert.equal(count(page, /class="swatch"/g), 3 * 8 + 2 * (3 + 2));
    assert.equal(count(page, /<span style="color:[^"]+" aria-hidden="true">[●■▲◆]<\/span>/g), 4);
  });

  it("asks for nothing and runs nothing", async () => {
    for (const data of [madeSingle(), madeComparison()]) {
      const page = await reportPage(data, "1.2.3");
      assert.ok(page.includes(`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; `));
      const found = new Set(tags(page));
      for (const tag of ["script", "img", "link", "iframe", "object", "embed", "use", "image", "a", "form"]) assert.ok(!found.has(tag), `<${tag}>`);
      // The names of SVG's own namespaces are no addresses.
      assert.doesNotMatch(page, /\b(?:https?:)?\/\/|url\(|@import|\son[a-z]+=/);
    }
  });

  it("takes whatever a file says as text", async () => {
    const run = madeRun("hut", 8, 0, {
      folder: HOSTILE, name: HOSTILE, model: HOSTILE, settings: { task: HOSTILE, [HOSTILE]: HOSTILE, train: HOSTILE, dev: HOSTILE, targetModules: [HOSTILE] },
      metrics: { eval_accuracy: 0.5, [`eval_${HOSTILE}`]: 1 }, classes: [{ label: HOSTILE, precision: 1, recall: 1, f1: 1, support: 1 }],
    });
    const other = madeRun("constructor", null, 0, { folder: "other", settings: { method: "constructor", extra: HOSTILE } });
    const runs = [run, { ...madeRun(HOSTILE, 4, 1), settings: { x: 1 } }, other];
    const examined = madeExamined(0, 2);
    const data: ReportData = {
      metric: { name: "eval_accuracy", greaterIsBetter: true }, runs, groups: groupRuns(runs, []), notes: [HOSTILE],
      examined: [{
        ...examined, confusion: { file: HOSTILE, labels: [HOSTILE, "b"], counts: [[1, 2], [3, 4]] },
        worst: [{ line: 1, texts: [HOSTILE, "\u202e\u0000"], label: HOSTILE, prediction: HOSTILE, score: 1, loss: 1 }],
        correlations: examined.correlations?.map((each) => ({ ...each, module: HOSTILE, role: HOSTILE })) ?? null,
        attributions: [{ label: HOSTILE, tuned: { words: [HOSTILE], scores: [1], prediction: HOSTILE }, original: { words: [HOSTILE], scores: [0], prediction: HOSTILE } }],
      }],
    };
    const page = await reportPage(data, "1.2.3");
    assert.deepEqual([...new Set(tags(page))].filter((tag) => ["script", "img", "use", "image"].includes(tag)), []);
    assert.equal(count(page, /<\/style>/g), 1);
    assert.doesNotMatch(page, /[\u202e\u0000]/);
    assert.doesNotMatch(page, /function Object/);
    assert.ok(count(page, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/g) > 10);
  });

  it("draws what there is: a run without a step, evaluations or a rank, and one that isn't done", async () => {
    const empty = madeSingle({ curve: [], evaluations: [], metrics: {}, classes: [], finished: false, steps: 0, rank: null, flops: null, seconds: null, trainableParams: null });
    const page = await reportPage({ ...empty, metric: null, examined: [] }, "1.2.3");
    assert.match(page, /<h1>hut, unfinished on minilm<\/h1>/);
    assert.equal(count(page, /<svg/g), 0);
    assert.doesNotMatch(page, /NaN|undefined|null/);
  });

  it("lists the mix-ups of many classes instead of all pairs", async () => {
    const labels = Array.from({ length: 30 }, (_, i) => `class ${String(i)}`);
    const counts = labels.map((_, i) => labels.map((__, j) => (i === j ? 5 : i === 3 && j === 7 ? 4 : 0)));
    const data = madeSingle();
    const page = await reportPage({ ...data, examined: [{ ...madeExamined(0, 2), confusion: { file: "d.tsv", labels, counts } }] }, "1.2.3");
    assert.match(page, /most frequent mix-ups of 30 classes/);
    assert.match(page, /<tr><td>class 3<\/td><td>class 7<\/td><td class="n">4<\/td><\/tr>/);
    assert.doesNotMatch(page, /table class="confusion"/);
  });
});
