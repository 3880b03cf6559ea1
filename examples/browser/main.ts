/** The page: what the user chooses goes to the worker, and what it answers is shown. */
import { drawLoss } from "./loss-chart.ts";
import type { DataInfo, OpenedInfo, PickedModel, Provider, Reply, Requests, Scores, StepNews, TrainedInfo } from "./messages.ts";

/** How many of the demo's sentences are taken: a minute's work for a laptop. */
const DEMO_SENTENCES = 400;
const RANK = 8;

function at<T extends Element>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}

const input = (id: string): HTMLInputElement => at(`#${id}`, HTMLInputElement);
const button = (id: string): HTMLButtonElement => at(`#${id}`, HTMLButtonElement);
const chart = at("#chart", SVGSVGElement);
const progress = at("#progress", HTMLProgressElement);
const provider = at("#provider", HTMLSelectElement);

/** Shows how a step of the page stands. */
function say(id: string, text: string, wrong = false): void {
  const place = at(`#${id}`, HTMLElement);
  place.textContent = text;
  place.classList.toggle("wrong", wrong);
}

/** The worker, and who waits for which answer. */
class Work {
  readonly #worker = new Worker("worker.js", { type: "module" });
  readonly #waiting = new Map<number, { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }>();
  #next = 0;

  constructor(onNews: (news: StepNews) => void) {
    this.#worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      if ("news" in data) {
        onNews(data.news);
        return;
      }
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if ("error" in data) waiting?.reject(new Error(data.error));
      else waiting?.resolve(data.result);
    });
    this.#worker.addEventListener("error", (event) => { this.#fail(event.message); });
  }

  ask<K extends keyof Requests>(type: K, body: Requests[K]["takes"]): Promise<Requests[K]["gives"]> {
    const id = this.#next++;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, type, body });
    }) as Promise<Requests[K]["gives"]>;
  }

  end(): void {
    this.#worker.terminate();
  }

  #fail(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
  }
}

/** What goes on; `data` are the sentences chosen last, for a model that is opened after them; `answers` tells of which model scores are. */
const run: { work: Work; losses: number[]; since: number; opening: number; answers: number; isTraining: boolean; data?: { readonly name: string; readonly content: ArrayBuffer | string } } = { work: new Work(onNews), losses: [], since: 0, opening: 0, answers: 0, isTraining: false };

