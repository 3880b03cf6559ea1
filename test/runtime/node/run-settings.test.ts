/** A run.json's settings become options of `train`: what the command line would refuse is refused there too. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunFolder } from "../../../src/runtime/node/run-folder.ts";
import { checkedSettings } from "../../../src/runtime/node/run-settings.ts";
import { failure } from "../../passes/workbench.ts";

const SOUND = { task: "text-classification", train: "train.tsv", batchSize: 2, epochs: 3, lr: 1e-3, warmupRatio: 0.06, shuffle: true, seed: 0, rank: 8, alpha: 0.5, targetModules: ["q", "v"], lrScheduler: "linear" };

describe("settings of a run", () => {
  it("are taken as train writes them", () => { checkedSettings(SOUND, "run.json"); });

  const wrong: readonly [name: string, value: unknown, words: RegExp][] = [
    ["task", ["text-classification"], /its setting task is .* and should be one of text-classification, /], ["problem", "none", /problem is .* one of/], ["method", { a: [] }, /method is .* a text/],
    ["rank", 0, /rank is "0", and should be a whole number of at least 1/], ["batchSize", 1e300, /batchSize/], ["epochs", "3", /epochs/], ["lr", null, /lr is .* a number of at least 0/], ["alpha", -1, /alpha/],
    ["targetModules", "q", /a list of texts/], ["modulesToSave", [1], /a list of texts/], ["shuffle", 1, /true or false/], ["seed", 0.5, /seed/], ["train", {}, /train is .* a text/], ["lrScheduler", "__proto__", /lrScheduler/],
  ];
  for (const [name, value, words] of wrong) {
    it(`are refused with ${name} ${JSON.stringify(value)}, which reached train as it was`, () => {
      assert.throws(() => { checkedSettings({ ...SOUND, [name]: value }, "run.json"); }, failure("RUN_FILE_BROKEN", words));
    });
  }

  it("are checked when a run.json is read, null too", () => {
    const folder = mkdtempSync(join(tmpdir(), "hut-run-"));
    try {
      for (const [settings, words] of [[{ ...SOUND, rank: "8" }, /rank/], [null, /it has no settings/]] as const) {
        writeFileSync(join(folder, "run.json"), JSON.stringify({ settings }));
        assert.throws(() => new RunFolder(folder).readRun(), failure("RUN_FILE_BROKEN", words));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
