import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledProgram } from "../../cli/bundled.ts";
import { killRuns } from "./kill-runs.ts";
import { makeScenarios } from "./kill-scenarios.ts";

/** One of each verb; `npm run test:kill` has them all, and hundreds of kills. */
const CHOSEN = ["adapt elsewhere, over older files", "fold of external data to a folder, over an older one", "artifacts, over older ones", "train --overwrite over an older run"];

describe("a killed command", function () {
  this.timeout(300_000);
  let folder = "";
  let built: ReturnType<typeof bundledProgram>;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "hut-kill-"));
    built = bundledProgram();
  });
  after(() => {
    built.remove();
    rmSync(folder, { recursive: true });
  });

  it("leaves each output old or new, and the next run tidies up and ends as if nothing had been", async () => {
    const out = join(folder, "out");
    const scenarios = (await makeScenarios({ inputs: join(folder, "inputs"), out }, false)).filter(({ name }) => CHOSEN.includes(name));
    assert.equal(scenarios.length, CHOSEN.length);
    const killed = await killRuns(scenarios, { program: [built.program], out, kills: 12, seed: 1 });
    assert.deepEqual(killed.flatMap(({ scenario, phase, problems }) => problems.map((problem) => `${scenario}, killed ${phase}: ${problem}`)), []);
    assert.ok(new Set(killed.map(({ phase }) => phase)).size >= 2, "at more than one kind of moment");
  });
});
