/** Operators that hold graphs: a choice between two, and loops over one. What these graphs read from outside is captured, and no input of the node. */
import { intOf, intsOf } from "../ir/attribute.ts";
import { sameDim, type Dim, type Shape } from "../ir/dim.ts";
import type { Facts, Graph, Node, Value } from "../ir/graph.ts";
import { fromStart } from "../ir/sizes.ts";
import { defineOp } from "./define.ts";
import { zerosLike } from "./indexing.ts";

/**
 * outputs = what then_branch gives where the condition holds, else what else_branch gives. dLoss by what the branches capture is an If on the same
 * condition: each branch computes its forward anew and then its own gradient, 0 for what it doesn't read. Handing the forward's values out of
 * the first If instead, to compute nothing twice, would give it outputs that only one branch has.
 */
export const If = defineOp({
  name: "If", opsets: [1, 11, 13, 16, 19, 21, 23, 24], inputs: ["cond"], outputs: ["outputs"], gradient: { cond: "none" },
  shape: ({ node }) => {
    const [first, ...others] = node.subgraphs;
    return (first?.outputs ?? []).map((output, i) => others.reduce((facts, graph) => agreed(facts, graph.outputs[i]?.facts), output.facts));
  },
  chooses: (node) => {
    const [condition] = node.inputs[0]?.facts?.ints ?? [];
    return typeof condition === "number" ? branchOf(node, condition === 0 ? "else_branch" : "then_branch") : undefined;
  },
  captured: ({ op, node, wrt, backward }) => {
    const [condition] = node.inputs;
    const branch = (name: string): Graph | undefined => {
      const forward = branchOf(node, name);
      if (forward === undefined) return undefined;
      const { op: inner, gradients } = backward(forward);
      // A graph gives away what its own nodes make, each once: ONNX Runtime gives garbage for an output named twice.
      inner.graph.outputs.splice(0, Infinity, ...wrt.map((value) => inner.Identity(gradients.get(value) ?? zerosLike(inner, value))));
      return inner.graph;
    };
    return op.emit("If", [condition], { then_branch: branch("then_branch"), else_branch: branch("else_branch") }, wrt.length);
  },
});

function branchOf(node: Node, name: string): Graph | undefined {
  const a = node.attributes.get(name);
  return a?.kind === "graph" ? a.value : undefined;
}

/** What two values that may stand for one have in common. */
function agreed(a: Facts | undefined, b: Facts | undefined): Facts | undefined {
  if (a === undefined || b === undefined) return undefined;
  const shape = a.shape?.length === b.shape?.length ? a.shape?.map((dim, i): Dim => (sameDim(dim, b.shape?.[i]) ? dim : undefined)) : undefined;
  const ints = a.ints?.length === b.ints?.length ? a.ints?.map((dim, i): Dim => (sameDim(dim, b.ints?.[i]) ? dim : undefined)) : undefined;
  return { dataType: a.dataType === b.dataType ? a.dataType : 0, shape, ...(ints === undefined ? {} : { ints }) };
}

/** What each run of a body gives, as far as all runs give the same: the type, the rank, sizes that are numbers. */
function everyRun(value: Value | undefined): Facts | undefined {
  const { facts } = value ?? {};
  return facts === undefined ? undefined : { dataType: facts.dataType, shape: facts.shape?.map((dim): Dim => (typeof dim === "number" ? dim : undefined)) };
}

/** What all runs of a body give, put together along a new axis of `length`. */
function stacked(value: Value | undefined, axis: number, length: Dim): Facts | undefined {
  const each = everyRun(value);
  return each === undefined ? undefined : { dataType: each.dataType, shape: each.shape?.toSpliced(fromStart(axis, each.shape.length + 1), 0, length) };
}

const UNWRITTEN = "how often its body runs is known only when it runs, and a gradient would have to keep what every run made";

/** Runs its body, handing v on from run to run: v_final is the last v, and what the body gives beyond it is stacked. */
export const Loop = defineOp({
  name: "Loop", opsets: [1, 11, 13, 16, 19, 21, 23, 24], inputs: ["M", "cond", "v_initial"], outputs: ["v_final_and_scan_outputs"],
  gradient: { M: "none", cond: "none", v_initial: "unwritten" }, unwritten: UNWRITTEN,
  shape: ({ node }) => {
    const carried = node.inputs.slice(2);
    const [, ...made] = node.subgraphs[0]?.outputs ?? [];
    // Without a run the initial v is the last.
    return made.map((value, i) => (i < carried.length ? agreed(carried[i]?.facts, everyRun(value)) : stacked(value, 0, undefined)));
  },
});

/** A Loop over the slices of its last `num_scan_inputs` inputs; the states before them keep their shape. */
export const Scan = defineOp({
  name: "Scan", opsets: [9, 11, 16, 19, 21, 23, 24], inputs: ["initial_state_and_scan_inputs"], outputs: ["final_state_and_scan_outputs"],
  gradient: { initial_state_and_scan_inputs: "unwritten" }, unwritten: UNWRITTEN,
  shape: (c) => {
    const { node } = c;
    const states = node.inputs.length - intOf(node, "num_scan_inputs", 0);
    const scanned: Shape | undefined = c.shape(states);
    const length = scanned?.at(intsOf(node, "scan_input_axes")?.[0] ?? 0);
    return (node.subgraphs[0]?.outputs ?? []).map((value, i) => (i < states ? node.inputs[i]?.facts && { dataType: c.dataType(i), shape: c.shape(i) }
      : stacked(value, intsOf(node, "scan_output_axes")?.[i - states] ?? 0, length)));
  },
});

/** Runs its body on each element of a sequence. */
export const SequenceMap = defineOp({
  name: "SequenceMap", opsets: [17], inputs: ["input_sequence", "additional_inputs"], outputs: ["out_sequence"],
  gradient: { input_sequence: "unwritten", additional_inputs: "unwritten" }, unwritten: UNWRITTEN, shape: () => [],
});
