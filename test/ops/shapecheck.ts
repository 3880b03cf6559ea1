/** Holds shape rules against the shapes of what ONNX Runtime really gives. */
import assert from "node:assert/strict";
import { it } from "mocha";
import { DataType } from "../../src/ir/data-type.ts";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { SCHEMAS } from "../../src/ops/generated/schemas.ts";
import { ALL_DECLARED, assertFactsFit, declare, sizesOf } from "./declared.ts";
import { runGraph } from "./run-graph.ts";

export interface ShapeOptions {
  readonly attributes?: Readonly<Record<string, number | string | Tensor | readonly number[]>>;
  readonly opsets?: readonly number[];
  readonly outputs?: number;
  /** Why the shape depends on what the tensors hold: it then needn't be known for known inputs. */
  readonly open?: string;
}

/** One row, one test: what the shape rule says of inputs, however they are declared, against what ONNX Runtime gives. Integers are constants in half of it. */
export function shapecheck(opType: string, inputs: Readonly<Record<string, Tensor>>, options: ShapeOptions = {}): void {
  const words = Object.entries(inputs).map(([name, t]) => `${name} [${t.dims.join(", ")}]${t.dataType === DataType.INT64 ? ` = ${String(t.toNumbers() ?? [])}` : ""}`);
  const attributes = Object.entries(options.attributes ?? {}).map(([name, value]) => `${name} = ${value instanceof Tensor ? "…" : String(value)}`);
  it(`${opType}: ${[...words, ...attributes].join(", ")}`, async () => {
    const first = SCHEMAS[opType]?.[0]?.since ?? 1;
    const formal = SCHEMAS[opType]?.at(-1)?.inputs.map((input) => input.replace(/[?*]$/, "")) ?? [];
    for (const opset of (options.opsets ?? [13, 17, 20]).filter((v) => v >= first)) {
      for (const declared of ALL_DECLARED) {
        const graph = new Graph();
        const op = new OpBuilder(graph, { opsets: new Map([["", opset]]), origin: "test" });
        const values = new Map(Object.entries(inputs).map(([name, tensor]): [string, Value] => {
          const integers = tensor.dataType === DataType.INT64 || tensor.dataType === DataType.BOOL;
          if (!integers || declared === "own names" || declared === "unknown") return [name, graph.addInput(name, { dataType: tensor.dataType, shape: declare(name, tensor.dims, declared) })];
          const value = op.constant(name, tensor);
          value.facts = { dataType: tensor.dataType, shape: tensor.dims, ...(tensor.dims.length > 1 ? {} : { ints: [...tensor.toNumbers() ?? []] }) };
          return [name, value];
        }));
        // Optional inputs that are left out are told by the names of the others.
        const operands = [...values.keys()].every((name) => formal.includes(name)) ? formal.map((name) => values.get(name)) : [...values.values()];
        while (operands.at(-1) === undefined && operands.length > 0) operands.pop();
        const outputs = op.emit(opType, operands, options.attributes ?? {}, options.outputs ?? 1);
        const inferred = outputs.map((value) => ({ value, facts: value.facts }));
        // The runtime is not told what inference found.
        for (const value of outputs) value.facts = { dataType: value.dataType, shape: undefined };
        graph.outputs.push(...outputs);
        const real = await runGraph(graph, opset, Object.fromEntries(graph.inputs.map((v) => [v.name, inputs[v.name] as Tensor])));
        const where = `opset ${String(opset)}, shapes ${declared}`;
        for (const { value, facts } of inferred) {
          value.facts = facts;
          assertFactsFit(value, real[value.name], sizesOf(inputs), where);
          if (declared === "known" && options.open === undefined) assert.ok(value.shape?.every((d) => typeof d === "number"), `${where}: the shape is not known though those of the inputs are`);
        }
      }
    }
  });
}
