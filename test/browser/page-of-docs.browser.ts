import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { serveFolders } from "../../examples/browser/serve-folders.ts";
import { codeBlocks } from "../docs/code-blocks.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";

const PAGE = "docs/browser.md";

/** A line with its numbers taken out, which differ by a little from processor to processor. */
const words = (line: string): string => line.replaceAll(/\d+\.\d+/g, "#");

describe("the example of docs/browser.md", function () {
  this.timeout(120_000);

  it("runs as it stands, and prints what the page shows", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-door-"));
    const browser = await launchChromium();
    try {
      const [code = ""] = codeBlocks(PAGE, "js");
      await build({
        stdin: { contents: code, resolveDir: resolve(".") }, bundle: true, format: "esm", outfile: join(folder, "example.js"), alias: { "onnx-hut": resolve("src/browser.ts") },
        plugins: [{ name: "runtime", setup: (b) => { b.onResolve({ filter: /^onnxruntime-web$/ }, () => ({ path: "/ort/ort.wasm.min.mjs", external: true })); } }],
      });
      writeFileSync(join(folder, "index.html"), `<!doctype html><link rel="icon" href="data:,"><script type="module" src="example.js"></script>`);
      await using served = await serveFolders({ "/": folder, "/ort/": "node_modules/onnxruntime-web/dist", "/demo/": "fixtures/demo" });
      const page = await browser.newPage();
      const complaints = complaintsOf(page);
      const printed: string[] = [];
      page.on("console", (message) => { if (message.type() === "log") printed.push(message.text()); });
      await page.goto(`${served.origin}/`);
      while (!(printed.at(-1) ?? "").startsWith("merged.onnx")) {
        assert.deepEqual(complaints, []);
        await page.waitForTimeout(100);
      }
      const [shown = ""] = codeBlocks(PAGE, "text");
      assert.deepEqual(printed.map(words), shown.trim().split("\n").map(words), printed.join("\n"));
      assert.deepEqual(complaints, []);
    } finally {
      await browser.close();
      rmSync(folder, { recursive: true });
    }
  });
});
