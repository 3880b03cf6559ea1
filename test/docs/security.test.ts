/** SECURITY.md names the code that checks and the test that shows it: these must be there. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";

describe("the table of SECURITY.md", () => {
  const rows = readFileSync("SECURITY.md", "utf8").split("\n").filter((line) => line.startsWith("| ")).slice(2).map((line) => line.split("|").slice(1, -1));
  const named = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? "");

  it("names files of src and tests that are there, in every row", () => {
    assert.ok(rows.length > 15);
    for (const [threat = "", , where, shown] of rows) {
      if (where?.trim() !== "everywhere") assert.ok(named(where).length > 0, threat);
      assert.ok(named(shown).length > 0, threat);
      for (const path of named(where)) assert.ok(existsSync(`src/${path}`), `src/${path}`);
      for (const path of named(shown)) assert.ok(path.endsWith(".test.ts") && existsSync(`test/${path}`), `test/${path}`);
    }
  });
});
