/** Reading an image x [N, C, d..] at places of its own, laying its windows out as columns, and choosing among boxes. */
import { DataType } from "../ir/data-type.ts";
import { divideExactly, mulDims, numberOfElements, openShape } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { allNumbers, elementCount } from "../ir/sizes.ts";
import { Tensor } from "../ir/tensor.ts";
import { elements } from "./broadcast.ts";
import { convolvedShape, sizeOfFilter } from "./convolutions.ts";
import { defineOp } from "./define.ts";
import { requireMakeable } from "./elements.ts";
import { restoredShape } from "./products.ts";
import { slidShape, windowOf, type Window } from "./windows.ts";

/** y = x read between its elements at the places that a grid [N, o.., r] gives. */
export const GridSample = defineOp({
  name: "GridSample", opsets: [16, 20, 22], inputs: ["X", "grid"], outputs: ["Y"],
  shape: (c) => {
    const [x, grid] = [c.shape(0), c.shape(1)];
    return [{ dataType: c.dataType(0), shape: grid === undefined ? x?.map(() => undefined) : [x?.[0] ?? grid[0], x?.[1], ...grid.slice(1, -1)] }];
  },
  gradient: { X: "unwritten", grid: "unwritten" },
});

/** The grid [N, o.., r] that affine maps theta [N, r, r + 1] give for an image of size [N, C, o..]. */
export const AffineGrid = defineOp({
  name: "AffineGrid", opsets: [20], inputs: ["theta", "size"], outputs: ["grid"],
  shape: (c) => {
    const [theta, size] = [c.shape(0), c.ints(1)];
    const image = openShape(c.shape(1)?.[0])?.slice(2);
    if (image === undefined) return [{ dataType: c.dataType(0), shape: undefined }];
    return [{ dataType: c.dataType(0), shape: [theta?.[0] ?? size?.[0], ...image.map((_, i) => size?.[i + 2]), image.length] }];
  },
  gradient: { theta: "unwritten", size: "none" },
});

/** A convolution whose windows read x between its elements, shifted by offsets of their own. */
export const DeformConv = defineOp({
  name: "DeformConv", opsets: [19, 22], inputs: ["X", "W", "offset", "B", "mask"], outputs: ["Y"],
  shape: (c) => [{ dataType: c.dataType(0), shape: convolvedShape(c.node, c.shape(0), c.shape(1)) }],
  flops: (c, [out]) => mulDims(2, mulDims(elements(out), sizeOfFilter(c.shape(1)))),
  gradient: { X: "unwritten", W: "unwritten", offset: "unwritten", B: "unwritten", mask: "unwritten" },
});

/**
 * y [N, C, d..] = windows added up where they lie: x [N, C · Πk, L] holds a window of k.. elements in each of its L columns.
 * dx = the windows of dy: gathered by their places, which the sizes tell, one more place standing for the padding around y.
 */
export const Col2Im = defineOp({
  name: "Col2Im", opsets: [18], inputs: ["input", "image_shape", "block_shape"], outputs: ["output"],
  flops: (c) => elements({ dataType: 0, shape: c.shape(0) }),
  shape: (c) => {
    const [x, image, block] = [c.shape(0), c.ints(1), c.ints(2)];
    const sizes = image ?? openShape(c.shape(1)?.[0] ?? c.shape(2)?.[0]);
    const channels = block === undefined ? undefined : divideExactly(x?.[1], numberOfElements(block));
    return [{ dataType: c.dataType(0), shape: sizes === undefined ? undefined : [x?.[0], channels, ...sizes] }];
  },
  gradient: {
    input: ({ op, node, in: { input, image_shape, block_shape }, grad: { output: dy } }) => {
      const [image, block] = [numbers(image_shape), numbers(block_shape)];
      const window = windowOf(node, [1, 1, ...image], [1, 1, ...block]);
      if (window === undefined) throw new TypeError("a window without axes");
      const places = windowPlaces(image, block, window);
      const flat = op.Pad(op.Reshape(dy, [0, 0, -1]), [0, 0, 0, 0, 0, 1]);
      const columns = op.Gather(flat, op.constant("places", Tensor.ints([places.length], places)), { axis: 2 });
      return op.Reshape(columns, restoredShape(op, input, columns));
    },
    image_shape: "none", block_shape: "none",
  },
});

function numbers(v: Value): number[] {
  const ints = allNumbers(v.facts?.ints);
  if (ints === undefined) throw new TypeError(`the elements of "${v.name}" must be known`);
  return [...ints];
}

/** For each element of the window, and for each place it stands at, the number of the image's element there; the image's size where that is padding. */
function windowPlaces(image: readonly number[], block: readonly number[], window: Window): number[] {
  const size = elementCount(image);
  const slid = slidShape([1, 1, ...image], window).map(Number);
  const along = (axis: number, o: number, k: number): number =>
    o * (window.strides[axis] ?? 1) + k * (window.dilations[axis] ?? 1) - (window.pads[axis]?.before ?? 0);
  // A window longer than the image stands nowhere, however long it is.
  if ([...block, ...slid].some((d) => d <= 0)) return [];
  requireMakeable([...block, ...slid], "the places of the windows");
  return indices(block).flatMap((k) => indices(slid).map((o) => {
    const at = image.map((_, axis) => along(axis, o[axis] ?? 0, k[axis] ?? 0));
    return at.every((v, axis) => v >= 0 && v < (image[axis] ?? 0)) ? at.reduce((place, v, axis) => place * (image[axis] ?? 0) + v, 0) : size;
  }));
}

/** All index tuples of a shape, the last axis fastest. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>((all, d) => all.flatMap((index) => Array.from({ length: d }, (_, i) => [...index, i])), [[]]);
}

/** Boxes that overlap no better one too much, as [count, 3]: batch, class, box. */
export const NonMaxSuppression = defineOp({
  name: "NonMaxSuppression", opsets: [10, 11], outputs: ["selected_indices"],
  inputs: ["boxes", "scores", "max_output_boxes_per_class", "iou_threshold", "score_threshold"],
  shape: () => [{ dataType: DataType.INT64, shape: [undefined, 3] }],
  gradient: { boxes: "none", scores: "none", max_output_boxes_per_class: "none", iou_threshold: "none", score_threshold: "none" },
});
