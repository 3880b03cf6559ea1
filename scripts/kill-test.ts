/**
 * Kills adapt, train, fold and artifacts at random moments, as often as asked for, and looks at what is left and at what the next run makes of it.
 *
 *     npm run test:kill -- [--kills 240] [--seed 1] [--verb train] [--json bench/results/kill-test.json]
 *
 * Runs what `npm run build` built. Exits with 1 where a file was torn, outputs of one command were old and new at once, or the next run didn't end with the bytes
 * of an undisturbed one.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { inProcess, makeScenarios, type Scenario } from "../test/runtime/node/kill-scenarios.ts";
import { killRuns, PHASES, type Killed } from "../test/runtime/node/kill-runs.ts";

const { values } = parseArgs({ options: { kills: { type: "string", default: "240" }, seed: { type: "string", default: "1" }, verb: { type: "string" }, json: { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "hut-kill-"));
try {
  const [inputs, out] = [join(folder, "inputs"), join(folder, "out")];
  const scenarios = (await makeScenarios({ inputs, out }, true)).filter(({ verb }) => values.verb === undefined || verb === values.verb);
  await requireVerified(scenarios, out);
  const killed = await killRuns(scenarios, { program: ["dist/cli/main.js"], out, kills: Number(values.kills), seed: Number(values.seed), onKill: tell });
  const failures = killed.filter(({ problems }) => problems.length > 0);
  const verbs = [...new Set(scenarios.map(({ verb }) => verb))];
  const counts = Object.fromEntries(verbs.map((verb) => [verb, Object.fromEntries(PHASES.map((phase) => [phase, killed.filter((k) => k.verb === verb && k.phase === phase).length]))]));
  console.table(counts);
  console.log(`${String(killed.length)} kills, ${String(failures.length)} with something wrong`);
  const results = { date: new Date().toISOString(), machine: { cpu: cpus()[0]?.model, cores: cpus().length }, node: process.versions.node, seed: Number(values.seed),
    kills: killed.length, scenarios: scenarios.map(({ name }) => name), counts, failures };
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function tell({ scenario, phase, problems }: Killed, number: number): void {
  if (problems.length > 0) console.log(`${String(number)}. ${scenario}, killed ${phase}:\n   ${problems.join("\n   ")}`);
  else if (number % 20 === 0) console.log(`${String(number)} kills`);
}

/** What folds write verifies, the older and the newer: whatever has the bytes of one of them after a kill does too. */
async function requireVerified(all: readonly Scenario[], out: string): Promise<void> {
  for (const { name, verb, older, words } of all) {
    for (const given of verb === "fold" ? [older, words] : []) {
      if (given === undefined) continue;
      rmSync(out, { recursive: true, force: true });
      mkdirSync(out);
      const target = given.at(-1) ?? "";
      for (const step of [given, ["verify", given[1] ?? "", "--adapter", given[3] ?? "", "--merged", target]]) {
        const { code, err } = await inProcess(step);
        if (code !== 0) throw new Error(`${name}: ${err}`);
      }
    }
  }
}