const count = (n: number): string => n.toLocaleString("en");
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const duration = (seconds: number): string => (seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`);

/** What can be done now. */
function enable(ready: { readonly data: boolean; readonly trained: boolean }): void {
  button("train").disabled = !ready.data || run.isTraining;
  button("stop").disabled = !run.isTraining;
  button("predict").disabled = !ready.data || run.isTraining;
  for (const id of ["transformers", "download-merged", "download-adapter", "download-folder"]) button(id).disabled = !ready.trained || run.isTraining;
}

/** Opens the chosen model in a new worker: an old one holds memory that nothing gives back. */
async function openChosen(): Promise<void> {
  const opening = ++run.opening;
  run.work.end();
  run.work = new Work(onNews);
  run.isTraining = false;
  reset();
  enable({ data: false, trained: false });
  say("data-status", "");
  at("#examples", HTMLTableElement).hidden = true;
  try {
    const picked = await pickedModel();
    if (picked === undefined) {
      say("model-status", "Choose model.onnx and tokenizer.json.");
      return;
    }
    say("model-status", "Opening…");
    const info: OpenedInfo = await run.work.ask("open", { picked, provider: provider.value as Provider });
    if (opening !== run.opening) return;
    say("model-status", `${info.name}: ${count(info.parameters)} numbers, ${String(info.weights)} weights that can be adapted; ${info.hasLogits ? "it has a classifier" : "it gets a classifier on the mean of its hidden states"}.`);
    if (run.data !== undefined) await takeData(run.data.name, run.data.content);
  } catch (error) {
    if (opening === run.opening) say("model-status", message(error), true);
  }
}

/** Null for the demo's model; undefined where a file is still to be chosen. */
async function pickedModel(): Promise<PickedModel | null | undefined> {
  const own = at("input[name=which]:checked", HTMLInputElement).value === "own";
  at("#own", HTMLElement).hidden = !own;
  if (!own) return null;
  const [model, tokenizer] = [input("model-file").files?.[0], input("tokenizer-file").files?.[0]];
  if (model === undefined || tokenizer === undefined) return undefined;
  const others = await Promise.all([...input("other-files").files ?? []].map(async (file) => [file.name, await file.text()] as const));
  return { name: model.name, model: await model.arrayBuffer(), tokenizer: await tokenizer.text(), others };
}

async function takeData(name: string, content: ArrayBuffer | string): Promise<void> {
  run.data = { name, content };
  reset();
  enable({ data: false, trained: false });
  const examples = at("#examples", HTMLTableElement);
  examples.hidden = true;
  say("data-status", "Reading…");
  try {
    const info: DataInfo = await run.work.ask("data", { name, content, rank: RANK });
    const held = info.heldOut === 0 ? "" : `, ${String(info.heldOut)} of them held out to measure by`;
    say("data-status", `${count(info.sentences)} sentences${held}. Labels: ${info.classes.map((c) => `${c.name} (${count(c.count)})`).join(", ")}. ${count(info.trainableParams)} of ${count(info.totalParams)} numbers will be trained.`);
    at("#examples tbody", HTMLTableSectionElement).replaceChildren(...info.examples.map(({ label, sentence }) => row([label, sentence])));
    examples.hidden = false;
    enable({ data: true, trained: false });
  } catch (error) {
    say("data-status", message(error), true);
  }
}

async function train(): Promise<void> {
  reset();
  run.since = 0;
  run.isTraining = true;
  enable({ data: true, trained: false });
  say("train-status", "Building the training graph…");
  try {
    const settings = { epochs: input("epochs").valueAsNumber, batchSize: input("batch-size").valueAsNumber, lr: input("lr").valueAsNumber };
    const done: TrainedInfo = await run.work.ask("train", settings);
    const { before, after } = done.accuracy;
    const accuracy = before === null || after === null ? "" : ` Accuracy on the sentences held out: ${percent(before)} before, ${percent(after)} now.`;
    say("train-status", `${done.interrupted ? "Stopped after" : "Done:"} ${count(done.steps)} steps in ${duration(done.seconds)}.${accuracy}`);
    run.isTraining = false;
    enable({ data: true, trained: done.steps > 0 });
    await score();
  } catch (error) {
    run.isTraining = false;
    say("train-status", message(error), true);
    enable({ data: true, trained: false });
  }
}

function onNews({ phase, done, total, loss }: StepNews): void {
  if (phase !== "training" || loss === null) {
    if (phase === "evaluating") say("train-status", `Measuring on the sentences held out: ${String(done)} of ${String(total)} batches`);
    return;
  }
  run.losses.push(loss);
  // The first step also warms up; what comes behind it tells the speed.
  if (run.since === 0) run.since = performance.now();
  const seconds = (performance.now() - run.since) / 1000;
  const speed = (run.losses.length - 1) / seconds;
  const pace = run.losses.length < 2 ? "" : ` · ${speed.toFixed(1)} steps/s · ${duration((total - done) / speed)} left`;
  progress.max = total;
  progress.value = done;
  say("train-status", `Step ${String(done)} of ${String(total)} · loss ${loss.toFixed(3)}${pace}`);
  drawLoss(chart, run.losses, total);
}

async function score(): Promise<void> {
  const sentence = input("sentence").value.trim();
  if (sentence === "" || run.isTraining) return;
  say("try-status", "Scoring…");
  const answers = run.answers;
  try {
    const { classes, before, after }: Scores = await run.work.ask("predict", { sentence });
    // Of a model that was trained anew or exchanged since.
    if (answers !== run.answers) return;
    at("#scores tbody", HTMLTableSectionElement).replaceChildren(...after.map((share, i) => row([classes[i] ?? String(i), bar(before[i] ?? 0), bar(share)])));
    at("#scores", HTMLTableElement).hidden = false;
    say("try-status", "");
  } catch (error) {
    if (answers === run.answers) say("try-status", message(error), true);
  }
}

/** Has transformers.js classify the sentence, and shows it beside what this page says. */
async function openInTransformers(): Promise<void> {
  const sentence = input("sentence").value.trim();
  if (sentence === "") return;
  const answers = run.answers;
  say("transformers-status", "Opening…");
  for (const id of ["train", "predict", "transformers"]) button(id).disabled = true;
  try {
    const { ours, theirs } = await run.work.ask("transformers", { sentence });
    if (answers !== run.answers) return;
    at("#answers tbody", HTMLTableSectionElement).replaceChildren(...Object.entries({ "this page": ours, "transformers.js": theirs }).map(([by, { label, score: share }]) => row([by, label, bar(share)])));
    at("#answers", HTMLTableElement).hidden = false;
    say("transformers-status", "");
  } catch (error) {
    if (answers === run.answers) say("transformers-status", message(error), true);
  } finally {
    if (answers === run.answers) enable({ data: true, trained: true });
  }
}

function row(cells: readonly (string | HTMLElement)[]): HTMLTableRowElement {
  const made = document.createElement("tr");
  made.append(...cells.map((content) => {
    const cell = document.createElement("td");
    cell.append(content);
    return cell;
  }));
  return made;
}

function bar(share: number): HTMLElement {
  const made = document.createElement("div");
  made.className = "bar";
  made.dataset["score"] = String(share);
  made.style.setProperty("--share", `${String(100 * share)}%`);
  made.append(percent(share));
  return made;
}

/** Takes away what was shown of an earlier training. */
function reset(): void {
  run.answers += 1;
  say("try-status", "");
  run.losses = [];
  drawLoss(chart, [], 2);
  progress.value = 0;
  say("train-status", "");
  say("transformers-status", "");
  for (const id of ["scores", "answers"]) at(`#${id}`, HTMLTableElement).hidden = true;
}

