import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { evaluate, type Provider } from "../../src/index.ts";
import { PROVIDERS } from "../../src/runtime/options.ts";
import { PROVIDER_NEEDS } from "../../src/runtime/providers.ts";
import type { OnnxRuntime } from "../../src/runtime/session.ts";

const MODEL = "fixtures/cases/bert/model.ts.onnx";
const DATA = "fixtures/cases/bert/batch.jsonl";

/** ONNX Runtime on which a provider starts, or throws as the real one does; what would run there runs on the CPU. */
function withProvider(provider: Provider, start: (bytes: Uint8Array) => void): OnnxRuntime {
  const create = async (bytes: Uint8Array, options: ort.InferenceSession.SessionOptions): Promise<ort.InferenceSession> => {
    assert.deepEqual(options.executionProviders, [provider]);
    start(bytes);
    return ort.InferenceSession.create(bytes, { ...options, executionProviders: ["cpu"] });
  };
  return { Tensor: ort.Tensor, InferenceSession: { create } as unknown as OnnxRuntime["InferenceSession"] };
}

describe("--provider", () => {
  for (const provider of PROVIDERS.filter((p) => p !== "cpu")) {
    it(`${provider}: one error that says what it needs, where it is missing`, async () => {
      const missing = withProvider(provider, () => { throw new Error("/src/onnxruntime/core/x.cc:136 void f(int) status == Success was false. No supported adapters.\n"); });
      await assert.rejects(evaluate(MODEL, { provider, data: DATA }, missing), {
        code: "PROVIDER_MISSING",
        message: `The provider "${provider}" is not available here: No supported adapters. It needs ${PROVIDER_NEEDS[provider]}. Leave out --provider to run on the CPU.`,
      });
    });
  }

  it("is handed on to the runtime", async () => {
    const { metrics } = await evaluate(MODEL, { provider: "cuda", data: DATA }, withProvider("cuda", () => undefined));
    assert.ok(Number.isFinite(metrics["eval_loss"]));
  });

  it("that works is not blamed for a model that the runtime refuses", async () => {
    const refusing = withProvider("cuda", (bytes) => { if (bytes.length > 10_000) throw new Error("This is an invalid model. Provider and backend are fine."); });
    await assert.rejects(evaluate(MODEL, { provider: "cuda", data: DATA }, refusing), { code: "SESSION_FAILED", message: /This is an invalid model/ });
  });

  it("and the README says what each needs", () => {
    const readme = readFileSync("README.md", "utf8").replaceAll("`", "");
    for (const [provider, needs] of Object.entries(PROVIDER_NEEDS)) assert.ok(readme.includes(`| ${provider} | ${needs} |`), provider);
  });
});
