/** `onnx-hut inspect`: what is in a model, and which of its weights can be trained. */
import type { InspectOptions } from "../../runtime/options.ts";
import type { InspectedWeight, InspectResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { outputName } from "../flags.ts";
import { bytes, duration, grouped } from "../format.ts";
import { printable } from "../printable.ts";
import { facts, listing, table } from "../table.ts";
import { groupWeights } from "../group-weights.ts";

export const inspect: Command = defineCommand<InspectOptions, InspectResult>({
  name: "inspect",
  alsoCalled: ["info", "show", "summary"],
  summary: "list a model's weights, operators, and what has no gradient",
  description: "Lists the weights of MODEL with role, module path, shape and storage, its operators, "
    + "and the nodes on the way to the loss that have no gradient. Roles and endings of module paths are what --target-modules takes. "
    + "With --verbose every weight has its own line.",
  flags: { outputName: { ...outputName, help: "the graph's output where the way to the loss begins" } },
  example: "onnx-hut inspect model.onnx",
  gives: ["model", "irVersion", "opsets", "producer", "inputs", "outputs", "weights", "operators", "withoutGradient", "parameters",
    "flops", "bytes", "seconds"],
  run: (verbs, model, options) => verbs.inspect(model, options),
  show: (result, { verbose }) => [
    ...heading(result),
    "", "Inputs and outputs", ...interfaceLines(result),
    "", `Weights that can be adapted: ${grouped(result.weights.length)}`, ...weightLines(result.weights, verbose),
    "", `Operators: ${grouped(Object.values(result.operators).reduce((sum, count) => sum + count, 0))}`, ...operatorLines(result.operators),
    "", ...gradientLines(result.withoutGradient, verbose),
  ],
});

function heading({ model, parameters, bytes: size, irVersion, opsets, producer, flops, seconds }: InspectResult): string[] {
  const sets = Object.entries(opsets).map(([domain, version]) => `${domain === "" ? "opset" : domain} ${String(version)}`).join(", ");
  return [
    printable(model),
    ...facts([
      ["numbers", grouped(parameters)], ["size", bytes(size)], ["format", `IR ${String(irVersion)}, ${sets}`],
      ...(producer === "" ? [] : [["made by", producer]]), ...(flops === null ? [] : [["forward", `${flops} operations`]]), ["read in", duration(seconds)],
    ]),
  ];
}

function interfaceLines({ inputs, outputs }: InspectResult): string[] {
  const rows = (kind: string, values: InspectResult["inputs"]): string[][] => values.map((v) => [kind, v.name, v.dtype, `[${v.shape.join(", ")}]`]);
  return facts([...rows("in", inputs), ...rows("out", outputs)]);
}

function weightLines(weights: readonly InspectedWeight[], verbose: boolean): string[] {
  if (weights.length === 0) return ["  none"];
  const groups = groupWeights(weights, verbose);
  return table(
    [
      { title: "layers" }, { title: "role" }, { title: verbose ? "module path" : "module path (* = layer)" }, { title: "[k, n]" }, { title: "stored" },
      { title: "type" }, { title: "operator" }, verbose ? { title: "initializer" } : { title: "count", right: true },
    ],
    groups.map(({ first, layers, path, count }) => [layers, first.role ?? "-", path, `[${first.shape.join(", ")}]`, first.stored, first.dtype, first.op,
      verbose ? first.name : grouped(count)]),
  );
}

function operatorLines(operators: InspectResult["operators"]): string[] {
  const sorted = Object.entries(operators).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([op, count]) => [op, grouped(count)]);
  const rows = Math.ceil(sorted.length / 4);
  const columns = [0, 1, 2, 3].flatMap(() => [{ title: "" }, { title: "", right: true }]);
  // Down the columns, so that the most frequent stand together on the left.
  return table(columns, Array.from({ length: rows }, (_, row) => [0, 1, 2, 3].flatMap((column) => sorted[column * rows + row] ?? ["", ""]))).slice(1);
}

function gradientLines(nodes: InspectResult["withoutGradient"], verbose: boolean): string[] {
  if (nodes.length === 0) return ["Gradients: every operator on the way to the loss has one"];
  return [
    `Without a gradient: ${grouped(nodes.length)}`,
    ...listing([{ title: "operator" }, { title: "node" }, { title: "reached through" }],
      nodes.map(({ op, node, path }) => [op, node, path.slice(-3).join(" → ")]), verbose),
  ];
}
