/** Weights stored as integers: their floats, one by one or all, and integers of the same form for new floats. */
import { DataType, integerRange } from "../../ir/data-type.ts";
import type { Node } from "../../ir/graph.ts";
import { elementCount, fromStart } from "../../ir/sizes.ts";
import { Tensor } from "../../ir/tensor.ts";
import type { Decoding } from "../../ops/define.ts";

/** How a stored tensor stands for floats: w = (q − zero) · scale, each group of elements with its own scale and zero. */
export interface Quantized {
  readonly decoding: Decoding;
  /** q, of a type of 4 to 16 bits, its axes as the decoder takes them. */
  readonly integers: Tensor;
  readonly scale: Tensor;
  readonly zero: Tensor | undefined;
  /** The float type that it is decoded to. */
  readonly dataType: number;
  /** The nodes that decode it, all alike. */
  readonly decoders: Node[];
}

/** What `encoded` gives: new values of the three constants. */
export interface Encoded {
  readonly integers: Tensor;
  readonly scale: Tensor;
  /** Undefined where the zero points stay as they are. */
  readonly zero: Tensor | undefined;
}

/** How a decoder reads its integers, scales and zero points; undefined where the numbers don't fit together or the integers' type isn't known here. */
export function quantizedBy(node: Node, decoding: Decoding, constants: { integers: Tensor; scale: Tensor; zero: Tensor | undefined }): Quantized | undefined {
  const { packed } = decoding;
  const seenAs = (tensor: Tensor, rows: number): Tensor => {
    const isPacked = packed !== undefined && integerRange(tensor.dataType) !== undefined;
    return isPacked ? new Tensor(packed.dataType, [rows, (tensor.size * 8) / (rows * widthOf(packed.dataType))], tensor.data) : tensor;
  };
  const rows = packed?.dims[0] ?? 1;
  const quantized: Quantized = {
    decoding, integers: seenAs(constants.integers, rows), scale: constants.scale, zero: constants.zero === undefined ? undefined : seenAs(constants.zero, rows),
    dataType: node.outputs[0]?.dataType || constants.scale.dataType, decoders: [node],
  };
  return fits(quantized) ? quantized : undefined;
}

function widthOf(dataType: number): number {
  const [least, greatest] = integerRange(dataType) ?? [0, 0];
  return Math.log2(greatest - least + 1);
}

function fits({ decoding, integers, scale, zero }: Quantized): boolean {
  const { packed } = decoding;
  if (integerRange(integers.dataType) === undefined || scale.size < 1) return false;
  if (packed !== undefined && packed.dims.join() !== integers.dims.join()) return false;
  const groups = scale.size === 1 ? 1 : groupCount(decoding, integers.dims);
  return scale.size === groups && (zero === undefined || zero.size === groups || (packed !== undefined && zero.size > groups));
}

function groupCount({ axis, blockSize }: Decoding, dims: readonly number[]): number {
  const length = dims.at(axis) ?? NaN;
  return blockSize === 0 ? length : (elementCount(dims) / length) * Math.ceil(length / blockSize);
}

/** The group of the element at a place in row-major order. */
function groupOf({ decoding: { axis, blockSize }, integers: { dims }, scale }: Quantized): (place: number) => number {
  if (scale.size === 1) return () => 0;
  const at = fromStart(axis, dims.length);
  const length = dims[at] ?? 1;
  const inner = elementCount(dims.slice(at + 1));
  if (blockSize === 0) return (place) => Math.floor(place / inner) % length;
  const blocks = Math.ceil(length / blockSize);
  return (place) => (Math.floor(place / (inner * length)) * blocks + Math.floor((Math.floor(place / inner) % length) / blockSize)) * inner + (place % inner);
}

/** The group of every element. Written out, since a weight has millions and each is asked for several times. */
function groupsOf({ decoding: { axis, blockSize }, integers: { dims, size }, scale }: Quantized): Uint32Array {
  const groups = new Uint32Array(size);
  if (scale.size === 1) return groups;
  const at = fromStart(axis, dims.length);
  const length = dims[at] ?? 1;
  const inner = elementCount(dims.slice(at + 1));
  const blocks = Math.ceil(length / blockSize);
  let place = 0;
  for (let outer = 0; place < size; outer += 1) {
    for (let along = 0; along < length; along += 1) {
      const first = blockSize === 0 ? along : (outer * blocks + Math.floor(along / blockSize)) * inner;
      for (let i = 0; i < inner; i += 1) groups[place++] = blockSize === 0 ? first : first + i;
    }
  }
  return groups;
}

/** Where the zero point of a group lies among those stored: packed rows may end with one that counts for nothing. */
function zeroPlace({ scale, zero, integers }: Quantized): (group: number) => number {
  const rows = integers.dims[0] ?? 1;
  const [blocks, stored] = [scale.size / rows, (zero?.size ?? 0) / rows];
  return zero === undefined || zero.size === scale.size ? (group) => group : (group) => Math.floor(group / blocks) * stored + (group % blocks);
}

/** The zero point of each group. */
function zerosOf(quantized: Quantized): Float64Array {
  const stored = quantized.zero?.toNumbers();
  const place = zeroPlace(quantized);
  return Float64Array.from({ length: quantized.scale.size }, (_, group) => stored?.[place(group)] ?? quantized.decoding.zeroOtherwise);
}

