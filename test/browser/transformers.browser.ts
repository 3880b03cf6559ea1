import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformersFolders } from "../../examples/browser/build.ts";
import { serveFolders } from "../../examples/browser/serve-folders.ts";
import { fold, predict, train } from "../../src/index.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";

const DEMO = "fixtures/demo";
const SENTENCES = ["a warm , funny and clever film", "i want those two hours back", "it is neither good nor bad"];

/** Loads a folder as any page would, from this machine alone. */
const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
  import { env, pipeline } from "/transformers/transformers.min.js";
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  env.useBrowserCache = false;
  env.backends.onnx.wasm.wasmPaths = "/transformers-ort/";
  const classify = await pipeline("text-classification", "folded", { dtype: "fp32", device: "wasm" });
  globalThis.answers = await classify(${JSON.stringify(SENTENCES)});
</script>`;

interface Answer { readonly label: string; readonly score: number }

describe("transformers.js in a page", function () {
  this.timeout(180_000);

  it("loads what fold writes, and answers as predict", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-transformers-"));
    const at = (...names: string[]): string => join(folder, ...names);
    const browser = await launchChromium();
    try {
      const lines = readFileSync(join(DEMO, "train.tsv"), "utf8").split("\n").slice(1, 257).map((line) => line.split("\t"));
      writeFileSync(at("train.tsv"), ["sentence\tlabel", ...lines.map(([sentence = "", label]) => `${sentence}\t${label === "1" ? "positive" : "negative"}`)].join("\n"));
      const { adapter } = await train(DEMO, { head: "mean", numLabels: 2, train: at("train.tsv"), output: at("run"), maxSteps: 8 });
      await fold(DEMO, { adapter, output: at("models", "folded") });
      writeFileSync(at("new.tsv"), ["sentence", ...SENTENCES].join("\n"));
      await predict(at("models", "folded"), { data: at("new.tsv"), output: at("predictions.jsonl") });
      const wanted = readFileSync(at("predictions.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as Answer);

      writeFileSync(at("index.html"), PAGE);
      await using served = await serveFolders({ "/": folder, ...transformersFolders() });
      const page = await browser.newPage();
      const complaints = complaintsOf(page);
      await page.goto(`${served.origin}/`);
      while (await page.evaluate("globalThis.answers === undefined")) {
        assert.deepEqual(complaints, []);
        await page.waitForTimeout(100);
      }
      const answers = await page.evaluate<readonly Answer[]>("globalThis.answers");
      assert.equal(answers.length, SENTENCES.length);
      answers.forEach(({ label, score }, i) => {
        assert.equal(label, wanted[i]?.label);
        assert.ok(Math.abs(score - (wanted[i]?.score ?? NaN)) <= 1e-5, `${SENTENCES[i] ?? ""}: ${String(score)} for ${String(wanted[i]?.score)}`);
      });
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true });
    }
  });
});