async function download(files: () => Promise<readonly (readonly [string, Uint8Array])[]>): Promise<void> {
  say("take-status", "Writing…");
  try {
    const made = await files();
    for (const [name, bytes] of made) {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
      link.download = name.slice(name.lastIndexOf("/") + 1);
      link.click();
      // Chromium drops a download that is followed by another at once.
      await new Promise((resolve) => { setTimeout(resolve, 300); });
      URL.revokeObjectURL(link.href);
    }
    say("take-status", `Saved ${made.map(([name, bytes]) => `${name} (${(bytes.length / 1e6).toFixed(1)} MB)`).join(", ")}.`);
  } catch (error) {
    say("take-status", message(error), true);
  }
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function demoData(): Promise<void> {
  const lines = (await (await fetch("/demo/train.tsv")).text()).split("\n");
  const named = lines.slice(0, DEMO_SENTENCES + 1).map((line) => line.replace(/\t0$/, "\tnegative").replace(/\t1$/, "\tpositive"));
  await takeData("train.tsv", named.join("\n"));
}

/** WebGPU can be chosen where the browser has an adapter. */
async function offerWebGpu(): Promise<void> {
  const { gpu } = navigator as { gpu?: { requestAdapter(): Promise<unknown> } };
  const adapter: unknown = await gpu?.requestAdapter();
  const option = at("#provider option[value=webgpu]", HTMLOptionElement);
  if (adapter === undefined || adapter === null) return;
  option.disabled = false;
  option.textContent = "the GPU (WebGPU)";
}

for (const choice of document.querySelectorAll("input[name=which], #model-file, #tokenizer-file, #other-files, #provider")) choice.addEventListener("change", () => { void openChosen(); });
input("data-file").addEventListener("change", () => {
  const file = input("data-file").files?.[0];
  if (file !== undefined) void file.arrayBuffer().then((content) => takeData(file.name, content));
  // The same file, mended, can be chosen again.
  input("data-file").value = "";
});
button("demo-data").addEventListener("click", () => { void demoData(); });
at("#settings", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void train();
});
button("stop").addEventListener("click", () => { void run.work.ask("stop", null); });
at("#try", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  void score();
});
button("download-merged").addEventListener("click", () => { void download(async () => [["merged.onnx", await run.work.ask("merged", null)]]); });
button("download-adapter").addEventListener("click", () => { void download(() => run.work.ask("adapter", null)); });
button("download-folder").addEventListener("click", () => { void download(() => run.work.ask("folder", null)); });
button("transformers").addEventListener("click", () => { void openInTransformers(); });
drawLoss(chart, [], 2);
void offerWebGpu();
void openChosen();
