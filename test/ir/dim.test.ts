import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { addDims, differentDims, dimKey, divideExactly, evaluateDim, floorDivDims, formatShape, isCapped, isNonNegative, maxDims, minDims, mulDims, numberOfElements, parseDim, sameDim,
  subDims, symbol, type Dim } from "../../src/ir/dim.ts";

const [b, s] = [symbol("batch"), symbol("sequence")];

describe("dimensions", () => {
  it("have one form, however an expression is written", () => {
    assert.ok(sameDim(mulDims(b, s), mulDims(s, b)));
    assert.ok(sameDim(addDims(b, addDims(s, 1)), addDims(addDims(1, s), b)));
    assert.ok(sameDim(mulDims(b, addDims(s, 2)), addDims(mulDims(b, s), mulDims(2, b))));
    assert.ok(sameDim(mulDims(addDims(b, s), subDims(b, s)), subDims(mulDims(b, b), mulDims(s, s))));
    assert.equal(dimKey(mulDims(s, mulDims(b, 3))), "3*batch*sequence");
    assert.equal(dimKey(addDims(mulDims(2, b), -1)), "2*batch + -1");
  });

  it("become numbers where nothing is left to know", () => {
    assert.equal(subDims(b, b), 0);
    assert.equal(subDims(addDims(b, 3), b), 3);
    assert.equal(mulDims(0, b), 0);
    assert.equal(mulDims(0, undefined), 0);
    assert.equal(addDims(2, 3), 5);
    assert.equal(numberOfElements([]), 1);
    assert.equal(numberOfElements([2, 3, 4]), 24);
  });

  it("stay unknown with an unknown part, which is like nothing, itself included", () => {
    assert.equal(addDims(b, undefined), undefined);
    assert.equal(mulDims(undefined, 2), undefined);
    assert.equal(divideExactly(undefined, undefined), undefined);
    assert.equal(floorDivDims(b, undefined), undefined);
    assert.equal(maxDims(undefined, 1), undefined);
    assert.equal(minDims(1, undefined), undefined);
    assert.equal(sameDim(undefined, undefined), false);
    assert.equal(differentDims(undefined, 3), false);
    assert.equal(evaluateDim(undefined, {}), undefined);
  });

  it("divide exactly or not at all", () => {
    assert.ok(sameDim(divideExactly(mulDims(b, mulDims(s, 384)), mulDims(b, s)), 384));
    assert.ok(sameDim(divideExactly(mulDims(b, 12), 4), mulDims(b, 3)));
    assert.ok(sameDim(divideExactly(addDims(mulDims(b, s), mulDims(2, b)), b), addDims(s, 2)));
    assert.equal(divideExactly(addDims(b, s), addDims(b, s)), 1);
    assert.equal(divideExactly(mulDims(b, 6), 4), undefined);
    assert.equal(divideExactly(b, s), undefined);
    assert.equal(divideExactly(addDims(b, 1), b), undefined);
    assert.equal(divideExactly(mulDims(b, s), addDims(b, 1)), undefined);
    assert.equal(divideExactly(b, 0), undefined);
    assert.equal(divideExactly(0, b), 0);
  });

  it("name what no polynomial holds, and still evaluate it", () => {
    const half = floorDivDims(addDims(s, 1), 2);
    assert.equal(dimKey(half), "floor((sequence + 1)/(2))");
    assert.equal(evaluateDim(half, { sequence: 6 }), 3);
    assert.ok(sameDim(half, floorDivDims(addDims(1, s), 2)));
    assert.equal(evaluateDim(addDims(mulDims(half, b), 1), { sequence: 7, batch: 5 }), 21);
    assert.equal(floorDivDims(7, 2), 3);
    assert.equal(floorDivDims(b, 0), undefined);
    assert.ok(sameDim(floorDivDims(mulDims(b, 4), 2), mulDims(b, 2)));

    assert.equal(evaluateDim(maxDims(b, s), { batch: 2, sequence: 7 }), 7);
    assert.equal(evaluateDim(minDims(b, mulDims(s, s)), { batch: 200, sequence: 7 }), 49);
    assert.equal(evaluateDim(minDims(half, 2), { sequence: 9 }), 2);
    assert.ok(sameDim(maxDims(b, s), maxDims(s, b)));
    assert.ok(sameDim(minDims(b, 64), minDims(64, b)));
    assert.equal(evaluateDim(minDims(b, 64), { sequence: 1 }), undefined);
    assert.equal(evaluateDim(minDims(s, addDims(b, 1)), { sequence: 4, batch: 1 }), 2);
  });

  it("tell the larger and the smaller where every size allows it", () => {
    assert.ok(sameDim(maxDims(addDims(b, s), b), addDims(b, s)));
    assert.ok(sameDim(maxDims(b, addDims(b, s)), addDims(b, s)));
    assert.ok(sameDim(minDims(addDims(b, s), b), b));
    assert.ok(sameDim(maxDims(b, 0), b));
    assert.equal(maxDims(3, 4), 4);
    assert.equal(minDims(3, 4), 3);
    assert.ok(sameDim(maxDims(b, b), b));
  });

  it("know what can't be negative, and what can't be equal", () => {
    assert.equal(isNonNegative(b), true);
    assert.equal(isNonNegative(addDims(mulDims(b, s), 1)), true);
    assert.equal(isNonNegative(subDims(b, 1)), false);
    assert.equal(isNonNegative(-1), false);
    assert.equal(isNonNegative(0), true);
    assert.equal(isNonNegative(undefined), false);
    assert.equal(differentDims(3, 4), true);
    assert.equal(differentDims(b, addDims(b, 1)), true);
    assert.equal(differentDims(b, -1), true);
    assert.equal(differentDims(b, 0), false, "a size may be 0");
    assert.equal(differentDims(mulDims(2, b), b), false, "both may be 0");
    assert.equal(differentDims(b, s), false);
    assert.equal(differentDims(b, b), false);
  });

  it("know a size that a number caps", () => {
    assert.equal(isCapped(minDims(s, 64), s), true);
    assert.equal(isCapped(minDims(64, s), s), true);
    assert.equal(isCapped(minDims(s, 64), b), false);
    assert.equal(isCapped(minDims(s, 0), s), false);
    assert.equal(isCapped(maxDims(s, 64), s), false);
    assert.equal(isCapped(minDims(s, b), s), false, "the other name may be 0");
    assert.equal(isCapped(addDims(minDims(s, 64), 1), s), false);
    assert.equal(isCapped(s, s), false);
    assert.equal(isCapped(3, s), false);
  });

  it("keep no more monomials than shapes have", () => {
    const sum = Array.from({ length: 40 }, (_, i): Dim => symbol(`d${String(i)}`)).reduce(addDims);
    assert.equal(sum, undefined);
  });

  it("are read as exporters write them", () => {
    assert.ok(sameDim(parseDim("batch"), b));
    assert.ok(sameDim(parseDim("batch*sequence"), mulDims(b, s)));
    assert.ok(sameDim(parseDim("2*batch + sequence*3 + 1"), addDims(addDims(mulDims(2, b), mulDims(3, s)), 1)));
    assert.ok(sameDim(parseDim("sequence - 1"), subDims(s, 1)));
    assert.ok(sameDim(parseDim("-batch + sequence - 2*batch"), subDims(s, mulDims(3, b))));
    assert.equal(parseDim("7"), 7);
    assert.equal(parseDim("2 + 3*4"), 14);
  });

  it("are one name where they are written in any other way", () => {
    for (const text of ["onnx::dim_3", "s0//2", "batch size", "a.b", "(a + b)*2", " ", "é", "a++b", "1".repeat(400)]) {
      const dim = parseDim(text);
      assert.equal(dimKey(dim), text.replaceAll("*", "·"));
      assert.ok(sameDim(dim, parseDim(text)));
    }
    assert.equal(parseDim(""), undefined);
    assert.equal(sameDim(parseDim("batch size"), parseDim("batchsize")), false);
    assert.equal(sameDim(parseDim("(a + b)*2"), mulDims(2, parseDim("(a + b)"))), false);
  });

  it("evaluate by their names", () => {
    const dim = parseDim("2*batch*sequence + sequence - 1");
    assert.equal(evaluateDim(dim, { batch: 2, sequence: 7 }), 34);
    assert.equal(evaluateDim(dim, { batch: 2 }), undefined);
    assert.equal(evaluateDim(5, {}), 5);
    assert.equal(evaluateDim(b, { batch: 0 }), 0);
  });

  it("show", () => {
    assert.equal(formatShape([b, addDims(s, 1), 384, undefined]), "[batch, sequence + 1, 384, ?]");
    assert.equal(formatShape([]), "[]");
    assert.equal(formatShape(undefined), "[…]");
    assert.equal(String(s), "sequence");
  });
});
