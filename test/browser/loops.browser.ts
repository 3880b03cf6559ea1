import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { prepareLoops, runNode, type Printed } from "../docs/loops.ts";
import { launchChromium } from "./chromium.ts";
import { runInPage, webgpuAdapter } from "./pages.ts";

/** Losses of one step in two builds of ONNX Runtime. */
const TOLERANCE = 1e-4;

describe("the browser's loop of docs/artifacts.md", function () {
  this.timeout(300_000);
  let folder = "";
  let node: Printed;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-browser-"));
    await prepareLoops(folder, "fixtures/cases/bert/model.ts.onnx", "fixtures/cases/bert/batch.jsonl");
    node = runNode(folder);
  });
  after(() => { rmSync(folder, { recursive: true }); });

  const trains = async (browser: Browser, provider: "wasm" | "webgpu"): Promise<void> => {
    const { losses, logits } = await runInPage(browser, folder, provider);
    assert.equal(losses.length, 20);
    losses.forEach((loss, i) => { assert.ok(Math.abs(loss - (node.losses[i] ?? NaN)) <= TOLERANCE, `step ${String(i + 1)}: ${String(loss)} for ${String(node.losses[i])}`); });
    assert.deepEqual(logits.dims, node.logits.dims);
  };

  it("trains on WASM as in Node", async () => {
    const browser = await launchChromium();
    try {
      await trains(browser, "wasm");
    } finally {
      await browser.close();
    }
  });

  it("trains on WebGPU as in Node", async function () {
    const browser = await launchChromium({ webgpu: true });
    try {
      const adapter = await webgpuAdapter(browser);
      if (adapter === undefined) {
        process.stderr.write("      skipped: this Chromium has no WebGPU adapter, in hardware or software\n");
        this.skip();
      }
      process.stderr.write(`      on the adapter ${adapter}\n`);
      await trains(browser, "webgpu");
    } finally {
      await browser.close();
    }
  });
});
