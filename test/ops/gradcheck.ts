/**
 * The oracle of gradient rules. It knows nothing of any formula: the gradient of Σ output ⊙ weights, weights being fixed random numbers, is
 * compared with finite differences of the forward operator alone, in double precision wherever ONNX Runtime's CPU kernel exists in it.
 * By the way it holds the shape rule, and those of the gradient's nodes, against the shapes that come out.
 */
import assert from "node:assert/strict";
import { it } from "mocha";
import { HutError } from "../../src/errors/hut-error.ts";
import { DataType } from "../../src/ir/data-type.ts";
import { formatShape } from "../../src/ir/dim.ts";
import { Graph, type Value } from "../../src/ir/graph.ts";
import { Tensor } from "../../src/ir/tensor.ts";
import { OpBuilder } from "../../src/ops/generated/builder.ts";
import { SCHEMAS } from "../../src/ops/generated/schemas.ts";
import { differentiate, type DifferentiateOptions } from "../../src/passes/differentiate.ts";
import { Random } from "../../src/runtime/random.ts";
import { ALL_DECLARED, assertFactsFit, declare, sizesOf, type Declared } from "./declared.ts";
import { doubles, numbersOf, prepare, runGraph } from "./run-graph.ts";

export interface GradcheckOptions {
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
  /** Inputs that get no gradient: indices, axes, conditions. */
  readonly fixed?: Readonly<Record<string, Tensor>>;
  /** Those of `fixed` that are constants however the inputs are declared. */
  readonly constant?: readonly string[];
  /** Moves the inputs' values, which are distinct and spread over (−1.5, 1.5) without 0, to where the operator is smooth. */
  readonly domain?: (v: number, input: string) => number;
  /** Versions of ONNX to test with. */
  readonly opsets?: readonly number[];
  /** Number of outputs. */
  readonly outputs?: number;
  /** Which outputs reach the loss; all but for a reason. */
  readonly reached?: readonly number[];
  /** The inputs to differentiate by; all floats but for a reason. */
  readonly wrt?: readonly string[];
  /** Why the CPU kernels exist in float32 alone; the check then runs in float32, with a tolerance of 1e-4. Asserted to be so. */
  readonly floatOnly?: string | undefined;
  /** Largest error, relative to the largest element of the gradient. */
  readonly tolerance?: number;
  /** Declarations under which the rule can't work; that it then fails by a clear error is checked. */
  readonly refuses?: readonly Declared[];
  /** The same, before opset 13 alone, in which the axes of a sum must be constants and a broadcast's ranks so be known. */
  readonly refusesBefore13?: readonly Declared[];
  /** Rules other than the registry's: planted ones. */
  readonly definitions?: DifferentiateOptions["definitions"];
}

/** Element type, width of a step, and largest error relative to the largest element of a gradient. */
interface Precision {
  readonly dataType: number;
  readonly step: number;
  readonly tolerance: number;
}

/** Finite differences by four points, h = 1e-3: the cut-off and the rounding are both near 1e-12. */
const DOUBLE: Precision = { dataType: DataType.DOUBLE, step: 1e-3, tolerance: 1e-9 };
/** In float32 the rounding of the outputs, 6e-8, divided by a step wide enough for it. */
const SINGLE: Precision = { dataType: DataType.FLOAT, step: 0.05, tolerance: 1e-4 };

const OPSETS = [11, 13, 17, 20, 23];

/** The opset since which the axes of a ReduceSum are an input. */
const CHOSEN_AXES = 13;

/** The operators whose gradient by what their nested graphs read is checked, in a test of its own. */
export const checkedCaptures = new Set<string>();

/**
 * The inputs that rows were written for, as "MatMul.A", a variadic operator's under its one name; and in which precision: "double" where any row
 * is. Filled when a file of rows is loaded: docs/operators.md is made from it.
 */
export const checkedInputs = new Map<string, "double" | "float32">();

