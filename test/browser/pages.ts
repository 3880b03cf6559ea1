/** The browser's loop of docs/artifacts.md, run in Chromium. */
import type { Browser } from "playwright-core";
import { serveFolders } from "../../examples/browser/serve-folders.ts";
import { LOOPS, parsePrinted, type Printed } from "../docs/loops.ts";
import { complaintsOf } from "./chromium.ts";

/** What ends the loop's lines. */
const LAST = "logits";

/** Runs the loop of a folder that `prepareLoops` made. Throws what the page complains of. */
export async function runInPage(browser: Browser, folder: string, provider: "wasm" | "webgpu"): Promise<Printed> {
  await using served = await serveFolders({ "/": folder, "/node_modules/": "node_modules" });
  const page = await browser.newPage();
  try {
    const complaints = complaintsOf(page);
    await page.goto(`${served.origin}/${LOOPS.html}?provider=${provider}`);
    const log = page.locator("#log");
    while (!((await log.textContent()) ?? "").includes(LAST)) {
      if (complaints.length > 0) throw new Error(complaints.join("\n"));
      await page.waitForTimeout(100);
    }
    return parsePrinted((await log.textContent()) ?? "");
  } finally {
    await page.close();
  }
}

/** What WebGPU says of its adapter; undefined where there is none. */
export async function webgpuAdapter(browser: Browser): Promise<string | undefined> {
  // Only what localhost serves is offered an adapter.
  await using served = await serveFolders({ "/": "docs" });
  const page = await browser.newPage();
  try {
    await page.goto(`${served.origin}/artifacts.md`);
    const found = await page.evaluate(`navigator.gpu?.requestAdapter().then((adapter) => adapter && adapter.info.vendor + " " + adapter.info.architecture)`);
    return typeof found === "string" ? found.trim() : undefined;
  } finally {
    await page.close();
  }
}
