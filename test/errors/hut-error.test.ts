import assert from "node:assert/strict";
import { HutError, quote } from "../../src/errors/hut-error.ts";

describe("HutError", () => {
  it("lets no control character into its message: JSON.parse repeats the text it stumbled over", () => {
    const words = new HutError("JSON_BROKEN", {}, "Unexpected token '\u001b', ...\"a\":\u001b[2J\r\n\u009b2J\u202egnp\u2028\"... is not valid JSON").message;
    assert.equal(words, "Unexpected token '\\u001b', ...\"a\":\\u001b[2J\\u000d\\n\\u009b2J\\u202egnp\\u2028\"... is not valid JSON");
  });

  it("leaves what was quoted as it is", () => {
    const quoted = quote("a\u001b\u009b\"b\"\nc");
    assert.equal(quoted, "\"a\\u001b\\u009b\\\"b\\\"\\nc\"");
    assert.equal(new HutError("X", {}, `${quoted} is wrong`).message, `${quoted} is wrong`);
  });
});
