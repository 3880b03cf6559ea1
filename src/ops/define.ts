/**
 * What an operator's definition is: everything the compiler knows about it, in one place. A pass never asks for an operator's name where
 * the definition can answer.
 */
import type { Dim, Shape } from "../ir/dim.ts";
import type { Facts, Graph, Node, Value } from "../ir/graph.ts";
import type { OpBuilder } from "./generated/builder.ts";
import type { Movement } from "./movement.ts";

/** What a shape rule may ask. Questions about inputs that are left out or unknown answer "unknown". */
export interface InferContext {
  readonly node: Node;
  /** Version of the operator's domain that the graph imports. */
  readonly opset: number;
  has(index: number): boolean;
  dataType(index: number): number;
  shape(index: number): Shape | undefined;
  /** The elements of a small integer input, as far as they are known. */
  ints(index: number): readonly Dim[] | undefined;
  /** The same, and the elements of a small constant of another type too: a depth or a bound may come as a float. */
  numbers(index: number): readonly Dim[] | undefined;
  /** What older opsets had as an ints attribute and newer ones as an input: the numbers, undefined where not given or not known. */
  axes(attribute: string, index: number): readonly number[] | undefined;
}

/** Facts of each output, in order; undefined where nothing can be told. */
export type ShapeRule = (c: InferContext) => readonly (Facts | undefined)[];

/** What a gradient rule gets: the node's inputs and outputs by name, the gradients of its outputs, and the builder. */
export interface GradientContext<I extends string, O extends string> {
  readonly op: OpBuilder;
  readonly node: Node;
  /** The inputs by name; asking for one that the node leaves out is an error of the rule. A variadic input's name gives its first. */
  readonly in: Readonly<Record<I, Value>>;
  readonly out: Readonly<Record<O, Value>>;
  /** dLoss/d(output) for the outputs that reach the loss; asking for another is an error of the rule. */
  readonly grad: Readonly<Record<O, Value>>;
  /** Which of the node's inputs the gradient is for: tells the inputs of a variadic operator apart. */
  readonly index: number;
  readonly has: (name: I) => boolean;
  readonly reached: (name: O) => boolean;
}

/** Emits dLoss/d(input). Pure: it adds nodes through `op` and keeps nothing. */
export type GradientRule<I extends string = string, O extends string = string> = (g: GradientContext<I, O>) => Value;

/**
 * "none": nothing flows there by nature (indices, shapes, steps). "unwritten": an error once somebody needs it. "not differentiable": an error
 * too, since something does flow there and no derivative says how (Mod, quantization); the error comes even where all that flows on is integers.
 */
export type GradientEntry<I extends string, O extends string> = GradientRule<I, O> | "none" | "unwritten" | "not differentiable";

/** An answer for every input. */
export type GradientEntries<I extends string, O extends string> = Readonly<Record<I, GradientEntry<I, O>>>;

/** What an expansion gets: the node's inputs by name, and the builder. */
export interface OpenContext<I extends string> {
  readonly op: OpBuilder;
  readonly node: Node;
  readonly in: Readonly<Record<I, Value>>;
  readonly has: (name: I) => boolean;
  /** An input that may be left out. */
  readonly given: (name: I) => Value | undefined;
  /** Whether something reads this output. */
  readonly wanted: (index: number) => boolean;
}

/**
 * Says an operator in simpler ones: emits them, and returns the outputs in order, undefined for one that is not wanted. Pure, as a gradient
 * rule is. Throws a TypeError for a form of the operator that isn't written.
 */
export type Expansion<I extends string = string> = (o: OpenContext<I>) => readonly (Value | undefined)[];

/** What the gradient of an operator gets whose nested graphs are its outputs' makers: what they capture, and how to differentiate one. */
export interface CapturedContext {
  readonly op: OpBuilder;
  readonly node: Node;
  /** The captured values whose gradients are wanted. */
  readonly wrt: readonly Value[];
  /** A copy of one of the node's graphs, with the gradients of what it reads of `wrt` computed at its end; its outputs are still the forward's. */
  readonly backward: (nested: Graph) => { readonly op: OpBuilder; readonly gradients: ReadonlyMap<Value, Value> };
}

/** Emits dLoss/d(value) for each value of `wrt`, in order. */
export type CapturedRule = (g: CapturedContext) => readonly Value[];

/** Floating point operations of one run: "elementwise" is one an element of the first output, "none" is for what only moves bytes. */
export type FlopRule = "elementwise" | "none" | ((c: InferContext, outputs: readonly (Facts | undefined)[]) => Dim);

