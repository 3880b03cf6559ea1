/** Exports whose weights lie in data files beside them: loading and saving gives the same model, each tensor's bytes compared. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeModel } from "../../../src/ir/proto/encode.ts";
import { modelToProto } from "../../../src/ir/save.ts";
import { readBytes } from "../../../src/ir/source.ts";
import { openModel, type OpenedModel } from "../../../src/runtime/node/open-model.ts";
import { decodedElsewhere, differencesElsewhere, encodedElsewhere } from "../../ir/second-decoder.ts";

const CASES = fileURLToPath(new URL("../../../fixtures/cases/", import.meta.url));
const EXPORTS = readdirSync(CASES, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".onnx")).sort();

interface Entry { key: string; value: string }
interface Weight { name: string; raw_data: Uint8Array; external_data: Entry[]; data_location: number }
interface Decoded { graph: { initializer: Weight[] } }

const decoded = (bytes: Uint8Array): Decoded => decodedElsewhere(bytes) as unknown as Decoded;
const valueOf = ({ external_data }: Weight, key: string): string => external_data.find((entry) => entry.key === key)?.value ?? "";

/** Writes the model with the raw bytes of its initializers in two data files, in turn; every third leaves out its length. The second decoder encodes it. */
function writeExternal(folder: string, bytes: Uint8Array): string {
  const files = [{ name: "model.onnx_data", parts: [] as Uint8Array[], at: 0 }, { name: "more", parts: [] as Uint8Array[], at: 0 }];
  const model = decodedElsewhere(bytes);
  (model as unknown as Decoded).graph.initializer.forEach((weight, i) => {
    const file = files[i % 2];
    if (file === undefined || !Object.hasOwn(weight, "raw_data")) return;
    const length = weight.raw_data.length;
    const entries = { location: file.name, offset: String(file.at), ...(i % 3 === 0 ? {} : { length: String(length) }) };
    file.parts.push(weight.raw_data);
    file.at += length;
    Reflect.deleteProperty(weight, "raw_data");
    weight.data_location = 1;
    weight.external_data = Object.entries(entries).map(([key, value]) => ({ key, value }));
  });
  for (const { name, parts } of files) writeFileSync(join(folder, name), Buffer.concat(parts));
  writeFileSync(join(folder, "model.onnx"), encodedElsewhere(model));
  return join(folder, "model.onnx");
}

const saved = (opened: OpenedModel, refer: boolean): Uint8Array =>
  Buffer.concat(encodeModel(modelToProto(opened.load(), refer ? { reference: (range) => opened.locate(range) } : {})).chunks.map(readBytes));

describe("an export with external data", () => {
  for (const name of EXPORTS) {
    it(`${name} is the model with weights inside, once its data are taken in`, () => {
      const folder = mkdtempSync(join(tmpdir(), "hut-external-"));
      try {
        const whole = new Uint8Array(readFileSync(join(CASES, name)));
        using opened = openModel(writeExternal(folder, whole));
        assert.deepEqual(differencesElsewhere(whole, saved(opened, false)), []);
        const [before, after] = [decoded(whole).graph.initializer, decoded(saved(opened, true)).graph.initializer];
        assert.equal(after.length, before.length);
        let compared = 0;
        after.forEach((weight, i) => {
          const original = before[i];
          assert.equal(weight.name, original?.name);
          if (weight.data_location !== 1) return;
          const offset = Number(valueOf(weight, "offset"));
          const bytes = readFileSync(join(folder, valueOf(weight, "location"))).subarray(offset, offset + Number(valueOf(weight, "length")));
          assert.ok(Buffer.compare(bytes, original?.raw_data ?? new Uint8Array()) === 0, weight.name);
          compared += 1;
        });
        assert.ok(compared > 10, `${String(compared)} compared`);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
