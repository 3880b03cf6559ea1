/**
 * How long `inspect` and `adapt` take on a large graph in this process: RoBERTa-large, its weights as ranges of a sparse file that nobody reads.
 *
 *     npx tsx bench/large-graph.ts
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adapt, inspect } from "../src/index.ts";
import { encodeModel } from "../src/ir/proto/encode.ts";
import { readBytes } from "../src/ir/source.ts";
import { robertaAt } from "./roberta-large.ts";

const folder = mkdtempSync(join(tmpdir(), "hut-large-"));
try {
  const [path, dataFile] = [join(folder, "model.onnx"), "model.onnx_data"];
  const { model, data } = robertaAt(dataFile);
  writeFileSync(path, Buffer.concat(encodeModel(model).chunks.map(readBytes)));
  writeFileSync(join(folder, dataFile), "");
  truncateSync(join(folder, dataFile), data);
  console.log(`${String(model.graph?.node.length)} nodes`);
  for (const run of [1, 2, 3]) {
    const inspected = await inspect(path);
    const adapted = await adapt(path, { output: join(folder, "adapted.onnx"), targetModules: ["all-linear"] });
    console.log(`run ${String(run)}: inspect ${inspected.seconds.toFixed(2)} s, ${String(inspected.weights.length)} weights; adapt ${adapted.seconds.toFixed(2)} s, ${String(adapted.adapted.length)} modules`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
