import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Download, Page } from "playwright-core";
import { buildExample, serveExample } from "../../examples/browser/build.ts";
import type { Served } from "../../examples/browser/serve-folders.ts";
import { fold, predict } from "../../src/index.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";

const DEMO = "fixtures/demo";
/** Pictures of the page go to this folder, where it is named. */
const PICTURES = process.env["HUT_PICTURES"];

describe("the example page", function () {
  this.timeout(240_000);
  let folder = "";
  let browser: Browser;
  let served: Served;
  let page: Page;
  let complaints: string[] = [];
  const asked: string[] = [];
  const picture = async (name: string): Promise<void> => {
    if (PICTURES === undefined) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  };
  const status = (id: string, pattern: RegExp): Promise<void> => page.locator(`#${id}`).filter({ hasText: pattern }).waitFor({ timeout: 60_000 });

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-example-"));
    await buildExample();
    served = await serveExample();
    browser = await launchChromium();
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    complaints = complaintsOf(page);
    page.on("request", (request) => { asked.push(request.url()); });
    await page.goto(`${served.origin}/`);
  });
  after(async () => {
    await browser.close();
    await served[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  it("opens the demo's model", async () => {
    await status("model-status", /model\.onnx: 9,461,760 numbers, 18 weights/);
    assert.ok(await page.locator("#train").isDisabled());
    await picture("1-opened");
  });

  const bad: readonly { readonly what: string; readonly file: string; readonly content: string; readonly says: RegExp }[] = [
    { what: "no label column", file: "a.csv", content: "text,stars\ngood,1\n", says: /must name the columns "text" \(or "sentence"\) and "label"; it names "text", "stars"/ },
    { what: "a row that is too short", file: "b.csv", content: "text,label\ngood,1\nbad\n", says: /"b.csv", line 3: 1 column, but the header has 2/ },
    { what: "one label alone", file: "c.tsv", content: "text\tlabel\ngood\t1\nfine\t1\n", says: /All sentences have the same label, "1"/ },
    { what: "an ending that isn't known", file: "d.xlsx", content: "text,label\n", says: /the ending doesn't say/ },
  ];
  for (const { what, file, content, says } of bad) {
    it(`says what is wrong with data: ${what}`, async () => {
      await page.locator("#data-file").setInputFiles({ name: file, mimeType: "text/plain", buffer: Buffer.from(content) });
      await status("data-status", says);
      assert.ok(await page.locator("#train").isDisabled());
    });
  }

  it("stops when it is told to", async () => {
    await page.locator("#demo-data").click();
    await status("data-status", /400 sentences, 80 of them held out/);
    await page.locator("#train").click();
    await status("train-status", /Step [2-9] of 40/);
    await page.locator("#stop").click();
    await status("train-status", /Stopped after \d+ steps/);
  });

  it("trains on a CSV file, and the loss falls", async () => {
    const lines = readFileSync(join(DEMO, "train.tsv"), "utf8").split("\n").slice(1, 401).map((line) => line.split("\t"));
    const named = lines.map(([sentence = "", label]) => `"${sentence.replaceAll('"', '""')}",${label === "1" ? "positive" : "negative"}`);
    writeFileSync(join(folder, "reviews.csv"), ["sentence,label", ...named].join("\n"));
    await page.locator("#data-file").setInputFiles(join(folder, "reviews.csv"));
    await status("data-status", /400 sentences.*Labels: negative \(\d+\), positive \(\d+\)/);
    await page.locator("#sentence").fill("a warm , funny and clever film");
    await page.locator("#train").click();
    await status("train-status", /Step 1\d of 40.*steps\/s.*left/);
    await picture("2-training");
    await status("train-status", /Done: 40 steps in .* Accuracy on the sentences held out/);
    const label = (await page.locator("#chart").getAttribute("aria-label")) ?? "";
    const [, first = "", last = ""] = /: ([\d.]+) at first, ([\d.]+) at step 40/.exec(label) ?? [];
    assert.ok(Number(last) < Number(first) - 0.1, label);
  });

  const scores = async (column: number): Promise<number[]> => {
    const bars = page.locator(`#scores tbody tr td:nth-child(${String(column)}) .bar`);
    return (await bars.all()).reduce<Promise<number[]>>(async (all, bar) => [...await all, Number(await bar.getAttribute("data-score"))], Promise.resolve([]));
  };

  it("scores a sentence before and after", async () => {
    await page.locator("#scores").waitFor({ timeout: 60_000 });
    const [before, after] = [await scores(2), await scores(3)];
    assert.deepEqual([before.length, after.length], [2, 2]);
    assert.ok((after[1] ?? 0) > 0.7 && (after[1] ?? 0) > (before[1] ?? 1), `${String(before)} → ${String(after)}`);
    await picture("3-trained");
    await page.emulateMedia({ colorScheme: "dark" });
    await picture("4-dark");
    await page.emulateMedia({ colorScheme: "light" });
  });

  it("opens the model folder in transformers.js, which answers as the page does, and as predict with the folder's files", async () => {
    const sentence = await page.locator("#sentence").inputValue();
    await page.locator("#transformers").click();
    await page.locator("#answers").waitFor({ timeout: 60_000 });
    const rows = await page.locator("#answers tbody tr").all();
    const shown = await Promise.all(rows.map(async (row) => ({ label: await row.locator("td").nth(1).textContent(), score: Number(await row.locator(".bar").getAttribute("data-score")) })));
    const [ours, theirs] = shown;
    assert.ok(ours !== undefined && theirs !== undefined && shown.length === 2);
    assert.deepEqual([ours.label, theirs.label], ["positive", "positive"]);
    assert.ok(Math.abs(theirs.score - ours.score) <= 1e-5, `${String(theirs.score)} for ${String(ours.score)}`);
    assert.ok(Math.abs(ours.score - (Math.max(...await scores(3)))) <= 1e-5);
    await picture("5-transformers");

    const took = new Set<string>();
    const saving: Promise<void>[] = [];
    const save = (file: Download): void => {
      const name = file.suggestedFilename();
      took.add(name);
      saving.push(file.saveAs(join(folder, "taken", name === "model.onnx" ? "onnx" : "", name)));
    };
    page.on("download", save);
    await page.locator("#download-folder").click();
    await status("take-status", /Saved .*onnx\/model\.onnx.*config\.json/);
    await Promise.all(saving);
    page.off("download", save);
    assert.deepEqual([...took].sort(), ["README.md", "config.json", "model.onnx", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"]);
    writeFileSync(join(folder, "sentence.csv"), `text\n"${sentence}"\n`);
    await predict(join(folder, "taken"), { data: join(folder, "sentence.csv"), output: join(folder, "sentence.jsonl") });
    const wanted = JSON.parse(readFileSync(join(folder, "sentence.jsonl"), "utf8")) as { label: string; score: number };
    assert.equal(theirs.label, wanted.label);
    assert.ok(Math.abs(theirs.score - wanted.score) <= 1e-5, `${String(theirs.score)} for ${String(wanted.score)}`);
  });

  it("gives a merged.onnx with which onnxruntime-node has the page's scores, and an adapter that fold takes to the same file", async () => {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#download-merged").click()]);
    const merged = join(folder, "merged.onnx");
    await download.saveAs(merged);
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) writeFileSync(join(folder, file), readFileSync(join(DEMO, file)));
    writeFileSync(join(folder, "one.csv"), `text\n"${await page.locator("#sentence").inputValue()}"\n`);
    await predict(merged, { data: join(folder, "one.csv"), output: join(folder, "one.jsonl") });
    const { logits } = JSON.parse(readFileSync(join(folder, "one.jsonl"), "utf8")) as { logits: number[] };
    const powers = logits.map(Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    (await scores(3)).forEach((score, i) => { assert.ok(Math.abs(score - (powers[i] ?? NaN) / sum) <= 1e-5, `${String(score)} for ${String((powers[i] ?? NaN) / sum)}`); });

    const adapter = join(folder, "adapter");
    const names: string[] = [];
    page.on("download", (file) => { names.push(file.suggestedFilename()); void file.saveAs(join(adapter, file.suggestedFilename())); });
    await page.locator("#download-adapter").click();
    await status("take-status", /Saved .*adapter_config\.json/);
    assert.deepEqual(names.sort(), ["README.md", "adapter_config.json", "adapter_model.safetensors", "hut.json"]);
    await page.waitForTimeout(500);
    await fold(DEMO, { adapter, output: join(folder, "folded.onnx") });
    assert.equal(readFileSync(join(folder, "folded.onnx")).length, readFileSync(merged).length);
  });

  it("opens a model of the user's own, with config.json and others", async () => {
    await page.locator("input[value=own]").check();
    await status("model-status", /Choose model\.onnx and tokenizer\.json/);
    await page.locator("#other-files").setInputFiles(["config.json", "tokenizer_config.json"].map((file) => join(DEMO, file)));
    await page.locator("#tokenizer-file").setInputFiles(join(DEMO, "tokenizer.json"));
    await page.locator("#model-file").setInputFiles(join(DEMO, "model.onnx"));
    await status("model-status", /model\.onnx: 9,461,760 numbers, 18 weights/);
    await status("data-status", /400 sentences, 80 of them held out/);
    assert.ok(await page.locator("#transformers").isDisabled());
  });

  it("complained of nothing, and asked no other server", () => {
    assert.deepEqual(complaints, []);
    assert.ok(asked.some((url) => url.startsWith(`${served.origin}/transformers/`)));
    assert.deepEqual(asked.filter((url) => /^(http|ws)/.test(url) && !url.startsWith(`${served.origin}/`)), []);
  });
});
