/**
 * The graph that all passes share: Values and Nodes linked by reference (SSA). Every edit keeps producers and uses true by itself; names
 * belong to serialization, except that no two values of a model may share one (`freshName`).
 */
import { inputExists } from "../errors/graph.ts";
import { list, plain, quote } from "../errors/hut-error.ts";
import type { GraphProto, NodeProto, SparseTensorProto, TensorAnnotation, TypeProto, ValueInfoProto } from "./proto/generated/schema.ts";
import type { Attribute } from "./attribute.ts";
import type { Dim, Shape } from "./dim.ts";
import { everyGraph } from "./nested.ts";
import type { Tensor } from "./tensor.ts";

/** What is known of a value's type: by declaration or by inference. */
export interface Facts {
  /** ONNX element type number; 0 where unknown. */
  readonly dataType: number;
  /** Undefined where the rank is unknown. */
  readonly shape: Shape | undefined;
  /** For small integer tensors: the elements, row by row, as far as shape arithmetic can tell. */
  readonly ints?: readonly Dim[] | undefined;
}

/** One place where a value is read. */
export interface Use {
  readonly node: Node;
  readonly index: number;
}

/** A tensor that flows through a graph: a graph input, an initializer, or an output of a node. */
export class Value {
  name: string;
  /** The node that makes it, unless it is an input or an initializer. */
  producer: Node | undefined;
  /** The constant it holds, or (for an input) its default. */
  initializer: Tensor | undefined;
  /** A sparse constant, carried through. */
  sparse: SparseTensorProto | undefined;
  /** The type as the file declares it (inputs, outputs, value_info); saved as it stands. */
  declared: TypeProto | undefined;
  /** What shape inference found; never saved. */
  facts: Facts | undefined;
  /** The rest of its ValueInfoProto (doc string, metadata), carried through. */
  carried: ValueInfoProto | undefined;
  /** A second ValueInfoProto, where a graph input or initializer is a graph output too. */
  carriedAsOutput: ValueInfoProto | undefined;
  /** Whether somebody holds on to this very value, as to a parameter that will be trained: no pass merges it with an equal one. */
  pinned = false;
  readonly uses: Use[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get dataType(): number {
    return this.facts?.dataType ?? 0;
  }

  get shape(): Shape | undefined {
    return this.facts?.shape;
  }

  /** The nodes that read it, each once. */
  get consumers(): Node[] {
    return [...new Set(this.uses.map((use) => use.node))];
  }
}

/** What a node is made with. */
export interface NodeInit {
  readonly opType: string;
  readonly domain?: string | undefined;
  readonly overload?: string | undefined;
  readonly name?: string | undefined;
  readonly attributes?: ReadonlyMap<string, Attribute> | undefined;
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  readonly carried?: NodeProto | undefined;
}

/** An operator applied to values. Inputs and outputs that are left out are undefined. */
const NO_GRAPHS: readonly Graph[] = [];

export class Node {
  name: string;
  readonly opType: string;
  /** "" is ONNX's own domain ("ai.onnx" is read as ""). */
  readonly domain: string;
  readonly overload: string;
  readonly attributes: Map<string, Attribute>;
  /** metadata_props: what exporters tell of a node's origin, and which pass made it. */
  readonly metadata: Map<string, string>;
  /** What the IR has no word for (doc string, device configurations, unknown fields), carried through. */
  readonly carried: NodeProto | undefined;
  /** The graph it stands in; undefined once removed. */
  graph: Graph | undefined;
  readonly #inputs: (Value | undefined)[] = [];
  readonly #outputs: (Value | undefined)[];

  constructor(init: NodeInit, inputs: readonly (Value | undefined)[], outputs: readonly (Value | undefined)[]) {
    this.opType = init.opType;
    this.domain = init.domain ?? "";
    this.overload = init.overload ?? "";
    this.name = init.name ?? "";
    this.attributes = copied(init.attributes);
    this.metadata = copied(init.metadata);
    this.carried = init.carried;
    this.#outputs = [...outputs];
    for (const output of outputs) if (output !== undefined) output.producer = this;
    inputs.forEach((input, i) => { this.setInput(i, input); });
  }

  get inputs(): readonly (Value | undefined)[] {
    return this.#inputs;
  }

  get outputs(): readonly (Value | undefined)[] {
    return this.#outputs;
  }

