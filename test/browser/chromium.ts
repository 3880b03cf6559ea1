/** The machine's Chromium, driven by playwright-core, which brings no browser of its own. */
import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** CHROMIUM of the environment, else the first of chromium, chromium-browser and google-chrome on the PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const given = process.env["CHROMIUM"];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const candidates = (given === undefined || given === "" ? NAMES : [given]).flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** WebGPU on the processor, where there is no graphics card. */
const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan,WebGPU"];

/** Starts Chromium without a window; with `webgpu`, so that pages are offered an adapter made in software. */
export async function launchChromium({ webgpu = false }: { readonly webgpu?: boolean } = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("no Chromium: set CHROMIUM, or put chromium on the PATH");
  // Its sandbox wants a kernel that lets it make namespaces, which containers refuse; the pages are our own.
  return await chromium.launch({ executablePath, args: ["--no-sandbox", ...(webgpu ? SOFTWARE_WEBGPU : [])] });
}

/** What a page complained of, as it happens: errors on its console, exceptions. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // ONNX Runtime writes its warnings there too; and every browser asks for a picture of the site.
    if (message.type() === "error" && !message.text().includes("[W:onnxruntime") && !message.location().url.endsWith("/favicon.ico")) complaints.push(message.text());
  });
  page.on("pageerror", (error) => { complaints.push(String(error)); });
  return complaints;
}
