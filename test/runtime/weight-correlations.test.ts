import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { toAdapterFolder } from "../../src/runtime/adapter/to-folder.ts";
import { evaluateWith, type Evaluator } from "../../src/runtime/evaluate-with.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { initialTheta, prepare, type OpenedAdapter, type Prepared, type PrepareOptions } from "../../src/runtime/prepare.ts";
import { weightCorrelations, type MatrixCorrelation, type WeightCorrelations } from "../../src/runtime/weight-correlations.ts";

type Figures = Record<"correlation" | "updateCorrelation" | "relativeUpdate", number>;
type Expected = Record<string, { readonly before?: Figures; readonly after: Figures }>;

const EXPECTED = JSON.parse(readFileSync("fixtures/correlations/correlations.json", "utf8")) as Record<string, Expected>;
const TOLERANCE = 1e-6;
const NAMES = ["correlation", "updateCorrelation", "relativeUpdate"] as const;

const close = (actual: number | null, expected: number | undefined, what: string): void => {
  assert.ok(expected === undefined ? actual === null : actual !== null && Math.abs(actual - expected) <= TOLERANCE, `${what}: ${String(actual)} for ${String(expected)}`);
};

function assertFigures(matrices: readonly MatrixCorrelation[], expected: Expected, nameOf = ({ module }: MatrixCorrelation): string => module): void {
  assert.deepEqual(matrices.map(nameOf).sort(), Object.keys(expected).sort());
  for (const matrix of matrices) {
    const path = nameOf(matrix);
    for (const name of NAMES) {
      close(matrix[name].before, expected[path]?.before?.[name], `${path}, ${name} before`);
      close(matrix[name].after, expected[path]?.after[name], `${path}, ${name} after`);
    }
    assert.ok(matrix.sample.length > 0 && matrix.sample.length <= 400 && matrix.sample.flat().every(Number.isFinite));
  }
}