  /** Replaces one input, or adds it at the end. Uses follow. */
  setInput(index: number, value: Value | undefined): void {
    const old = this.#inputs[index];
    if (old !== undefined) old.uses.splice(old.uses.findIndex((u) => u.node === this && u.index === index), 1);
    while (this.#inputs.length < index) this.#inputs.push(undefined);
    this.#inputs[index] = value;
    value?.uses.push({ node: this, index });
  }

  /** Lets every reader of a value read another, or nothing, in the same order. Takes time by their number; one by one it would take its square. */
  static redirect(from: Value, to: Value | undefined): void {
    if (from === to) return;
    for (const use of from.uses.splice(0, Infinity)) {
      use.node.#inputs[use.index] = to;
      to?.uses.push(use);
    }
  }

  /** Lets nodes read nothing any more. */
  static disconnect(nodes: ReadonlySet<Node>): void {
    const read = new Set<Value>();
    for (const node of nodes) {
      for (const input of node.#inputs) if (input !== undefined) read.add(input);
      node.#inputs.fill(undefined);
    }
    for (const value of read) {
      const left = value.uses.filter((use) => !nodes.has(use.node));
      value.uses.length = 0;
      for (const use of left) value.uses.push(use);
    }
  }

  /** Asks for an optional output that the node didn't name so far, or lets one go. */
  setOutput(index: number, value: Value | undefined): void {
    const old = this.#outputs[index];
    if (old !== undefined && old !== value && old.producer === this) old.producer = undefined;
    while (this.#outputs.length < index) this.#outputs.push(undefined);
    this.#outputs[index] = value;
    if (value !== undefined) value.producer = this;
  }

  /** The graphs its attributes hold: the branches of an If, the body of a Loop. */
  get subgraphs(): readonly Graph[] {
    if (this.attributes.size === 0) return NO_GRAPHS;
    // Asked of every node by every pass, and nearly all have none. By `forEach`, which makes no object for each step as a `for … of` does until it is compiled.
    let found: Graph[] | undefined;
    this.attributes.forEach((a) => {
      if (a.kind === "graph") (found ??= []).push(a.value);
      else if (a.kind === "graphs") for (const graph of a.value) (found ??= []).push(graph);
    });
    return found ?? NO_GRAPHS;
  }
}

/** So many nodes are handed to one splice; JavaScript's stack holds some 100,000. */
const INSERTED_AT_ONCE = 10_000;

/** A graph or a nested graph. `nodes` are in an order in which every node comes after what it reads. */
export class Graph {
  name = "";
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  /** Constants, in file order. */
  readonly initializers = new Set<Value>();
  /** Quantization annotations, carried through. */
  annotations: TensorAnnotation[] = [];
  /** value_info in the file's order: the values it declares, and entries that name no value here, carried through. */
  declarations: (Value | ValueInfoProto)[] = [];
  /** What the IR has no word for, carried through. */
  carried: GraphProto | undefined;
  #nodes: Node[] = [];
  #parent: Graph | undefined;
  readonly #names: Set<string>;
  /** The number that the next name of a hint is tried with. */
  readonly #numbers: Map<string, number>;

  constructor(parent?: Graph) {
    this.#parent = parent;
    this.#names = parent === undefined ? new Set() : parent.#names;
    this.#numbers = parent === undefined ? new Map<string, number>() : parent.#numbers;
  }

  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** The graph whose node holds this one; nested graphs may read its values. */
  get parent(): Graph | undefined {
    return this.#parent;
  }

  /** Marks a name as taken, as a reader does for every name in the file. */
  claimName(name: string): void {
    this.#names.add(name);
  }

  /** A name that no value or node of the model has, `hint` itself where that is free. */
  freshName(hint: string): string {
    let name = hint;
    if (this.#names.has(hint)) {
      let number = this.#numbers.get(hint) ?? 1;
      do {
        name = `${hint}_${String(number)}`;
        number += 1;
      } while (this.#names.has(name));
      this.#numbers.set(hint, number);
    }
    this.#names.add(name);
    return name;
  }

  /** A new graph input of exactly this name, which the outside will feed it by. Throws where the graph has one of that name already. */
  addInput(name: string, facts: Facts): Value {
    this.freeName(name);
    const value = this.#value(name, facts);
    this.inputs.push(value);
    return value;
  }

  /** Gives up a name that a pass needs for something the outside sees: a value inside that has it gets another. Throws where an input has it. */
  freeName(name: string): void {
    if (!this.#names.has(name)) return;
    if (this.inputs.some((v) => v.name === name)) throw inputExists(name);
    // A name of this graph is nobody else's inside of it; siblings nested in it may share one.
    const own = [...this.initializers].find((v) => v.name === name) ?? this.#nodes.flatMap((node) => node.outputs).find((v) => v?.name === name);
    const holders = own === undefined ? everyGraph(this).flatMap((graph) => [...graph.inputs, ...graph.initializers, ...graph.nodes.flatMap((node) => node.outputs)]) : [own];
    for (const value of holders) if (value?.name === name) value.name = this.freshName(name);
    this.#names.delete(name);
  }

  /** A new constant. */
  addInitializer(hint: string, tensor: Tensor): Value {
    const value = this.#value(hint, { dataType: tensor.dataType, shape: tensor.dims });
    value.initializer = tensor;
    this.initializers.add(value);
    return value;
  }

  /** A value that a node is about to make. */
  newValue(hint: string, facts?: Facts): Value {
    return this.#value(hint, facts);
  }

  /** Puts nodes in, at the end or before another node. */
  insert(nodes: readonly Node[], before?: Node): void {
    const at = before === undefined ? this.#nodes.length : this.#nodes.indexOf(before);
    if (at < 0) throw new RangeError("the node to insert before is not in this graph");
    for (const node of nodes) node.graph = this;
    for (let i = 0; i < nodes.length; i += INSERTED_AT_ONCE) this.#nodes.splice(at + i, 0, ...nodes.slice(i, i + INSERTED_AT_ONCE));
  }

  /**
   * Takes over the nodes and constants of a graph nested in `before`, one of its nodes, to stand in front of it. The nested graph is left empty but
   * for its outputs.
   */
  absorb(inner: Graph, before: Node): void {
    const nodes = inner.#nodes;
    inner.#nodes = [];
    this.insert(nodes, before);
    for (const sub of nodes.flatMap((node) => node.subgraphs)) sub.#parent = this;
    for (const value of inner.initializers) this.initializers.add(value);
    inner.initializers.clear();
  }

  /** Takes nodes out, and the graphs nested in them. Throws when something outside of them still reads an output; the error names the readers. */
  remove(nodes: Iterable<Node>): void {
    const gone = new Set(nodes);
    const outputs = new Set(this.outputs);
    const inside = new Set([...gone].flatMap(withNested));
    for (const node of gone) {
      for (const output of node.outputs) {
        if (output === undefined) continue;
        const readers = output.consumers.filter((reader) => !inside.has(reader)).map(describe);
        if (outputs.has(output)) readers.push("the graph's list of outputs");
        if (readers.length > 0) {
          throw new RangeError(`${describe(node)} can't be removed: ${list(readers)} read${readers.length === 1 ? "s" : ""} ${quote(output.name)}`);
        }
      }
    }
    Node.disconnect(inside);
    for (const node of inside) node.graph = undefined;
    this.#nodes = this.#nodes.filter((node) => !gone.has(node));
  }

  /**
   * Lets every reader of `from`, and every graph output that is it, have `to` instead. A graph output keeps its name: `to` takes it over.
   * Throws where it can't, since `to` is an input or another output, which have names of their own: such an output needs an Identity.
   */
  replaceAllUses(from: Value, to: Value): void {
    if (from === to) return;
    const isOutput = this.outputs.includes(from);
    if (isOutput && (this.inputs.includes(to) || this.outputs.includes(to))) {
      throw new RangeError(`the graph output ${quote(from.name)} can't become ${quote(to.name)}, which is known outside by its own name`);
    }
    Node.redirect(from, to);
    if (!isOutput) return;
    this.outputs.forEach((output, i) => { if (output === from) this.outputs[i] = to; });
    [from.name, to.name] = [to.name, from.name];
    [to.declared, from.declared] = [from.declared, undefined];
    [to.carried, from.carried] = [from.carried, undefined];
    [to.carriedAsOutput, from.carriedAsOutput] = [from.carriedAsOutput, undefined];
  }

  /** Puts nodes after what they read, keeping the order they have where it is already right. Throws on a cycle. */
  sortTopologically(): void {
    if (this.#isSorted()) return;
    const sorted: Node[] = [];
    const state = new Map<Node, "open" | "done">();
    for (const root of this.#nodes) {
      const stack: { node: Node; needs: Node[]; next: number }[] = [];
      const enter = (node: Node): void => {
        if (state.has(node)) {
          if (state.get(node) === "open") throw new RangeError(`the graph has a cycle through ${describe(node)}`);
          return;
        }
        state.set(node, "open");
        stack.push({ node, needs: producersOf(node, this), next: 0 });
      };
      enter(root);
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const next = top.needs[top.next];
        top.next += 1;
        if (next !== undefined) {
          enter(next);
        } else {
          stack.pop();
          state.set(top.node, "done");
          sorted.push(top.node);
        }
      }
    }
    this.#nodes = sorted;
  }

  #isSorted(): boolean {
    const done = new Set<Node>();
    return this.#nodes.every((node) => {
      const isReady = producersOf(node, this).every((producer) => done.has(producer));
      done.add(node);
      return isReady;
    });
  }

  #value(hint: string, facts: Facts | undefined): Value {
    const value = new Value(this.freshName(hint));
    value.facts = facts;
    return value;
  }
}

/** The nodes of `graph` that a node, or a graph nested in it, reads from. */
function producersOf(node: Node, graph: Graph): Node[] {
  const found: Node[] = [];
  const read = (input: Value | undefined): void => { if (input?.producer?.graph === graph) found.push(input.producer); };
  if (node.subgraphs.length === 0) node.inputs.forEach(read);
  else withNested(node).forEach((reader) => { reader.inputs.forEach(read); });
  return found;
}

/** A node and all nodes of the graphs nested in it. */
function withNested(node: Node): Node[] {
  return [node, ...node.subgraphs.flatMap(everyGraph).flatMap((sub) => sub.nodes)];
}

/** Most nodes have none of either, and a Map's copy is made of its entries one by one. */
function copied<T>(entries: ReadonlyMap<string, T> | undefined): Map<string, T> {
  return entries === undefined || entries.size === 0 ? new Map<string, T>() : new Map(entries);
}

function describe(node: Node): string {
  return `${plain(node.opType)} ${quote(node.name)}`;
}