/** One row, one test: the gradients of an operator whose float inputs have these dimensions, however they are declared, in several opsets. */
export function gradcheck(opType: string, inputs: Readonly<Record<string, readonly number[]>>, options: GradcheckOptions = {}): void {
  const words = [...Object.entries(inputs).map(([name, dims]) => `${name} ${formatShape(dims)}`),
    ...Object.entries(options.attributes ?? {}).map(([name, value]) => `${name} = ${String(value)}`),
    ...Object.entries(options.fixed ?? {}).map(([name, tensor]) => `${name} = [${String(tensor.toNumbers() ?? [])}]`)];
  const formal = SCHEMAS[opType]?.at(-1)?.inputs ?? [];
  const variadic = formal.length === 1 ? formal[0]?.match(/^(.*)\*$/)?.[1] : undefined;
  // A row of nothing but refusals checks no number.
  const refused = ALL_DECLARED.every((declared) => options.refuses?.includes(declared));
  for (const name of refused ? [] : options.wrt ?? Object.keys(inputs)) {
    const key = `${opType}.${variadic ?? name}`;
    if (options.floatOnly === undefined || !checkedInputs.has(key)) checkedInputs.set(key, options.floatOnly === undefined ? "double" : "float32");
  }
  it(`${opType}: ${words.join(", ")}`, () => checkGradient(opType, inputs, options));
}

/** Rejects with an AssertionError that names the input, the opset and the declaration. */
export async function checkGradient(opType: string, inputs: Readonly<Record<string, readonly number[]>>, options: GradcheckOptions = {}): Promise<void> {
  const row = new Row(opType, inputs, options);
  const first = SCHEMAS[opType]?.[0]?.since ?? 1;
  const opsets = options.opsets ?? OPSETS.filter((opset) => opset >= first);
  assert.ok(opsets.length > 0, `${opType}: no opset to test`);
  for (const opset of opsets) await row.check(opset);
}

class Row {
  readonly #opType: string;
  readonly #inputs: Readonly<Record<string, readonly number[]>>;
  readonly #options: GradcheckOptions;
  readonly #precision: Precision;
  /** The float inputs' values. */
  readonly #points: Readonly<Record<string, Tensor>>;
  readonly #random = new Random(20);

