import assert from "node:assert/strict";
import { run } from "./run.ts";

const trainFiles = ["--train", "t.tsv", "-o", "run"];

describe("a wrong command line", () => {
  const wrong: [what: string, words: string[], code: string, message: RegExp][] = [
    ["no verb", [], "VERB_NOT_GIVEN", /^Say what to do: demo, inspect, .* and artifacts\. `onnx-hut --help` explains them\.$/],
    ["only a common flag", ["--quiet"], "VERB_NOT_GIVEN", /^Say what to do/],
    ["a mistyped verb", ["inspct", "m"], "VERB_UNKNOWN", /There is no verb "inspct".* Did you mean inspect\?/],
    ["a mistyped verb that asks for help", ["tarin", "--help"], "VERB_UNKNOWN", /Did you mean train\?/],
    ["another tool's verb", ["merge", "m"], "VERB_UNKNOWN", /Did you mean fold\?/],
    ["a file for a verb", ["model.onnx"], "VERB_UNKNOWN", /^There is no verb "model.onnx"; there are demo, (?!.*Did you mean)/],
    ["help on an unknown verb", ["help", "fuse"], "VERB_UNKNOWN", /Did you mean fold\?/],
    ["a mistyped flag", ["train", "m", "--lerning-rate", "1"], "FLAG_UNKNOWN",
      /^`onnx-hut train` has no flag "--lerning-rate"\. Did you mean --learning-rate\?/],
    ["a mistyped flag with =", ["train", "m", "--epoch=1"], "FLAG_UNKNOWN", /Did you mean --epochs\?/],
    ["a short alias mistyped", ["train", "m", "--lrr", "1"], "FLAG_UNKNOWN", /Did you mean --lr\?/],
    ["a flag like no other", ["train", "m", "--zzz"], "FLAG_UNKNOWN", /has no flag "--zzz"\. `onnx-hut train --help`/],
    ["another verb's flag", ["evaluate", "m", "--data", "d", "--rank", "8"], "FLAG_UNKNOWN", /`onnx-hut evaluate` has no flag "--rank"/],
    ["a flag before the verb", ["--lr", "3", "train"], "FLAG_UNKNOWN", /^There is no flag "--lr"/],
    ["--dry-run where nothing is written", ["inspect", "m", "--dry-run"], "FLAG_UNKNOWN", /--dry-run/],
    ["no model", ["inspect"], "MODEL_NOT_GIVEN", /^`onnx-hut inspect` needs MODEL/],
    ["an empty model", ["inspect", ""], "MODEL_NOT_GIVEN", /needs MODEL/],
    ["a model that --resume took", ["train", "--resume", "m", ...trainFiles], "MODEL_NOT_GIVEN", /--resume took the word after it; put MODEL first\./],
    ["no files", ["verify", "m"], "FLAG_NOT_GIVEN", /^`onnx-hut verify` needs --merged <file>/],
    ["--output for -o", ["adapt", "m", "--output", "a.onnx"], "FLAG_NOT_GIVEN", /needs -o <file>\. --output names an output of the graph/],
    ["a list with spaces", ["train", "m", ...trainFiles, "--target-modules", "q", "v"], "WORDS_LEFT_OVER", /takes one MODEL; left over: "v"\..*commas/],
    ["a model for demo", ["demo", "m"], "WORDS_LEFT_OVER", /takes no MODEL; left over: "m"/],
    ["a flag without its value", ["train", "m", "--lr"], "VALUE_NOT_GIVEN", /^--lr needs a value\./],
    ["-o without its value", ["adapt", "m", "-o"], "VALUE_NOT_GIVEN", /^-o needs a value\./],
    ["a flag for a file", ["adapt", "m", "-o", "--rank", "8"], "VALUE_IS_FLAG", /^-o needs a value before "--rank"/],
    ["an empty file name", ["adapt", "m", "-o", ""], "VALUE_EMPTY", /^-o "" holds an empty name/],
    ["an empty entry", ["adapt", "m", "-o", "a", "--target-modules", "q,,v"], "VALUE_EMPTY", /--target-modules "q,,v"/],
    ["a comma at the end", ["adapt", "m", "-o", "a", "--target-modules", "q,"], "VALUE_EMPTY", /"q,"/],
    ["an open pattern", ["adapt", "m", "-o", "a", "--target-modules", "q,/a{1,2}"], "PATTERN_OPEN", /doesn't end it/],
    ["a mistyped choice", ["adapt", "m", "-o", "a", "--head", "maen"], "CHOICE_WRONG",
      /^--head must be one of mean, cls, last and token, and is "maen"\. Did you mean mean\?$/],
    ["an unknown choice", ["train", "m", "--provider", "gpu"], "CHOICE_WRONG", /^--provider must be one of cpu, cuda, webgpu, dml and coreml, and is "gpu"/],
    ["a method that isn't there", ["train", "m", "--method", "lorra"], "CHOICE_WRONG", /^--method must be one of hut, lora.*, and is "lorra"\. Did you mean lora\?$/],
    ["an unknown task", ["train", "m", "--task", "translation"], "CHOICE_WRONG", /^--task must be one of text-classification, /],
    ["two that contradict", ["train", "m", ...trainFiles, "--resume", "--overwrite"], "FLAGS_CONTRADICT", /^--resume and --overwrite contradict/],
    ["a mistyped format", ["artifacts", "m", "-o", "a", "--format", "step,ort"], "CHOICE_WRONG", /^--format must be one of step and ort-training, and is "ort"/],
    ["an unknown optimizer", ["artifacts", "m", "-o", "a", "--optimizer", "lion"], "CHOICE_WRONG", /^--optimizer must be one of adamw and sgd, and is "lion"/],
  ];
  for (const [what, words, code, message] of wrong) {
    it(`${what}: exit code 2, one sentence on stderr, one object with --json`, async () => {
      const plain = await run(words);
      assert.equal(plain.code, 2);
      assert.equal(plain.out, "");
      assert.match(plain.err, /^error: .*\n$/);
      assert.match(plain.err.slice("error: ".length, -1), message);
      assert.deepEqual(plain.calls, []);

      const json = await run([...words.slice(0, 1), "--json", ...words.slice(1)]);
      assert.equal(json.code, 2);
      assert.equal(json.err, "");
      const { error } = JSON.parse(json.out) as { error: { code: string; message: string } };
      assert.equal(error.code, code);
      assert.match(error.message, message);
    });
  }

  const numbers: [flag: string, values: string[], range: string][] = [
    ["--rank", ["0", "-1", "1.5", "eight", "", "0x8", " 8", "8 ", "1e999", "NaN", "9007199254740993"], "a whole number of at least 1"],
    ["--alpha", ["0", "-2", "Infinity"], "a number greater than 0"],
    ["--num-labels", ["0", "2.5"], "a whole number of at least 1"],
    ["--lr", ["abc", "-0.1", "NaN", "Infinity", "1e400", "5e", "1,5"], "a number of at least 0"],
    ["--epochs", ["-1", "0", "2.5"], "a whole number of at least 1"],
    ["--max-steps", ["0"], "a whole number of at least 1"],
    ["--batch-size", ["1.5", "0"], "a whole number of at least 1"],
    ["--max-seq-length", ["0"], "a whole number of at least 1"],
    ["--weight-decay", ["-1"], "a number of at least 0"],
    ["--max-grad-norm", ["-1"], "a number of at least 0"],
    ["--warmup-ratio", ["1.01", "-0.1"], "a number from 0 to 1"],
    ["--seed", ["-1", "0.5"], "a whole number of at least 0"],
    ["--threads", ["0", "1025"], "a whole number from 1 to 1024"],
  ];
  for (const [flag, values, range] of numbers) {
    it(`${flag} is ${range}`, async () => {
      for (const value of values) {
        const { code, out } = await run(["train", "m", ...trainFiles, "--json", flag, value]);
        const { error } = JSON.parse(out) as { error: Record<string, unknown> };
        assert.equal(code, 2, value);
        assert.deepEqual(error, { code: "NUMBER_WRONG", message: `${flag} must be ${range}, and is ${JSON.stringify(value)}.`, flag, value, range });
      }
    });
  }

  it("names a flag by its short alias, however it was written", async () => {
    assert.match((await run(["train", "m", "--learning-rate", "x"])).err, /--lr must be a number/);
  });
});
