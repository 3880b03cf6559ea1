/** The gradient of the mean loss of one batch by everything that is trained, under PEFT's names. */
import assert from "node:assert/strict";
import { DataType } from "../../src/ir/data-type.ts";
import { toAdapterFolder } from "../../src/runtime/adapter/to-folder.ts";
import { collate, type Feed } from "../../src/runtime/data/collate.ts";
import { defaultRuntime } from "../../src/runtime/node/default-runtime.ts";
import { loadExamples } from "../../src/runtime/node/load-examples.ts";
import { openModel } from "../../src/runtime/node/open-model.ts";
import { openAdapter } from "../../src/runtime/node/verbs/adapt.ts";
import { initialTheta, prepare, type Prepared, type PrepareOptions } from "../../src/runtime/prepare.ts";
import { GraphSession } from "../../src/runtime/session.ts";
import { taskNamed } from "../../src/runtime/tasks/registry.ts";
import { trainingGraph } from "../../src/runtime/training-graphs.ts";
import type { TaskName } from "../../src/index.ts";
import { flattened } from "./adapter-numbers.ts";

/** Of a batch of four; `adapter` is the folder to start from. */
export async function gradientOf(model: string, file: string, name: TaskName, { adapter, ...options }: Omit<Partial<PrepareOptions>, "adapter"> & { readonly adapter?: string }): Promise<Map<string, Float32Array>> {
  using opened = openModel(model);
  const task = taskNamed({ task: name });
  const fresh = (): Prepared => prepare(opened.load(), { ...options, adapter: openAdapter(adapter), saveHead: task.savesHead });
  const prepared = fresh();
  const theta = initialTheta(prepared.trainables);
  await using session = await GraphSession.create(await defaultRuntime(), trainingGraph("grad", task, fresh), { name: "grad", folder: opened.folder, save: { reference: (r) => opened.locate(r) } });
  const { examples, inputs, padding } = loadExamples({ task, file, modelPath: model, graph: opened.load().graph, labels: "required", numLabels: undefined });
  const batch = collate(examples, [0, 1, 2, 3], inputs, padding);
  const floats = (dims: number[], data: Float32Array): Feed => ({ dataType: DataType.FLOAT, dims, data });
  const out = await session.run(new Map([...batch.feeds, ["labels", batch.labels],
    ["theta", floats([theta.length], theta)], ["grad_sum", floats([theta.length], new Float32Array(theta.length))],
    ["loss_sum", floats([], new Float32Array(1))], ["count", floats([], new Float32Array(1))]]));
  const count = Number(out.get("count_next")?.data[0]);
  assert.ok(count >= 4);
  const gradient = (out.get("grad_sum_next")?.data as Float32Array).map((v) => v / count);
  return flattened(toAdapterFolder({ ...prepared, statistics: [] }, gradient, { name: null, taskType: null }));
}
