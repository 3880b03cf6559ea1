/**
 * Writes docs/operators.md from the operators' definitions, and from the rows of the gradient checks: those are loaded, which notes what each row
 * checks, and not run.
 *
 *     node --import tsx scripts/generate-operator-docs.ts             write
 *     node --import tsx scripts/generate-operator-docs.ts --check     exit 1 where the file is stale
 */
import { fileURLToPath } from "node:url";
import Mocha from "mocha";
import type { OpDefinition } from "../src/ops/define.ts";
import { DEFINITIONS } from "../src/ops/registry.ts";
import { checkedCaptures, checkedInputs } from "../test/ops/gradcheck.ts";
import { openedOperators } from "../test/ops/opencheck.ts";
import { writeOrCheck } from "./write-or-check.ts";

const target = fileURLToPath(new URL("../docs/operators.md", import.meta.url));

/** What stands in the table for an input's answer; a rule is a function. */
const WORDS: Readonly<Record<string, string>> = { none: "–", unwritten: "not written", "not differentiable": "not differentiable" };

const CHECKS = { double: "double", float32: "float32" } as const;

/** "A, B: rule; C: –": the inputs by their answers, in the order of the inputs. */
function grouped(answers: readonly (readonly [string, string])[]): string {
  const groups = new Map<string, string[]>();
  for (const [input, answer] of answers) groups.set(answer, [...groups.get(answer) ?? [], input]);
  const [only] = groups.keys();
  return groups.size === 1 && only !== undefined ? only : [...groups].map(([answer, inputs]) => `${inputs.join(", ")}: ${answer}`).join("; ");
}

/** An answer in a word; one for the whole operator too. */
function word(entry: unknown): string {
  return typeof entry === "function" ? "rule" : typeof entry === "string" ? WORDS[entry] ?? entry : "?";
}

function gradients({ gradient, inputs, captured }: OpDefinition): string {
  if (captured !== undefined) return "rule, by what its graphs read";
  return typeof gradient === "string" ? word(gradient) : grouped(inputs.map((input) => [input, word(gradient[input])]));
}

/** How the rules were held against finite differences. */
function checks({ name, domain, gradient, inputs, captured }: OpDefinition): string {
  if (gradient === "opened") return openedOperators.has(`${domain}:${name}`) ? "kernel" : "no";
  if (captured !== undefined) return checkedCaptures.has(name) ? "double" : "no";
  if (typeof gradient === "string") return "";
  const rules = inputs.filter((input) => typeof gradient[input] === "function");
  if (rules.length === 0) return "";
  return grouped(rules.map((input) => {
    const precision = checkedInputs.get(`${name}.${input}`);
    return [input, precision === undefined ? "no" : CHECKS[precision]];
  }));
}

function flops({ flops: rule }: OpDefinition): string {
  return typeof rule === "function" ? "rule" : rule === "elementwise" ? "1 an element" : "–";
}

function row(definition: OpDefinition): string {
  const { name, domain, opsets } = definition;
  return `| ${domain === "" ? name : `${name} (${domain})`} | ${opsets.join(", ")} | rule | ${flops(definition)} | ${gradients(definition)} | ${checks(definition)} |`;
}

/** What the legend says of composites, once there are any. */
const OPENED = `
- *opened*: a composite, which the training view replaces by ordinary operators; these have the rules.
- **Shape**: a rule infers the outputs' shapes and types. All are held against every one of ONNX's node tests that has the operator.`;

/** docs/operators.md as it should be. */
function page(): string {
  const rules = DEFINITIONS.filter(({ gradient }) => typeof gradient !== "string" && Object.values(gradient).some((entry) => typeof entry === "function"));
  return `<!-- Made by scripts/generate-operator-docs.ts from src/ops and the rows in test/ops. Do not edit. -->
# Operators

What onnx-hut knows of ONNX's operators: ${String(DEFINITIONS.length)} definitions, ${String(rules.length)} of them with gradient rules. An operator that isn't here is carried through untouched, with the shapes that the file declares, and is an error only where a gradient
would have to pass it.

- **Opsets**: the versions of the operator that the definition speaks for. A version is in force until the next one.
- **FLOPs**: a rule, one an element of the result, or – for what only moves bytes.
- **Gradient**, by input: a *rule*; – where nothing flows by nature (indices, shapes, conditions, steps); *not differentiable* where something does
  flow and no derivative says how; *not written*. The last two are errors that name the node, once a trained weight lies before it.${DEFINITIONS.some((d) => gradients(d) === "opened") ? OPENED : ""}
- **Checked**: how the rules were held against finite differences of ONNX Runtime's own kernel: in *double* to 1e-9 of the largest element, or in
  *float32* to 1e-4 where its CPU kernel exists in no other type. Some rows in double have a tolerance of their own, which stands in \`test/ops\` with
  its reason. *kernel*: what a composite is opened into is held against ONNX Runtime's own kernel of it, to 2e-6.

| Operator | Opsets | Shape | FLOPs | Gradient | Checked |
| --- | --- | --- | --- | --- | --- |
${DEFINITIONS.map(row).join("\n")}
`;
}

// Mocha's words (describe, it) work once a runner has announced a file; what they gather in it is dropped.
const mocha = new Mocha();
mocha.suite.emit("pre-require", {}, target, mocha);
await import("../test/ops/coverage.test.ts");
await import("../test/ops/composites.test.ts");
await import("../test/passes/differentiate-if.test.ts");
writeOrCheck(target, page(), "generate-operator-docs.ts");
