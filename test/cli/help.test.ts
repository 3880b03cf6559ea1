import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { COMMANDS } from "../../src/cli/commands.ts";
import { flagName } from "../../src/cli/flag.ts";
import { run } from "./run.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const node = (...words: string[]): ReturnType<typeof spawnSync> => spawnSync(process.execPath, ["--import", "tsx", ...words], { cwd: root, encoding: "utf8" });

describe("help", () => {
  it("lists every verb with one line each, and takes no library to do so", async () => {
    for (const words of [["--help"], ["-h"], ["help"], ["--json", "--help"]]) {
      const { code, out, err } = await run(words);
      assert.equal(code, 0);
      assert.equal(err, "");
      for (const { name, summary } of COMMANDS) assert.ok(out.includes(`\n  ${name.padEnd(13)}  ${summary}`), name);
      assert.match(out, /Exit codes: 0 done, 1 failed, 2 .*, 130 after Ctrl-C\./);
    }
  });

  for (const command of COMMANDS) {
    it(`of ${command.name}: an example that the command line itself takes, every flag, the keys of --json`, async () => {
      const { code, out, calls } = await run([command.name, "--help"]);
      assert.equal(code, 0);
      assert.deepEqual(calls, []);
      assert.ok(out.startsWith(`Usage: onnx-hut ${command.name} `));
      assert.ok(out.includes(`\nExample:\n  $ ${command.example}\n`));
      assert.ok(out.replace(/\s+/g, " ").includes(`With --json: ${command.gives.join(", ")}`));
      for (const flag of Object.values(command.flags)) assert.ok(out.includes(`\n  ${flag.flags} `), flagName(flag.flags));
      for (const flag of ["--json", "--quiet", "--verbose", "-h, --help"]) assert.ok(out.includes(`\n  ${flag} `), flag);
      assert.ok(!/Options:|Commands:/.test(out));
      assert.equal((await run(["help", command.name])).out, out);

      const example = await run(command.example.split(" ").slice(1));
      assert.equal(example.code, 0, example.err);
      assert.equal(example.calls[0]?.verb, command.name);
    });
  }

  it("names every key of a result", async () => {
    for (const command of COMMANDS) {
      const { out } = await run([...command.example.split(" ").slice(1), "--json"]);
      assert.deepEqual(Object.keys(JSON.parse(out) as object).sort(), [...command.gives].sort(), command.name);
    }
  });

  it("of fold finds the words merge and fuse", async () => {
    const { out } = await run(["fold", "--help"]);
    assert.match(out, /merge/);
    assert.match(out, /fuse/);
    assert.match((await run(["--help"])).out, /fold +merge \(fuse\)/);
  });

  it("tells the version", async () => {
    assert.deepEqual(await run(["--version"]), { code: 0, out: "1.2.3\n", err: "", calls: [] });
    assert.equal((await run(["-V"])).out, "1.2.3\n");
  });

  it("docs/cli.md is what the commands say", () => {
    const { status, stderr } = node("scripts/generate-cli-docs.ts", "--check");
    assert.equal(status, 0, String(stderr));
  });

  it("comes from the real program, which loads no library for it", () => {
    const { status, stdout } = node("src/cli/main.ts", "--version");
    assert.equal(status, 0);
    assert.match(String(stdout), /^\d+\.\d+\.\d+\n$/);
    const wrong = node("src/cli/main.ts", "fold", "m", "--json");
    assert.equal(wrong.status, 2);
    assert.equal((JSON.parse(String(wrong.stdout)) as { error: { code: string } }).error.code, "FLAG_NOT_GIVEN");
  });
});
