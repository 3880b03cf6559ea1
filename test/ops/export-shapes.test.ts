/** Shape inference on every export in fixtures/, against onnx.shape_inference with data propagation. `npx tsx scripts/shape-figures.ts` prints how often ours knows more. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { compareExport, readExportShapes } from "./export-shapes.ts";

/** Where we know less than onnx, and why that stays. */
const LEFT_OPEN: Readonly<Record<string, string>> = {
  "families/dinov2/model.ts.onnx": "the sides of the position grid are the square root of a count, in floats; onnx doesn't know them either, but that a Transpose keeps them",
};

describe("shape inference of exports, against onnx.shape_inference", () => {
  const exports = readExportShapes();

  for (const exported of exports) {
    const { file } = exported;
    it(`contradicts nothing and knows no less: ${file}`, () => {
      const { wrong, vague, unrelated } = compareExport(exported);
      assert.deepEqual([...wrong, ...vague], []);
      assert.equal(unrelated.length > 0, file in LEFT_OPEN, unrelated.join("\n"));
    });
  }

  it("is compared on thirty exports and more", () => {
    assert.ok(exports.length > 30 && exports.every(({ values }) => Object.keys(values).length > 20));
  });
});
