import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { eventFiles, EventsLog } from "../../../src/runtime/node/tensorboard.ts";

/** A clock that stands at a time of the fixture. */
const T = 1_790_000_000_250;

describe("event files for TensorBoard", () => {
  let folder = "";
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-events-")); });
  afterEach(() => { rmSync(folder, { recursive: true }); });

  it("are to the byte what Python's tensorboard writes, also where a run goes on after a step", async () => {
    const runs = join(folder, "runs");
    let seconds = 0;
    const now = (): number => T + 1000 * seconds;
    const first = await EventsLog.begin(runs, { now });
    seconds = 1;
    first.append({ step: 1, epoch: 0.5, loss: 0.6931471805599453, grad_norm: 1.25, learning_rate: 0.005 });
    seconds = 2;
    first.append({ step: 2, epoch: 1, loss: 0.5, grad_norm: 0.75, learning_rate: 0.0025 });
    seconds = 3;
    first.append({ step: 2, epoch: 1, eval_loss: 0.625, eval_accuracy: 0.8096330275229358 });
    seconds = 4;
    first.append({ step: 3, epoch: 1.5, loss: 0, grad_norm: 1e-30, learning_rate: 0 });
    first[Symbol.dispose]();
    seconds = 10;
    const second = await EventsLog.begin(runs, { now, resumedAt: 2 });
    second.append({ step: 2, epoch: 1, loss: 0.5, grad_norm: 0.75, learning_rate: 0.0025 });
    second.append({ step: 2, epoch: 1, eval_loss: 0.625, eval_accuracy: 0.8096330275229358 });
    seconds = 11;
    second.append({ step: 3, epoch: 1.5, loss: 0.25, grad_norm: 0.5, learning_rate: 0.001 });
    seconds = 12;
    second.append({ step: 300, epoch: 150, loss: Infinity, grad_norm: -0.5, learning_rate: 0 });
    second[Symbol.dispose]();
    assert.deepEqual(eventFiles(runs).map((file) => basename(file)), ["events.out.tfevents.1790000000.onnx-hut", "events.out.tfevents.1790000010.onnx-hut"]);
    for (const file of eventFiles(runs)) assert.deepEqual(readFileSync(file), readFileSync(join("fixtures/tensorboard", basename(file))), file);
  });

  it("follow each other by name, whatever the clock says, and none is written over", async () => {
    const at = async (now: number): Promise<string> => {
      using log = await EventsLog.begin(folder, { now: () => now, resumedAt: 0 });
      return basename(log.file);
    };
    assert.equal(await at(T), "events.out.tfevents.1790000000.onnx-hut");
    assert.equal(await at(T + 100), "events.out.tfevents.1790000001.onnx-hut");
    assert.equal(await at(T - 1e9), "events.out.tfevents.1790000002.onnx-hut");
    // Another program's are no files of ours.
    writeFileSync(join(folder, "events.out.tfevents.1999999999.host.12.0"), "");
    assert.equal(await at(T), "events.out.tfevents.1790000003.onnx-hut");
    assert.equal(eventFiles(folder).length, 4);
    assert.deepEqual(eventFiles(join(folder, "none")), []);
  });

  it("say so where they can't be written", async () => {
    writeFileSync(join(folder, "runs"), "");
    await assert.rejects(EventsLog.begin(join(folder, "runs")), { code: "FOLDER_UNMAKABLE" });
  });
});
