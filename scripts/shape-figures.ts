/**
 * Prints, for each export in fixtures/, how many sizes onnx.shape_inference knows and how many our shape inference knows beside them.
 *
 *     npx tsx scripts/shape-figures.ts
 */
import { compareExport, readExportShapes } from "../test/ops/export-shapes.ts";

const rows = readExportShapes().map((exported) => {
  const dims = Object.values(exported.values).flatMap(([, sizes]) => sizes ?? []);
  const known = dims.filter((d) => typeof d === "number" || (d !== null && !d.startsWith("unk__"))).length;
  const { wrong, vague, sharper } = compareExport(exported);
  return { export: exported.file, values: Object.keys(exported.values).length, sizes: dims.length, "onnx knows": known, "we know": known + sharper - vague.length, contradicted: wrong.length };
});
console.table(rows);
const sum = (column: "values" | "sizes" | "onnx knows" | "we know" | "contradicted"): number => rows.reduce((total, row) => total + row[column], 0);
console.log(`${String(rows.length)} exports, ${String(sum("values"))} values, ${String(sum("sizes"))} sizes: onnx knows ${String(sum("onnx knows"))}, we ${String(sum("we know"))}; ${String(sum("contradicted"))} contradicted`);