/** How a weight stands in a product: as which input, and whether as [k, n] or as [n, k]. */
export interface WeightPlace {
  readonly index: number;
  readonly layout: "kn" | "nk";
  /** Whether it is a kernel [n, c, ..], whose axes after the first make up k. */
  readonly kernel?: boolean;
  /** The input that the product adds to its result. */
  readonly bias?: number;
}

/** How stored integers q stand for floats: w = (q − zero) · scale. */
export interface Decoding {
  /** The inputs that hold integers, scales and zero points. */
  readonly integers: number;
  readonly scale: number;
  readonly zero: number;
  /** The zero point where that input is left out. */
  readonly zeroOtherwise: number;
  /** The axis of the integers along which scales differ, unless there is one for all. */
  readonly axis: number;
  /** How many neighbours along the axis share a scale; 0 where each has its own. */
  readonly blockSize: number;
  /**
   * Where integers are stored as bytes: their type, and their dimensions [rows, columns]. Only the first `used` columns count. Zero points of less
   * than a byte are packed too, those of each row in whole bytes.
   */
  readonly packed?: { readonly dataType: number; readonly dims: readonly [number, number]; readonly used: number };
}

/** A product in ordinary operators, in two steps: its weight [k, n], and the product with a weight given. */
export interface ProductApart {
  readonly weight: (op: OpBuilder, node: Node) => Value;
  readonly product: (op: OpBuilder, node: Node, weight: Value) => Value;
}

/** What an operator is for in a transformer's topology, where roles of weights are traced by it. */
export type Purpose = "activation" | "softmax" | "normalization";

/** What some operators know beside the rules. */
interface Traits {
  /** For products: where a trained weight would stand. Undefined where this node has no place for one. */
  readonly weight?: (node: Node) => WeightPlace | undefined;
  /** For what hands a weight on: as it is, with its two axes swapped, or with other axes over the same row-major order. Undefined where this node doesn't. */
  readonly carries?: (node: Node) => "kept" | "swapped" | "reshaped" | undefined;
  /** For what makes a weight's floats of stored integers; a product that does may be its own decoder. Undefined where this node does it otherwise. */
  readonly decodes?: (node: Node) => Decoding | undefined;
  /** For a product that decodes its weight itself: the two steps of `opens` apart, since an adapted weight comes between them. */
  readonly apart?: ProductApart;
  /** For a product that can be said with a MatMul, whose weight may have further axes: it is one itself, or does more around it. */
  readonly plain?: ProductApart | "itself";
  /**
   * For what only moves elements, otherwise than an elementwise operator does: where they come from, asked of computed values whose sizes are
   * numbers. `carries` is asked of constants, whose type it is about too, and answers without any size.
   */
  readonly moves?: Movement;
  readonly purpose?: Purpose;
  /** For what is a module of its own: PyTorch's names of its parameters, each at the place of its input. */
  readonly parameters?: readonly (string | undefined)[];
  /** For a choice between nested graphs, whose outputs are the node's one by one: the one that is taken, undefined where that is not known beforehand. */
  readonly chooses?: (node: Node) => Graph | undefined;
  /** For what holds graphs: the gradient by what they capture. Without it, that is unwritten. */
  readonly captured?: CapturedRule;
  /** Why a gradient is unwritten, for the message. */
  readonly unwritten?: string;
}

/** All that the compiler knows about one operator. */
export interface OpDefinition<I extends string = string, O extends string = string> extends Traits {
  readonly name: string;
  readonly domain: string;
  /** The versions of the operator that this definition speaks for. */
  readonly opsets: readonly number[];
  readonly inputs: readonly I[];
  readonly outputs: readonly O[];
  readonly shape: ShapeRule;
  /** "opened": a composite, which `open-composites` replaces by what `opens` says before a gradient has to pass. */
  readonly gradient: GradientEntries<I, O> | "none" | "opened";
  readonly opens?: Expansion<I>;
  readonly flops: FlopRule;
}

/** Defines an operator. The types see to it that every input has an answer. A variadic input or output is its last. */
export function defineOp<const I extends string, const O extends string>(definition: Traits & {
  readonly name: string;
  readonly domain?: string;
  readonly opsets: readonly number[];
  readonly inputs: readonly I[];
  readonly outputs: readonly O[];
  readonly shape: ShapeRule;
  readonly flops?: FlopRule;
} & (
  | { readonly gradient: { readonly [K in I]: GradientEntry<NoInfer<I>, NoInfer<O>> } | "none" }
  | { readonly gradient: "opened"; readonly opens: Expansion<NoInfer<I>> }
)): OpDefinition<I, O> {
  return { domain: "", flops: "none", ...definition };
}
