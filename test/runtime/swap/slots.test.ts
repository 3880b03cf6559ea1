import { describe, it } from "mocha";
import assert from "node:assert/strict";
import { tensorProto, valueInfoProto, modelProto, graphProto, operatorSetIdProto } from "../../../src/ir/proto/generated/schema.ts";
import { modelFromProto } from "../../../src/ir/load.ts";
import { takeSlots } from "../../../src/runtime/swap/slots.ts";
import { floatType } from "../../ir/everything.ts";
import { failure } from "../../passes/workbench.ts";

describe("takeSlots", () => {
  it("refuses a default of another type than its input: texts under a float input are no numbers", () => {
    const graph = graphProto({
      input: [valueInfoProto({ name: "w.lora_A.weight", type: floatType(1) })],
      initializer: [tensorProto({ name: "w.lora_A.weight", dims: [1], dataType: 8, stringData: [new TextEncoder().encode("one")] })],
    });
    const model = modelFromProto(modelProto({ irVersion: 8, opsetImport: [operatorSetIdProto({ version: 17 })], graph }), { file: "m.onnx", openExternal: undefined });
    assert.throws(() => takeSlots(model, "m.onnx"), failure("SWAPPABLE_BROKEN", /its input "w\.lora_A\.weight" and the default have different types/));
  });
});