  constructor(opType: string, inputs: Readonly<Record<string, readonly number[]>>, options: GradcheckOptions) {
    this.#opType = opType;
    this.#inputs = inputs;
    this.#options = options;
    this.#precision = options.floatOnly === undefined ? DOUBLE : SINGLE;
    const sizes = Object.values(inputs).map((dims) => dims.reduce((a, b) => a * b, 1));
    const count = sizes.reduce((a, b) => a + b, 0);
    // A grid in random order: no two values are nearer than its spacing, none is nearer to 0 than half of it.
    const grid = [...this.#random.permutation(count)].map((i) => ((i + 0.5 - Math.ceil(count / 2)) * 3) / count);
    this.#points = Object.fromEntries(Object.entries(inputs).map(([name, dims], i) => {
      const values = grid.splice(0, sizes[i] ?? 0).map((v) => options.domain?.(v, name) ?? v);
      return [name, this.#tensor(dims, values)];
    }));
  }

  async check(opset: number): Promise<void> {
    if (this.#options.floatOnly !== undefined) await this.#assertNoDoubleKernel(opset);
    const forward = this.#graph(opset, "known");
    const runnable = await prepare(forward.graph, opset);
    const weights: Tensor[] = [];
    const outputs = await runnable.run(this.#points);
    for (const value of forward.graph.outputs) {
      const dims = outputs[value.name]?.dims ?? [];
      weights.push(this.#tensor(dims, Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => this.#random.uniform(-1, 1))));
    }
    const loss = async (points: Readonly<Record<string, Tensor>>): Promise<number> => {
      const results = await runnable.run(points);
      let sum = 0;
      forward.graph.outputs.forEach((value, i) => { numbersOf(results[value.name]).forEach((v, j) => { sum += v * (numbersOf(weights[i])[j] ?? 0); }); });
      return sum;
    };
    const wrt = this.#options.wrt ?? Object.keys(this.#points);
    const expected = new Map<string, number[]>();
    for (const name of wrt) expected.set(name, await this.#differences(name, loss));
    await runnable.release();
    for (const declared of ALL_DECLARED) {
      const { graph } = this.#graph(opset, declared);
      graph.outputs.forEach((value, i) => { assertFactsFit(value, weights[i], this.#sizes(), this.#where(opset, declared)); });
      await this.#compare(opset, declared, weights, expected);
    }
  }

  async #compare(opset: number, declared: Declared, weights: readonly Tensor[], expected: ReadonlyMap<string, readonly number[]>): Promise<void> {
    const where = this.#where(opset, declared);
    const built = (): Backward => this.#backward(opset, declared, weights, [...expected.keys()]);
    const { refuses = [], refusesBefore13 = [] } = this.#options;
    if (refuses.includes(declared) || (opset < CHOSEN_AXES && refusesBefore13.includes(declared))) {
      assert.throws(built, (error) => error instanceof HutError && error.code === "RULE_FAILED", `${where}: the rule should refuse`);
      return;
    }
    const { graph, gradients, feeds } = built();
    const results = await runGraph(graph, opset, feeds);
    for (const [name, differences] of expected) {
      const found = results[gradients.get(name)?.name ?? ""];
      assert.ok(found !== undefined, `${where}: no gradient of input ${name}`);
      assert.deepEqual(found.dims, this.#points[name]?.dims, `${where}: the gradient of input ${name} has another shape`);
      for (const value of graph.outputs) assertFactsFit(value, results[value.name], this.#sizes(), where);
      const scale = Math.max(0.1, ...differences.map(Math.abs));
      const worst = Math.max(0, ...Array.from(numbersOf(found), (v, i) => Math.abs(v - (differences[i] ?? NaN))));
      const tolerance = this.#options.tolerance ?? this.#precision.tolerance;
      assert.ok(worst <= tolerance * scale, `${where}: the gradient of input ${name} is off by ${worst.toExponential(2)} where it is up to ${scale.toPrecision(3)}: `
        + `[${String([...numbersOf(found)].slice(0, 8))}] instead of [${String(differences.slice(0, 8))}]`);
    }
  }

  /** Finite differences by each element of one input. */
  async #differences(name: string, loss: (points: Readonly<Record<string, Tensor>>) => Promise<number>): Promise<number[]> {
    const point = this.#points[name];
    assert.ok(point !== undefined, `no input ${name}`);
    const values = [...numbersOf(point)];
    const { step: h } = this.#precision;
    const at = (i: number, d: number): Promise<number> => loss({ ...this.#points, [name]: this.#tensor(point.dims, values.toSpliced(i, 1, (values[i] ?? 0) + d)) });
    const result: number[] = [];
    for (let i = 0; i < values.length; i += 1) {
      result.push((8 * (await at(i, h) - await at(i, -h)) - (await at(i, 2 * h) - await at(i, -2 * h))) / (12 * h));
    }
    return result;
  }

  /** The operator alone; the float inputs first. */
  #graph(opset: number, declared: Declared): { graph: Graph; op: OpBuilder; inputs: Map<string, Value> } {
    const versions = SCHEMAS[this.#opType] ?? [];
    const newest = versions.at(-1)?.inputs ?? [];
    const graph = new Graph();
    const op = new OpBuilder(graph, { opsets: new Map([["", opset]]), origin: "test" });
    const inputs = new Map<string, Value>();
    for (const [name, tensor] of Object.entries(this.#points)) inputs.set(name, graph.addInput(name, { dataType: tensor.dataType, shape: declare(name, tensor.dims, declared) }));
    for (const [name, fixed] of Object.entries(this.#options.fixed ?? {})) {
      const tensor = isDouble(fixed) ? this.#tensor(fixed.dims, [...numbersOf(fixed)]) : fixed;
      const asInput = this.#fixedIsInput(name, opset, declared);
      inputs.set(name, asInput ? graph.addInput(name, { dataType: tensor.dataType, shape: declare(name, tensor.dims, declared) }) : constant(op, name, tensor));
    }
    const variadic = newest.at(-1)?.endsWith("*") === true && newest.length === 1;
    const operands = variadic ? [...inputs.values()] : newest.map((formal) => inputs.get(formal.replace("?", "")));
    while (operands.at(-1) === undefined && operands.length > 0) operands.pop();
    graph.outputs.push(...op.emit(this.#opType, operands, this.#options.attributes ?? {}, this.#options.outputs ?? 1));
    if (this.#options.reached !== undefined) graph.outputs.splice(0, Infinity, ...this.#options.reached.map((i) => graph.outputs[i]).filter((v) => v !== undefined));
    return { graph, op, inputs };
  }

  #where(opset: number, declared: Declared): string {
    return `${this.#opType}, opset ${String(opset)}, shapes ${declared}`;
  }

  #sizes(): Record<string, number> {
    return sizesOf({ ...this.#points, ...this.#options.fixed });
  }

  #fixedIsInput(name: string, opset: number, declared: Declared): boolean {
    if (declared === "known" || declared === "named" || this.#options.constant?.includes(name) === true) return false;
    return SCHEMAS[this.#opType]?.findLast((v) => v.since <= opset)?.inputs.some((formal) => formal.replace(/[?*]$/, "") === name) === true;
  }

  #backward(opset: number, declared: Declared, weights: readonly Tensor[], wrt: readonly string[]): Backward {
    const { graph, op, inputs } = this.#graph(opset, declared);
    const feeds: Record<string, Tensor> = { ...this.#points };
    for (const [name, fixed] of Object.entries(this.#options.fixed ?? {})) {
      if (graph.inputs.some((v) => v.name === name)) feeds[name] = isDouble(fixed) ? this.#tensor(fixed.dims, [...numbersOf(fixed)]) : fixed;
    }
    const parts = graph.outputs.map((output, i) => {
      const tensor = weights[i];
      assert.ok(tensor !== undefined);
      feeds[`weights_${String(i)}`] = tensor;
      const weight = graph.addInput(`weights_${String(i)}`, { dataType: tensor.dataType, shape: output.shape });
      // In older opsets a product's gradient needs its inputs' ranks, which is no matter of the operator in question.
      const flat = (v: Value): Value => (opset < CHOSEN_AXES ? op.Reshape(v, [-1]) : v);
      return op.ReduceSum(op.Mul(flat(output), flat(weight)), undefined, { keepdims: 0 });
    });
    const loss = parts.reduce((a, b) => op.Add(a, b));
    const values = wrt.map((name) => inputs.get(name)).filter((v) => v !== undefined);
    const found = differentiate(graph, { opsets: new Map([["", opset]]), loss, wrt: values, ...(this.#options.definitions === undefined ? {} : { definitions: this.#options.definitions }) });
    const gradients = new Map(wrt.map((name, i) => {
      // An Identity each: an input that is its own gradient, or two inputs with one gradient, can't be graph outputs as they are.
      const gradient = values[i] === undefined ? undefined : found.get(values[i]);
      assert.ok(gradient !== undefined);
      return [name, op.Identity(gradient)];
    }));
    graph.outputs.splice(0, Infinity, ...gradients.values());
    return { graph, gradients, feeds };
  }

  async #assertNoDoubleKernel(opset: number): Promise<void> {
    const { graph } = new Row(this.#opType, this.#inputs, { ...this.#options, floatOnly: undefined }).#graph(opset, "known");
    await assert.rejects(prepare(graph, opset), `${this.#opType} has a kernel in double now: take floatOnly from its row`);
  }

  #tensor(dims: readonly number[], values: readonly number[]): Tensor {
    return this.#precision === DOUBLE ? doubles(dims, values) : Tensor.floats(dims, values);
  }
}

interface Backward {
  readonly graph: Graph;
  readonly gradients: ReadonlyMap<string, Value>;
  readonly feeds: Readonly<Record<string, Tensor>>;
}

function isDouble(tensor: Tensor): boolean {
  return tensor.dataType === DataType.DOUBLE;
}

/** A constant with what inference would know of it. */
function constant(op: OpBuilder, hint: string, tensor: Tensor): Value {
  const value = op.constant(hint, tensor);
  const integers = tensor.dataType === DataType.INT64 && tensor.dims.length <= 1 ? tensor.toNumbers() : undefined;
  value.facts = { dataType: tensor.dataType, shape: tensor.dims, ...(integers === undefined ? {} : { ints: [...integers] }) };
  return value;
}