/** In the decoder's own type, as float32: the product is rounded to it once. */
function rounded({ dataType }: Quantized, values: Float32Array): Float32Array {
  return dataType === DataType.FLOAT ? values : new Float32Array(numbersOf(Tensor.fromFloat32(dataType, [values.length], values)));
}

/** The floats at some places of the stored order, each integer read alone. */
export function decodedAt(quantized: Quantized, places: readonly number[]): Float32Array {
  const [scale, zeros, group] = [numbersOf(quantized.scale), zerosOf(quantized), groupOf(quantized)];
  const integers = quantized.integers.numbersAt(places) ?? [];
  return rounded(quantized, Float32Array.from(places, (place, i) => ((integers[i] ?? NaN) - (zeros[group(place)] ?? NaN)) * (scale[group(place)] ?? NaN)));
}

/** The step from one integer to the next, at some places of the stored order. */
export function stepsAt(quantized: Quantized, places: readonly number[]): number[] {
  const [scale, group] = [numbersOf(quantized.scale), groupOf(quantized)];
  return places.map((place) => Math.abs(scale[group(place)] ?? NaN));
}

/** All floats, in stored order. */
export function decoded(quantized: Quantized): Float32Array {
  const [scale, zeros, groups, integers] = [numbersOf(quantized.scale), zerosOf(quantized), groupsOf(quantized), numbersOf(quantized.integers)];
  const values = new Float32Array(integers.length);
  for (let i = 0; i < values.length; i += 1) {
    const g = groups[i] ?? 0;
    values[i] = ((integers[i] ?? 0) - (zeros[g] ?? 0)) * (scale[g] ?? 0);
  }
  return rounded(quantized, values);
}

/**
 * Integers of the same form for new floats, in stored order. Scales are the smallest that cut nothing off: where zero points stand in the middle of
 * the range or are left out, they stay, and the scale follows from the value furthest out; else both follow from least and greatest value.
 */
export function encoded(quantized: Quantized, values: Float32Array): Encoded {
  const { integers, scale, zero } = quantized;
  const [least, greatest] = integerRange(integers.dataType) ?? [0, 0];
  const groups = groupsOf(quantized);
  const [low, high] = [new Float64Array(scale.size), new Float64Array(scale.size)];
  for (let i = 0; i < values.length; i += 1) {
    const [g, value] = [groups[i] ?? 0, values[i] ?? 0];
    if (value < (low[g] ?? 0)) low[g] = value;
    if (value > (high[g] ?? 0)) high[g] = value;
  }
  const middle = (least + greatest + 1) / 2;
  const before = zerosOf(quantized);
  const stay = zero === undefined || before.every((z) => z === middle);
  const ideal = Float32Array.from(low, (min, g) => {
    const [max, z] = [high[g] ?? 0, before[g] ?? 0];
    return stay ? Math.max(greatest > z ? max / (greatest - z) : 0, least < z ? min / (least - z) : 0) : (max - min) / (greatest - least);
  });
  const old = numbersOf(scale);
  // A group of zeros, or of numbers too small for the scale's type, has no scale of its own: any will do.
  const scales = Float32Array.from(numbersOf(Tensor.fromFloat32(scale.dataType, scale.dims, ideal)), (s, g) => (s > 0 ? s : old[g] ?? 1));
  const cut = (q: number): number => Math.min(greatest, Math.max(least, q));
  const isWhole = zero !== undefined && integerRange(zero.dataType) !== undefined;
  const zeros = stay ? before : before.map((_, g) => {
    const z = least - (low[g] ?? 0) / (scales[g] ?? 1);
    return isWhole ? cut(roundEven(z)) : Math.fround(z);
  });
  // Rounded before the zero point is added, as QuantizeLinear does it; a zero point between two integers leaves no choice.
  const placed = (steps: number, z: number): number => (Number.isInteger(z) ? roundEven(steps) + z : roundEven(steps + z));
  // float32 holds every integer of 16 bits.
  const q = new Float32Array(values.length);
  for (let i = 0; i < q.length; i += 1) {
    const g = groups[i] ?? 0;
    q[i] = cut(placed(Math.fround((values[i] ?? 0) / (scales[g] ?? 1)), zeros[g] ?? 0));
  }
  return {
    integers: Tensor.fromIntegers(integers.dataType, integers.dims, q), scale: Tensor.fromFloat32(scale.dataType, scale.dims, scales),
    zero: stay ? undefined : storedZeros(quantized, zeros),
  };
}

function storedZeros(quantized: Quantized, zeros: Float64Array): Tensor | undefined {
  const { zero } = quantized;
  if (zero === undefined) return undefined;
  const stored = new Float64Array(zero.size);
  const place = zeroPlace(quantized);
  zeros.forEach((z, g) => { stored[place(g)] = z; });
  const isWhole = integerRange(zero.dataType) !== undefined;
  return isWhole ? Tensor.fromIntegers(zero.dataType, zero.dims, stored) : Tensor.fromFloat32(zero.dataType, zero.dims, new Float32Array(stored));
}

/** To the nearest whole number, ties to even, as QuantizeLinear rounds. */
function roundEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

/** A tensor's numbers. Throws a TypeError for strings. */
export function numbersOf(tensor: Tensor): Float32Array | Float64Array {
  const numbers = tensor.toNumbers();
  if (numbers === undefined) throw new TypeError("not a tensor of numbers");
  return numbers;
}
