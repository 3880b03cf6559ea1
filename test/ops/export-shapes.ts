/** Every export in fixtures/ with what onnx.shape_inference says of its values (fixtures/onnx/make_export_shapes.py). */
import { readFileSync } from "node:fs";
import { loadModel } from "../../src/ir/load.ts";
import { memorySource } from "../../src/ir/source.ts";
import { inferGraph } from "../../src/ops/infer.ts";
import { readRows, type Answers } from "../ir/node-tests.ts";
import { compareFacts, forgetDeclared, madeValues, type Comparison } from "./onnx-answers.ts";

export interface ExportShapes {
  /** Its path in fixtures/. */
  readonly file: string;
  readonly values: Answers;
}

export function readExportShapes(): ExportShapes[] {
  return readRows<ExportShapes>("export-shapes.jsonl.gz");
}

/** Our inference on the export, without what it declares of computed values, against onnx's. */
export function compareExport({ file, values }: ExportShapes): Comparison {
  const { graph, opsets } = loadModel(memorySource(file, new Uint8Array(readFileSync(new URL(`../../fixtures/${file}`, import.meta.url)))));
  forgetDeclared(graph, values);
  inferGraph(graph, opsets);
  const made = madeValues(graph);
  return compareFacts(values, (name) => made.get(name)?.facts);
}
