import assert from "node:assert/strict";
import { bytes, clock, duration, figure, grouped, share } from "../../src/cli/format.ts";
import { groupWeights } from "../../src/cli/group-weights.ts";
import { printable } from "../../src/cli/printable.ts";
import { facts, listing, table } from "../../src/cli/table.ts";
import type { InspectedWeight } from "../../src/runtime/results.ts";
import { fakeVerbs, run } from "./run.ts";

describe("tables", () => {
  it("align words on the left and numbers on the right, without blanks at the end", () => {
    assert.deepEqual(table([{ title: "name" }, { title: "count", right: true }, { title: "x" }], [["a", "1,234", "y"], ["longer name", "5", ""]]),
      ["  name         count  x", "  a            1,234  y", "  longer name      5"]);
    assert.deepEqual(facts([["a", "1"], ["bcd", "22"]]), ["  a    1", "  bcd  22"]);
  });

  it("keep a model's names from moving the cursor", () => {
    assert.deepEqual(facts([["a\u001b[31m\n", "b"]]), ["  a\\u001b[31m\\n  b"]);
    assert.equal(printable("ä 中 → \u0007\u2066"), "ä 中 → \\u0007\\u2066");
  });

  it("cut long lists and say so", () => {
    const rows = Array.from({ length: 45 }, (_, i) => [String(i)]);
    const cut = listing([{ title: "n" }], rows, false);
    assert.equal(cut.length, 42);
    assert.equal(cut.at(-1), "  and 5 more; --verbose lists all");
    assert.equal(listing([{ title: "n" }], rows, true).length, 46);
  });
});

describe("numbers for people", () => {
  it("have units and groups", () => {
    assert.deepEqual([0, 1, 999, 1000, 99_949, 99_950, 999_499, 999_500, 19e6, 1.5e9, 2e15].map(bytes),
      ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "99.9 kB", "100 kB", "999 kB", "1.0 MB", "19.0 MB", "1.5 GB", "2,000 TB"]);
    assert.deepEqual([0.004, 9.99, 9.996, 59.94, 59.96, 125.4, 3599.6, 3660, 90_000].map(duration),
      ["0.00 s", "9.99 s", "10.0 s", "59.9 s", "1 min 00 s", "2 min 05 s", "1 h 00 min", "1 h 01 min", "25 h 00 min"]);
    assert.deepEqual([0, 7.4, 59.6, 754, 3723].map(clock), ["0:00", "0:07", "1:00", "12:34", "1:02:03"]);
    assert.deepEqual([0, 3, 0.43123, 12.345, 1234.5, 0.00003, NaN, -0.5].map(figure), ["0", "3", "0.4312", "12.35", "1,235", "3.0e-5", "NaN", "-0.5000"]);
    assert.equal(share(37_634, 9_461_760), "37,634 of 9,461,760 (0.4 %)");
    assert.equal(share(1, 0), "1 of 0 (0 %)");
    assert.equal(share(1, 3), "1 of 3 (33.3 %)");
    assert.equal(grouped(1234567.89, 1), "1,234,567.9");
  });
});

describe("the weights of inspect", () => {
  const weight = (layer: number | null, modulePath: string | null, name = "w"): InspectedWeight =>
    ({ name, modulePath, role: "q", layer, shape: [384, 384], stored: "kn", op: "MatMul", dtype: "float" });

  it("of alike layers are one row", () => {
    const layers = [0, 1, 2, 5, 7, 8].map((layer) => weight(layer, `encoder.layer.${String(layer)}.query`));
    assert.deepEqual(groupWeights(layers, false).map(({ layers: l, path, count }) => [l, path, count]), [["0-2, 5, 7-8", "encoder.layer.*.query", 6]]);
    assert.equal(groupWeights(layers, true).length, 6);
  });

  it("that differ stay apart, also where names are gone", () => {
    const weights = [
      weight(null, null, "a"), weight(null, null, "b"), weight(0, null), weight(1, null), { ...weight(2, null), stored: "nk" as const },
      weight(null, "classifier"),
    ];
    const groups = groupWeights(weights, false);
    assert.deepEqual(groups.map(({ layers, path, count }) => [layers, path, count]),
      [["-", "(initializer a)", 1], ["-", "(initializer b)", 1], ["0-1", "(no path)", 2], ["2", "(initializer w)", 1], ["-", "classifier", 1]]);
  });

  it("are shown with operators and what has no gradient", async () => {
    const verbs = { inspect: async (model: string) => ({
      ...await fakeVerbs([]).inspect(model, {}), weights: [0, 1].map((l) => weight(l, `layer.${String(l)}.query`)),
      inputs: [{ name: "input_ids", dtype: "int64", shape: ["batch", "sequence"] }], operators: { MatMul: 12, Add: 3, Resize: 1 },
      withoutGradient: [{ node: "/up", op: "Resize", path: ["a", "b", "c", "d"] }],
    }) };
    const { out } = await run(["inspect", "m"], { verbs });
    assert.match(out, /in {2}input_ids {2}int64 {2}\[batch, sequence\]\n/);
    assert.match(out, / {2}layers {2}role {2}module path \(\* = layer\) .* count\n {2}0-1 {5}q {5}layer\.\*\.query .* 2\n/);
    assert.match(out, /Operators: 16\n {2}MatMul {2}12 {2}Add {2}3 {2}Resize {2}1\n/);
    assert.match(out, /Without a gradient: 1\n {2}operator {2}node {2}reached through\n {2}Resize {4}\/up {3}b → c → d\n$/);
    assert.equal((await run(["inspect", "m", "--verbose"], { verbs })).out.match(/layer\.\d\.query/g)?.length, 2);
  });
});
