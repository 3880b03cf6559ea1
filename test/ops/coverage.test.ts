/** Every gradient rule has a row in some family's test. The families are loaded here, so that this file says the same when it runs alone. */
import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { DEFINITIONS } from "../../src/ops/registry.ts";
import "./activations.test.ts";
import "./arithmetic.test.ts";
import "./channel-normalizations.test.ts";
import "./convolutions.test.ts";
import "./einsum.test.ts";
import { checkedInputs } from "./gradcheck.ts";
import "./grids.test.ts";
import "./indexing.test.ts";
import "./logic.test.ts";
import "./losses.test.ts";
import "./normalizations.test.ts";
import "./padding.test.ts";
import "./pooling.test.ts";
import "./products.test.ts";
import "./rectifiers.test.ts";
import "./reductions.test.ts";
import "./resizing.test.ts";
import "./scatter.test.ts";
import "./shaping.test.ts";
import "./signals.test.ts";
import "./softmax.test.ts";
import "./trigonometry.test.ts";

describe("gradient rules", () => {
  it("are all checked against finite differences", () => {
    const rules = DEFINITIONS.flatMap(({ name, inputs, gradient }) => (typeof gradient === "string" ? [] : inputs.filter((input) => typeof gradient[input] === "function").map((input) => `${name}.${input}`)));
    assert.ok(rules.length > 50);
    assert.deepEqual(rules.filter((rule) => !checkedInputs.has(rule)), []);
  });
});
