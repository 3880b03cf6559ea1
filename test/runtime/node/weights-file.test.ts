/** Where copied weights go: as they lay, or on pages. */
import assert from "node:assert/strict";
import { ByteRange, ComputedBytes, memorySource, readBytes, type Bytes, type Source } from "../../../src/ir/source.ts";
import { WeightsFile } from "../../../src/runtime/node/weights-file.ts";

const graph = memorySource("model.onnx", new Uint8Array(5000).fill(1));
const data: Source = memorySource("model.onnx_data", Uint8Array.from({ length: 1000 }, (_, i) => i % 256));
const range = (offset: number, length: number, source = data): ByteRange => new ByteRange(source, offset, length);
const computed = (length: number, replaces?: Bytes): ComputedBytes => new ComputedBytes("w", length, () => Promise.resolve(new Uint8Array(length)), replaces);
/** Each chunk's bytes; of a computed one, how many. */
const laid = (file: WeightsFile): (string | number)[] => file.chunks().map((c) => (c instanceof ComputedBytes ? `computed ${String(c.length)}` : readBytes(c).length));

describe("the file of copied weights", () => {
  it("keeps the layout of one data file, gaps too, so that it can be a copy; what is new comes behind", () => {
    const [first, last, changed, added] = [range(0, 400), range(640, 360), computed(200, range(416, 200)), computed(8)];
    const file = new WeightsFile("out", [first, changed, last, added], graph);
    assert.deepEqual([first, changed, last, added].map((r) => file.place(r)), [0, 416, 640, 4096].map((offset) => ({ location: "out", offset })));
    assert.deepEqual(laid(file), [400, 16, "computed 200", 24, 360, 3096, "computed 8"]);
    assert.equal(file.size, 4104);
  });

  it("gives a new weight a place of its own where another still needs the old bytes, or two replace the same", () => {
    const shared = range(0, 500);
    const [one, two, three] = [computed(500, range(0, 500)), computed(500, range(500, 500)), computed(500, range(500, 500))];
    const file = new WeightsFile("out", [shared, one, two, three], graph);
    assert.deepEqual([shared, one, two, three].map((r) => file.place(r).offset), [0, 4096, 500, 8192]);
  });

  it("lays weights of several files, of a graph's own file, or of a file that holds much else on pages, each once", () => {
    const other = memorySource("other", new Uint8Array(1000));
    for (const ranges of [[range(0, 900), range(0, 900, other)], [range(0, 4000, graph), range(4000, 1000, graph)], [range(0, 100), range(500, 100)]]) {
      const file = new WeightsFile("out", [...ranges, ...ranges], graph);
      assert.deepEqual(ranges.map((r) => file.place(r).offset), [0, 4096]);
      assert.equal(file.size, 4096 + (ranges[1]?.length ?? 0));
    }
  });

  it("writes bytes that two weights share once", () => {
    const file = new WeightsFile("out", [range(0, 1000), range(100, 200), range(0, 500)], graph);
    assert.equal(file.chunks().reduce((sum, c) => sum + c.length, 0), 1000);
    assert.deepEqual(Buffer.concat(file.chunks().map(readBytes)), Buffer.from(readBytes(range(0, 1000))));
  });
});
