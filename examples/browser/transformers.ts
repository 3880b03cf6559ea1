/** transformers.js on a model folder in memory. It comes from the page's own server, once it is asked for; the folder's files from where they are, and nothing from anywhere else. */
import type { Answer } from "./messages.ts";

/** Where the folder seems to lie. */
const MODELS = "/models/";
const FOLDER = "trained";

/** What its pipeline says of a sentence. */
export async function classify(folder: ReadonlyMap<string, Uint8Array>, sentence: string): Promise<Answer> {
  const { env, pipeline } = await import(new URL("/transformers/transformers.min.js", self.location.href).href) as typeof import("@huggingface/transformers");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useBrowserCache = false;
  env.localModelPath = MODELS;
  env.fetch = (path) => {
    const content = folder.get(String(path).slice(`${MODELS}${FOLDER}/`.length));
    return Promise.resolve(content === undefined ? new Response(null, { status: 404 }) : new Response(content as Uint8Array<ArrayBuffer>));
  };
  const { wasm } = env.backends.onnx;
  if (wasm !== undefined) wasm.wasmPaths = "/transformers-ort/";
  const run = await pipeline("text-classification", FOLDER);
  try {
    const [answer] = await run(sentence) as readonly Answer[];
    if (answer === undefined) throw new Error("transformers.js gave no answer.");
    return answer;
  } finally {
    await run.dispose();
  }
}