describe("correlations of weights", () => {
  let evaluator: Evaluator;
  before(async () => { evaluator = evaluateWith(await defaultRuntime()); });
  after(async () => { await evaluator[Symbol.asyncDispose](); });

  /** The correlations of a model, prepared as a run began and with what it came to. */
  async function correlationsOf(file: string, before: string | PrepareOptions | undefined, after: string | OpenedAdapter): Promise<WeightCorrelations> {
    using opened = openModel(file);
    const given = (adapter: string | OpenedAdapter): Prepared => prepare(opened.load(), { saveHead: true, adapter: typeof adapter === "string" ? openAdapter(adapter) : adapter });
    return await weightCorrelations({ before: before === undefined ? undefined : typeof before === "string" ? given(before) : prepare(opened.load(), before), after: given(after) }, evaluator.evaluate);
  }

  /** What `change` makes of what a method trains, as an adapter. */
  function changed(file: string, options: PrepareOptions, change: (value: number, i: number, name: string) => number): OpenedAdapter {
    using opened = openModel(file);
    const own = prepare(opened.load(), options);
    const contents = toAdapterFolder(own, initialTheta(own.trainables), { name: null, taskType: null });
    return { folder: "changed", contents: { ...contents, saved: new Map([...contents.saved].map(([name, t]) => [name, { ...t, data: t.data.map((v, i) => change(v, i, name)) }])) } };
  }

  for (const [family, forms] of [["bert", ["ts", "dynamo"]], ["roberta", ["ts", "dynamo"]], ["gpt2", ["ts", "dynamo"]], ["llama", ["ts", "dynamo"]]] as const) {
    for (const form of forms) {
      const folders = [`cases/${family}`, ...Object.keys(EXPECTED).filter((name) => name.startsWith(`methods/${family}/`))];
      it(`are numpy's of what PEFT merges: ${family}, ${form} export, ${String(folders.length)} methods`, async () => {
        for (const name of folders) {
          const { matrices } = await correlationsOf(`fixtures/cases/${family}/model.${form}.onnx`, `fixtures/${name}/adapter`, `fixtures/${name}/adapter-trained`);
          assertFigures(matrices.filter(({ trained }) => trained === "adapted"), EXPECTED[name] ?? {});
        }
      });
    }
  }

  for (const [name, forms] of [
    ["fused/bert", ["attention", "mask2d", "mha", "norms-dynamo", "opset11", "opset23", "half", "half-islands", "float16-stored", "bfloat16-stored", "function", "functions", "stripped"]],
    ["fused/bert-uint4-nbits", ["nbits"]],
  ] as const) {
    for (const form of forms) {
      it(`are the same however the weights are stored: ${name}, ${form}`, async () => {
        const { matrices } = await correlationsOf(`fixtures/${name}/model.${form}.onnx`, `fixtures/${name}/adapter`, `fixtures/${name}/adapter-trained`);
        // Packed and nameless weights go by the adapter's names for their modules.
        assertFigures(matrices.filter(({ trained }) => trained === "adapted"), EXPECTED[name] ?? {});
      });
    }
  }

  it("are of the columns of a role where a weight is packed", async () => {
    const { matrices } = await correlationsOf("fixtures/fused/bert/model.attention.onnx", undefined, "fixtures/fused/bert/adapter");
    const adapted = matrices.filter(({ trained }) => trained === "adapted");
    assert.deepEqual(adapted.map(({ role, shape }) => [role, ...shape]), [["q", 32, 32], ["v", 32, 32], ["q", 32, 32], ["v", 32, 32]]);
    assert.ok(adapted.every(({ correlation, sample }) => correlation.before === null && sample.length > 300));
  });

  it("begin at W' = W₀: a correlation of 1, and none with an update of nothing", async () => {
    const adapter = "fixtures/methods/bert/dora/adapter-trained";
    const file = "fixtures/cases/bert/model.ts.onnx";
    for (const method of ["hut", "lora", "dora", "loha", "ia3", "vera"]) {
      const options: PrepareOptions = { saveHead: false, method, seed: 3 };
      using opened = openModel(file);
      const start = (): Prepared => prepare(opened.load(), options);
      const { matrices } = await weightCorrelations({ before: start(), after: start() }, evaluator.evaluate);
      assert.ok(matrices.length > 0);
      for (const { correlation, updateCorrelation, relativeUpdate } of matrices) {
        close(correlation.before, 1, method);
        assert.equal(updateCorrelation.before, null, method);
        assert.ok(Number(relativeUpdate.before) <= 1e-6, method);
        if (method !== "dora") assert.equal(relativeUpdate.before, 0, method);
      }
    }
    const { matrices } = await correlationsOf(file, { saveHead: true, method: "dora" }, adapter);
    assert.ok(matrices.every(({ updateCorrelation }) => updateCorrelation.before === null && updateCorrelation.after !== null));
  });

  for (const form of ["ts", "dynamo"]) {
    it(`are of every matrix that is trained whole, and name what is none: ${form} export`, async () => {
      const file = `fixtures/cases/bert/model.${form}.onnx`;
      const full: PrepareOptions = { saveHead: true, method: "full" };
      const { matrices, others } = await correlationsOf(file, undefined, changed(file, full, (v, i) => v * (1 + Math.sin(i) / 10)));
      assertFigures(matrices, EXPECTED["full"] ?? {});
      assert.ok(matrices.every(({ trained }) => trained === "whole"));
      assert.ok(others.length > 0 && others.every((name) => name.endsWith(".bias") || name.endsWith("LayerNorm.weight")));
      const biases = await correlationsOf(file, undefined, changed(file, { saveHead: true, method: "bitfit" }, (v) => v + 1));
      assert.deepEqual(biases.matrices.map(({ module }) => module), ["classifier"]);
      assert.ok(biases.others.length > 10 && biases.others.every((name) => name.endsWith(".bias")));
    });
  }

  it("compare a head that was attached with its own start", async () => {
    const head: PrepareOptions = { saveHead: true, method: "head", head: "mean", numLabels: 2, seed: 11 };
    const file = "fixtures/demo/model.onnx";
    const { matrices } = await correlationsOf(file, head, changed(file, head, (v) => v * 3));
    const [matrix, ...more] = matrices;
    assert.ok(matrix !== undefined && more.length === 0);
    close(matrix.correlation.after, 1, "three times the start");
    close(matrix.updateCorrelation.after, 1, "the update is twice the start");
    close(matrix.relativeUpdate.after, 2, "twice as long");
    assert.equal(matrix.relativeUpdate.before, 0);
    assert.equal(matrix.sample.length, 400);
    assert.ok(matrix.sample.every(([w, now]) => Math.abs(now - 3 * w) <= 1e-6));
  });
});
