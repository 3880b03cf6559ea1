import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { reportPage } from "../../src/runtime/report/page.ts";
import { madeComparison, madeSingle } from "../runtime/report/made-up.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";

/** Pictures of the pages go to this folder, where it is named. */
const PICTURES = process.env["HUT_PICTURES"];
/** Text of pictures is at least so large on a phone, in CSS pixels. */
const LEAST_TEXT = 11;
const SIZES = [{ name: "desktop", width: 1200 }, { name: "phone", width: 390 }, { name: "small phone", width: 320 }] as const;

/** What is asked of a page in Chromium; sizes in CSS pixels. */
interface Seen {
  readonly width: number;
  readonly pictures: readonly { readonly label: string; readonly width: number; readonly height: number; readonly least: number; readonly outside: number; readonly marks: number }[];
  readonly policy: boolean;
}

const LOOK = `(() => ({
  width: document.documentElement.scrollWidth,
  policy: document.querySelector("meta[http-equiv=Content-Security-Policy]").content.startsWith("default-src 'none'"),
  pictures: [...document.querySelectorAll("svg[role=img]")].map((svg) => {
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent !== "" && getComputedStyle(text).opacity !== "0");
    const boxes = texts.map((text) => text.getBoundingClientRect());
    return {
      label: svg.getAttribute("aria-label"), width: box.width, height: box.height, marks: svg.querySelectorAll("path[stroke], path[fill], line").length,
      least: Math.min(...texts.map((text) => parseFloat(getComputedStyle(text).fontSize) * scale)),
      outside: boxes.filter((own) => own.left < box.left - 1 || own.right > box.right + 1 || own.top < box.top - 1 || own.bottom > box.bottom + 1).length,
    };
  }),
}))()`;

describe("the page of a report, in Chromium", function () {
  this.timeout(120_000);
  let folder = "";
  let browser: Browser;
  const pages = { run: madeSingle(), comparison: madeComparison() };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "hut-report-"));
    for (const [name, data] of Object.entries(pages)) writeFileSync(join(folder, `${name}.html`), await reportPage(data, "1.2.3"));
    browser = await launchChromium();
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  for (const name of ["run", "comparison"] as const) {
    for (const colorScheme of ["light", "dark"] as const) {
      for (const { name: device, width } of SIZES) {
        it(`shows a ${name} on a ${device}, ${colorScheme}`, async () => {
          const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
          try {
            const complaints = complaintsOf(page);
            const asked: string[] = [];
            page.on("request", (request) => { asked.push(request.url()); });
            const address = pathToFileURL(join(folder, `${name}.html`)).href;
            await page.goto(address, { waitUntil: "networkidle" });
            const seen: Seen = await page.evaluate(LOOK);
            assert.deepEqual(complaints, []);
            assert.deepEqual(asked, [address]);
            assert.ok(seen.policy);
            assert.ok(seen.width <= width, `the page is ${String(seen.width)} wide`);
            assert.equal(seen.pictures.length, name === "run" ? 7 : 2 + 3 + 2 * 3);
            for (const picture of seen.pictures) {
              assert.ok(picture.width > 200 && picture.height > 120 && picture.marks > 3, JSON.stringify(picture));
              assert.equal(picture.outside, 0, `${picture.label}: text beyond its edge`);
              if (width >= 390) assert.ok(picture.least >= LEAST_TEXT, `${picture.label}: text of ${String(picture.least)} px`);
            }
            if (PICTURES !== undefined) {
              mkdirSync(PICTURES, { recursive: true });
              await page.screenshot({ path: join(PICTURES, `report-${name}-${String(width)}-${colorScheme}.png`), fullPage: true });
            }
          } finally {
            await page.close();
          }
        });
      }
    }
  }

  it("has other colours in the dark, for pictures too", async () => {
    const colors = await Promise.all((["light", "dark"] as const).map(async (colorScheme) => {
      const page = await browser.newPage({ colorScheme });
      await page.goto(pathToFileURL(join(folder, "run.html")).href);
      const found: unknown = await page.evaluate(`["body", "svg[role=img] text", "svg[role=img] .mark-line path"].map((what) => { const style = getComputedStyle(document.querySelector(what)); return [style.backgroundColor, style.fill, style.stroke].join(" "); })`);
      await page.close();
      return found as string[];
    }));
    const [light = [], dark = []] = colors;
    assert.equal(light.length, 3);
    light.forEach((color, i) => { assert.notEqual(color, dark[i]); });
    assert.ok([...light, ...dark].every((color) => !color.includes("var(")));
  });
});
