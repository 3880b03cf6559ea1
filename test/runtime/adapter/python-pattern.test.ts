import assert from "node:assert/strict";
import { PythonPattern } from "../../../src/runtime/adapter/python-pattern.ts";

const path = "model.decoder.layers.10.self_attn.q_proj";

describe("PythonPattern", () => {
  // Patterns whose meaning Python and JavaScript share, so that RegExp is the oracle.
  const shared = [
    ".*q_proj", ".*(q|v)_proj", "q_proj",
    ".*decoder.*(self_attn|enc_attn).*(q|v)_proj$", "model\\.decoder\\.layers\\.\\d+\\..*", "^model.*", ".*layers\\.[0-9]\\..*",
    ".*layers\\.(?:[0-9]|1[0-9])\\..*proj",
    "^(?!.*decoder).*proj", "^(?=.*decoder).*proj", ".*\\bself_attn\\b.*", "[^.]+(\\.[^.]+)*", "[^.]+(\\.[^.]+){5}",
    "[^.]+(\\.[^.]+){2,4}", ".{40}", ".{39,}", "(?:.*)+", "(a|ab)(c|bcd)*", "", "model.decoder.layers.10.self_attn.q_proj|x", "[\\w.]*",
    ".*\\Bq_proj", "x*?.*", "(|m).*", "[a-z_.\\d]+", "[a-]*", ".*[.][qv]_proj",
  ];
  for (const source of shared) {
    it(`matches as JavaScript's twin: ${JSON.stringify(source)}`, () => {
      for (const text of [path, "q_proj", "decoder.q_proj", "abcbcd", "ab", ""]) {
        assert.equal(new PythonPattern(source).fullmatch(text), new RegExp(`^(?:${source})$`).test(text), text);
      }
    });
  }

  it("reads Python's own syntax", () => {
    assert.ok(new PythonPattern("\\Amodel.*(?P<which>q|v)_proj\\Z").fullmatch(path));
    assert.ok(new PythonPattern("[]a]+").fullmatch("]a]"));
    assert.ok(new PythonPattern("a{,2}").fullmatch("aa"));
    assert.ok(new PythonPattern("a{x}").fullmatch("a{x}"));
    assert.ok(new PythonPattern("é\\w").fullmatch("éß"));
  });

  it("names what it doesn't read", () => {
    for (const source of ["(", ")", "a)", "[a", "*a", "a**", "a++", "a{2,1}", "\\1", "\\e", "(?<=a)b", "(?i)a", "(?P=x)", "\\", "[b-a]"]) {
      assert.throws(() => new PythonPattern(source), { code: "PATTERN_UNUSABLE" }, source);
    }
    assert.throws(() => new PythonPattern("(".repeat(100)), { message: /nest deeper/ });
  });

  it("answers patterns that hang a backtracking matcher", () => {
    const text = `${"a".repeat(200)}!`;
    const started = performance.now();
    for (const source of ["(a+)+", "(a|a)*", "(a|aa)+b", "(.*a){30}b", ".*.*.*.*.*.*.*.*b", "((a*)*)*b", "(a?){1000000000}b"]) {
      assert.equal(new PythonPattern(source).fullmatch(text), false, source);
    }
    const nested = `${"(".repeat(40)}a${"{1,99})".repeat(40)}b`;
    assert.throws(() => new PythonPattern(nested).fullmatch(text), { code: "PATTERN_UNUSABLE", message: /too many steps/ });
    assert.ok(performance.now() - started < 20_000);
  });
});
