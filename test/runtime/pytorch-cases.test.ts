import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { evaluate, fold, predict, train, verify, type TaskName } from "../../src/index.ts";
import { tensorsOf } from "./adapter-numbers.ts";
import { gradientOf } from "./gradient-of.ts";

/** Logits as nested lists: [N, C], or [N, sequence, V]. */
type Nested = number | readonly Nested[];

interface Expected {
  readonly kind: string;
  readonly logits: Nested;
  readonly logits_adapted: Nested;
  readonly logits_trained: Nested;
  readonly losses: number[];
  readonly grad_norm: number;
  /** The exporters that could export it. */
  readonly exports: readonly string[];
}

const norm = (v: Float32Array): number => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));

/** Every number within the tolerance; rows of padding that `predict` cuts off are not looked at, nor those that `attended` says are padding. */
function closeTo(actual: Nested | undefined, expected: Nested, tolerance: number, attended?: Nested, path = "logits"): void {
  if (typeof expected === "number") {
    assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${path}: ${String(actual)} for ${String(expected)}`);
    return;
  }
  assert.ok(Array.isArray(actual) && actual.length > 0 && actual.length <= expected.length, path);
  (actual as Nested[]).forEach((have, i) => {
    const counts = Array.isArray(attended) ? (attended as Nested[])[i] : undefined;
    if (counts !== 0) closeTo(have, expected[i] ?? NaN, tolerance, counts, `${path}[${String(i)}]`);
  });
}

/** Which tokens count, of a model whose logits are one row a token: what it makes of padding is nobody's business, and differs from form to form. */
function attendedIn(batch: string, logits: Nested): Nested | undefined {
  const rows = readFileSync(batch, "utf8").trim().split("\n").map((line) => JSON.parse(line) as { attention_mask?: number[]; labels?: number[] });
  const perToken = Array.isArray(logits) && Array.isArray((logits as Nested[])[0]) && Array.isArray(((logits as Nested[])[0] as Nested[])[0]);
  return perToken ? rows.map((row) => row.labels?.map((label) => Number(label !== -100)) ?? row.attention_mask ?? []) : undefined;
}

/** How far numbers may be off: logits and losses, gradients relative to their norm, and the logits of a folded model. */
interface Tolerances {
  readonly logits: number;
  readonly adapted: number;
  readonly folded: number;
  readonly gradient: number;
  readonly loss: number;
  readonly trained: number;
}
/** Computed in float32 from the very weights that PyTorch had. Logits are off relative to the largest of them, where that is over 1; those of fixtures/cases absolutely. */
const EXACT: Tolerances = { logits: 1e-5, adapted: 1e-5, folded: 1e-5, gradient: 1e-4, loss: 1e-4, trained: 1e-3 };
/** Forms that round: those that compute in 16 bits, whose constants are rounded in training too; those that store 16 bits, to which folding rounds. */
const ROUNDED: readonly { readonly form: RegExp; readonly tolerances: Tolerances }[] = [
  { form: /half/, tolerances: { logits: 2e-2, adapted: 2e-2, folded: 2e-2, gradient: 1e-2, loss: 5e-3, trained: 2e-2 } },
  { form: /-stored$/, tolerances: { ...EXACT, folded: 1e-2 } },
  // The kernel rounds activations to 8 bits; training does not, nor does a folded weight.
  { form: /level4/, tolerances: { ...EXACT, logits: 0.3, adapted: 0.3, folded: 0.3, trained: 0.3 } },
];
const tolerancesOf = (form: string): Tolerances => ROUNDED.find((r) => r.form.test(form))?.tolerances ?? EXACT;

const largest = (logits: Nested): number => (typeof logits === "number" ? Math.abs(logits) : Math.max(1, ...logits.map(largest)));

/** The tasks of the kinds that the fixtures know. */
const TASK_OF: Readonly<Record<string, TaskName>> = { cls: "text-classification", lm: "text-generation", img: "image-classification" };

/** The folders of cases, one model each. The environment variable HUT_CASES names other folders that hold such, separated by colons, instead of the repository's. */
const FOLDERS = (process.env["HUT_CASES"] ?? "fixtures/cases:fixtures/families:fixtures/fused").split(":")
  .flatMap((root) => readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => join(root, e.name)));

for (const family of FOLDERS) {
  const at = (name: string): string => join(family, name);
  const expected = JSON.parse(readFileSync(at("expected.json"), "utf8")) as Expected;
  const steps = expected.losses.length - 1;
  const attended = attendedIn(at("batch.jsonl"), expected.logits);
  for (const exporter of expected.exports) {
    const exact = tolerancesOf(exporter);
    const closeToLogits = (actual: Nested, wanted: Nested, tolerance: number): void => { closeTo(actual, wanted, tolerance * (family.startsWith("fixtures/cases") ? 1 : largest(wanted)), attended); };
    describe(`${basename(family)}, ${exporter} export, against PyTorch and PEFT`, () => {
      const task = TASK_OF[expected.kind] ?? "text-classification";
      let folder = "";
      let model = "";
      before(() => {
        folder = mkdtempSync(join(tmpdir(), "hut-cases-"));
        model = join(folder, "model.onnx");
        copyFileSync(at(`model.${exporter}.onnx`), model);
      });
      after(() => { rmSync(folder, { recursive: true }); });

      const predictions = async (path: string, adapter?: string): Promise<Nested> => {
        const output = join(folder, "predictions.jsonl");
        await predict(path, { task, data: at("batch.jsonl"), output, adapter, batchSize: 4 });
        return readFileSync(output, "utf8").trim().split("\n").map((line) => (JSON.parse(line) as { logits: Nested }).logits);
      };

      it("predicts the base's logits", async () => {
        closeToLogits(await predictions(model), expected.logits, exact.logits);
      });

      it("predicts the adapted logits, as an adapted graph and folded", async () => {
        closeToLogits(await predictions(model, at("adapter")), expected.logits_adapted, exact.adapted);
        const merged = join(folder, "merged.onnx");
        await fold(model, { adapter: at("adapter"), output: merged });
        closeToLogits(await predictions(merged), expected.logits_adapted, exact.folded);
        const checked = await verify(model, { adapter: at("adapter"), merged });
        assert.deepEqual(checked.problems, []);
        assert.ok(checked.ok);
      });

      it("has PyTorch's gradients", async () => {
        const ours = await gradientOf(model, at("batch.jsonl"), task, { adapter: at("adapter") });
        const theirs = tensorsOf(at("gradients.safetensors"));
        assert.deepEqual([...ours.keys()].sort(), [...theirs.keys()].sort());
        for (const [name, want] of theirs) {
          const have = ours.get(name) ?? new Float32Array();
          const off = norm(want.map((v, i) => v - (have[i] ?? NaN)));
          assert.ok(off <= exact.gradient * norm(want), `${name}: off by ${String(off)} of ${String(norm(want))}`);
        }
      });

      it("trains to PyTorch's losses and adapter", async () => {
        const output = join(folder, "run");
        const result = await train(model, { task, adapter: at("adapter"), train: at("batch.jsonl"), output, batchSize: 4, maxSteps: steps, lr: 1e-2, weightDecay: 0.01, maxGradNorm: 0, lrScheduler: "constant", shuffle: false });
        const records = readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { loss: number; grad_norm: number });
        assert.equal(records.length, steps);
        records.forEach(({ loss }, i) => { assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) <= exact.loss, `loss ${String(i)}: ${String(loss)} for ${String(expected.losses[i])}`); });
        assert.ok(Math.abs((records[0]?.grad_norm ?? NaN) - expected.grad_norm) <= exact.gradient * expected.grad_norm);
        const ours = tensorsOf(join(result.adapter, "adapter_model.safetensors"));
        for (const [name, want] of tensorsOf(at("adapter-trained/adapter_model.safetensors"))) {
          const have = ours.get(name) ?? new Float32Array();
          assert.ok(want.every((v, i) => Math.abs(v - (have[i] ?? NaN)) <= exact.trained), name);
        }
        closeToLogits(await predictions(model, result.adapter), expected.logits_trained, Math.max(1e-3, exact.adapted));
        const { metrics } = await evaluate(model, { task, data: at("batch.jsonl"), adapter: result.adapter });
        assert.ok(Math.abs((metrics["eval_loss"] ?? NaN) - (expected.losses[steps] ?? NaN)) <= Math.max(exact.loss, exact.logits), "the loss after the last step");
      });
    });
  }
}
