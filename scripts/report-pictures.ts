/**
 * Pictures of a page that `onnx-hut report` wrote, for docs/report.md: report.png, its top on a desktop, and report-phone.png, the same on a phone in the dark.
 *
 *     npx tsx scripts/report-pictures.ts report.html docs
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launchChromium } from "../test/browser/chromium.ts";

const [file, folder] = process.argv.slice(2);
if (file === undefined || folder === undefined) throw new Error("give the page and the folder for its pictures");
const PICTURES = [{ name: "report.png", width: 1200, height: 1415, colorScheme: "light", deviceScaleFactor: 0.75 }, { name: "report-phone.png", width: 390, height: 1500, colorScheme: "dark", deviceScaleFactor: 1 }] as const;

const browser = await launchChromium();
for (const { name, width, height, colorScheme, deviceScaleFactor } of PICTURES) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, deviceScaleFactor });
  await page.goto(pathToFileURL(resolve(file)).href);
  await page.screenshot({ path: join(folder, name) });
}
await browser.close();
