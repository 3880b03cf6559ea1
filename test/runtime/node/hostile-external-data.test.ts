/** External data that a stranger's model names: each way out of its folder, each kind of link and file, each wrong number, wherever a tensor may stand. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HutError } from "../../../src/errors/hut-error.ts";
import { encodeModel } from "../../../src/ir/proto/encode.ts";
import { attributeProto, functionProto, graphProto, modelProto, nodeProto, operatorSetIdProto, sparseTensorProto, stringStringEntryProto, tensorProto,
  type GraphProto, type ModelProto, type NodeProto, type TensorProto } from "../../../src/ir/proto/generated/schema.ts";
import { readBytes } from "../../../src/ir/source.ts";
import { adapt } from "../../../src/runtime/node/verbs/adapt.ts";
import { inspect } from "../../../src/runtime/node/verbs/inspect.ts";
import { info } from "../../ir/everything.ts";

type Entries = Readonly<Record<string, string>> | readonly (readonly [string, string])[];

const isList = (entries: Entries): entries is readonly (readonly [string, string])[] => Array.isArray(entries);
const external = (entries: Entries, more: Partial<TensorProto> = {}): TensorProto => tensorProto({ name: "w", dims: [2], dataType: 1, dataLocation: 1, ...more,
  externalData: (isList(entries) ? entries : Object.entries(entries)).map(([key, value]) => stringStringEntryProto({ key, value })) });
const describeError = (error: unknown): string => (error instanceof Error ? error.stack ?? error.message : "nothing");
const constant = (t: TensorProto): NodeProto => nodeProto({ opType: "Constant", output: ["k"], attribute: [attributeProto({ name: "value", type: 4, t })] });
const chain = { input: [info("x")], node: [nodeProto({ opType: "Neg", input: ["x"], output: ["y"] })], output: [info("y")] };
const modelOf = (graph: Partial<GraphProto>, more: Partial<ModelProto> = {}): ModelProto =>
  modelProto({ irVersion: 9, opsetImport: [operatorSetIdProto({ version: 17 }), operatorSetIdProto({ domain: "f", version: 1 })], graph: graphProto({ ...chain, ...graph }), ...more });
const holding = (inner: NodeProto): NodeProto => nodeProto({ opType: "If", input: ["x"], output: ["z"], attribute: [attributeProto({ name: "then_branch", type: 5, g: graphProto({ node: [inner], output: [info("k")] }) })] });

/** A model that holds the tensor, for each place where one may stand. */
const PLACES: Readonly<Record<string, (t: TensorProto) => ModelProto>> = {
  "an initializer": (t) => modelOf({ initializer: [t] }),
  "an attribute": (t) => modelOf({ node: [...chain.node, constant(t)] }),
  "a list of tensors": (t) => modelOf({ node: [...chain.node, nodeProto({ opType: "Odd", domain: "f", output: ["k"], attribute: [attributeProto({ name: "all", type: 9, tensors: [t] })] })] }),
  "a nested graph": (t) => modelOf({ node: [...chain.node, holding(constant(t))] }),
  "a nested graph's initializer": (t) => modelOf({ node: [...chain.node, nodeProto({ opType: "If", input: ["x"], output: ["z"], attribute: [attributeProto({ name: "else_branch", type: 5, g: graphProto({ initializer: [t], output: [info("w")] }) })] })] }),
  "a function": (t) => modelOf({}, { functions: [functionProto({ name: "F", domain: "f", output: ["k"], node: [constant(t)] })] }),
  "a nested graph of a function": (t) => modelOf({}, { functions: [functionProto({ name: "F", domain: "f", input: ["x"], output: ["z"], node: [holding(constant(t))] })] }),
  "a sparse tensor's values": (t) => modelOf({ sparseInitializer: [sparseTensorProto({ values: t, indices: tensorProto({ dims: [2], dataType: 7, rawData: new Uint8Array(16) }), dims: [9] })] }),
  "a sparse tensor's indices": (t) => modelOf({ sparseInitializer: [sparseTensorProto({ values: tensorProto({ name: "s", dims: [2], dataType: 1, rawData: new Uint8Array(8) }), indices: t, dims: [9] })] }),
  "a sparse attribute": (t) => modelOf({ node: [...chain.node, nodeProto({ opType: "Constant", output: ["k"], attribute: [attributeProto({ name: "sparse_value", type: 11, sparseTensor: sparseTensorProto({ values: t }) })] })] }),
};

describe("external data of a stranger's model", () => {
  let root = "";
  const at = (...names: string[]): string => join(root, ...names);
  before(function () {
    if (process.platform === "win32") this.skip();
    root = realpathSync(mkdtempSync(join(tmpdir(), "hut-hostile-")));
    for (const folder of ["model/sub", "elsewhere/deep"]) mkdirSync(at(folder), { recursive: true });
    for (const file of ["model/data", "model/sub/data", "elsewhere/secret", "elsewhere/deep/secret"]) writeFileSync(at(file), new Uint8Array(16));
  });
  after(() => { rmSync(root, { recursive: true, force: true }); });

  /** Writes the model and looks into it; then tries to adapt it, which has to end in the same way. */
  async function open(model: ModelProto): Promise<void> {
    writeFileSync(at("model/model.onnx"), Buffer.concat(encodeModel(model).chunks.map(readBytes)));
    const started = performance.now();
    const refused = await inspect(at("model/model.onnx"), {}).then(() => undefined, (error: unknown) => error);
    const again = await adapt(at("model/model.onnx"), { output: at("out.onnx"), targetModules: ["all-linear"], rank: 1 }).then(() => undefined, (error: unknown) => error);
    assert.ok(performance.now() - started < 10_000, "it takes long");
    if (refused === undefined) return;
    assert.ok(refused instanceof HutError && again instanceof HutError, `${describeError(refused)}, then ${describeError(again)}`);
    assert.equal(again.code, refused.code);
    throw refused;
  }
  const refuses = (t: TensorProto, code: string, message: RegExp, make = PLACES["an initializer"]): Promise<void> => {
    assert.ok(make !== undefined);
    return assert.rejects(open(make(t)), { code, message });
  };

  for (const [place, make] of Object.entries(PLACES)) {
    it(`is read from the model's folder, and refused out of it, in ${place}`, async () => {
      await open(make(external({ location: "data", offset: "4", length: "8" }, place.includes("indices") ? { dataType: 6 } : {})));
      await refuses(external({ location: "../elsewhere/secret" }), "UNSAFE_EXTERNAL_LOCATION", /leads out of the folder by "\.\."/, make);
      await refuses(external({ location: "data", offset: "12" }), "BAD_EXTERNAL_DATA", /ends at byte 20 of "data", which has 16/, make);
      await refuses(external([["location", "data"], ["location", "../elsewhere/secret"]]), "BAD_EXTERNAL_DATA", /has the key "location" twice/, make);
    });
  }

  const locations: [what: string, location: string, code: string, message: RegExp][] = [
    ["an absolute path", "/etc/hostname", "UNSAFE_EXTERNAL_LOCATION", /absolute/],
    ["two slashes at the start", "//host/share", "UNSAFE_EXTERNAL_LOCATION", /absolute/],
    ["the folder above", "../elsewhere/secret", "UNSAFE_EXTERNAL_LOCATION", /leads out/],
    ["a way down and up twice", "sub/../../elsewhere/secret", "UNSAFE_EXTERNAL_LOCATION", /leads out/],
    ["a way up that stays inside", "sub/../data", "UNSAFE_EXTERNAL_LOCATION", /leads out/],
    ["only ..", "..", "UNSAFE_EXTERNAL_LOCATION", /leads out/],
    ["backslashes", "..\\elsewhere\\secret", "UNSAFE_EXTERNAL_LOCATION", /backslash/],
    ["a drive letter", "C:/secret", "UNSAFE_EXTERNAL_LOCATION", /drive letter/],
    ["a Windows share", "\\\\host\\share\\secret", "UNSAFE_EXTERNAL_LOCATION", /backslash/],
    ["a NUL, behind which a name goes on", "data\0/../../elsewhere/secret", "UNSAFE_EXTERNAL_LOCATION", /NUL/],
    ["memory of the process", "*/_ORT_MEM_ADDR_/*", "UNSAFE_EXTERNAL_LOCATION", /memory/],
    ["a dot", ".", "UNSAFE_EXTERNAL_LOCATION", /names a folder/],
    ["a dot and a slash", "./", "UNSAFE_EXTERNAL_LOCATION", /names a folder/],
    ["a path that ends as a folder's", "data/", "UNSAFE_EXTERNAL_LOCATION", /names a folder/],
    ["nothing", "", "BAD_EXTERNAL_DATA", /names no file/],
    ["a folder", "sub", "NOT_A_REGULAR_FILE", /is a folder/],
    ["a file below a file", "data/data", "EXTERNAL_DATA_MISSING", /there is no file/],
    ["a name longer than the system takes", "n".repeat(4000), "EXTERNAL_DATA_MISSING", /there is no file/],
    ["a percent-encoded way out, which is a name like any other", "%2e%2e%2felsewhere%2fsecret", "EXTERNAL_DATA_MISSING", /there is no file/],
    ["a URL, which is one too", "file:///etc/hostname", "EXTERNAL_DATA_MISSING", /there is no file/],
    ["the home folder's sign, which is one too", "~/secret", "EXTERNAL_DATA_MISSING", /there is no file/],
    ["signs that look like dots and slashes", "․․／elsewhere∕secret", "EXTERNAL_DATA_MISSING", /there is no file/],
    ["control characters, which the message shows escaped", "\u001b[2J\u202edata", "EXTERNAL_DATA_MISSING", /^[^\u0000-\u001f\u202e]*\\u001b\[2J\\u202edata[^\u0000-\u001f\u202e]*$/],
  ];
  for (const [what, location, code, message] of locations) it(`at ${what}`, () => refuses(external({ location }), code, message));

  /** Makes something at model/thing, and takes it away. */
  const links: [what: string, make: () => void, code: string | undefined, message?: RegExp][] = [
    ["a link to a file beside it is followed", () => { symlinkSync("data", at("model/thing")); }, undefined],
    ["a chain of links that ends beside it is followed", () => { symlinkSync("data", at("model/sub/last")); symlinkSync("sub/last", at("model/thing")); unlinkSync(at("model/sub/last")); symlinkSync("../data", at("model/sub/last")); }, undefined],
    ["a link to a file outside", () => { symlinkSync("../elsewhere/secret", at("model/thing")); }, "EXTERNAL_DATA_LEAVES_FOLDER", /a link that leads out/],
    ["an absolute link to a file outside", () => { symlinkSync(at("elsewhere/secret"), at("model/thing")); }, "EXTERNAL_DATA_LEAVES_FOLDER", /a link that leads out/],
    ["a chain of links that ends outside", () => { symlinkSync(at("model/chain"), at("model/thing")); symlinkSync("../elsewhere/deep/secret", at("model/chain")); }, "EXTERNAL_DATA_LEAVES_FOLDER"],
    ["a dangling link", () => { symlinkSync("nowhere", at("model/thing")); }, "EXTERNAL_DATA_MISSING"],
    ["a link to itself", () => { symlinkSync("thing", at("model/thing")); }, "EXTERNAL_DATA_MISSING"],
    ["a link to an endless device", () => { symlinkSync("/dev/zero", at("model/thing")); }, "EXTERNAL_DATA_LEAVES_FOLDER"],
    ["a link to an open file of the process", () => { symlinkSync("/dev/fd/0", at("model/thing")); }, "EXTERNAL_DATA_LEAVES_FOLDER"],
    ["a link to the process's memory", () => { symlinkSync("/proc/self/mem", at("model/thing")); }, "EXTERNAL_DATA_LEAVES_FOLDER"],
    ["a pipe that nobody writes to", () => { execFileSync("mkfifo", [at("model/thing")]); }, "NOT_A_REGULAR_FILE", /is a pipe/],
    ["a hard link to a file outside", () => { linkSync(at("elsewhere/secret"), at("model/thing")); }, "EXTERNAL_DATA_HARD_LINKED", /a file with 2 names \(hard links\).*put a copy in its place/],
    ["a link to a hard link", () => { linkSync(at("elsewhere/secret"), at("model/twin")); symlinkSync("twin", at("model/thing")); }, "EXTERNAL_DATA_HARD_LINKED"],
  ];
  for (const [what, make, code, message] of links) {
    it(`at ${what}`, async function () {
      if (/process|device/.test(what) && process.platform !== "linux") this.skip();
      make();
      try {
        if (code === undefined) await open(modelOf({ initializer: [external({ location: "thing" })] }));
        else await refuses(external({ location: "thing" }), code, message ?? /./);
      } finally {
        for (const name of ["thing", "chain", "twin", "sub/last"]) rmSync(at("model", name), { force: true });
      }
    });
  }

  it("in a folder that is a link to one outside", async () => {
    symlinkSync("../elsewhere", at("model/folder"));
    try {
      await refuses(external({ location: "folder/secret" }), "EXTERNAL_DATA_LEAVES_FOLDER", /a link that leads out/);
    } finally {
      unlinkSync(at("model/folder"));
    }
  });

  it("at a socket", async () => {
    const server = createServer().listen(at("model/thing"));
    try {
      await new Promise((resolve) => { server.once("listening", resolve); });
      await refuses(external({ location: "thing" }), "NOT_A_REGULAR_FILE", /is a socket/);
    } finally {
      await new Promise((resolve) => { server.close(resolve); });
    }
  });

  it("at the model itself, which may have other names", async () => {
    linkSync(at("elsewhere/secret"), at("model/other"));
    const model = modelOf({ initializer: [external({ location: "model.onnx", length: "8" })] });
    await open(model);
    linkSync(at("model/model.onnx"), at("elsewhere/second"));
    try {
      await open(model);
    } finally {
      for (const name of ["model/other", "elsewhere/second"]) unlinkSync(at(name));
    }
  });

  const numbers: [what: string, entries: Entries, code?: string][] = [
    ...["-4", "-0", "1e3", " 1", "1 ", "+1", "0x10", "1_0", "1.0", "NaN", "Infinity", "", "９", "٣", "9007199254740993", "18446744073709551616", "1".repeat(1000)]
      .flatMap((text): [string, Entries][] => [[`the offset ${JSON.stringify(text.slice(0, 24))}`, { location: "data", offset: text }], [`the length ${JSON.stringify(text.slice(0, 24))}`, { location: "data", length: text }]]),
    ["an offset past the end", { location: "data", offset: "17", length: "8" }],
    ["an offset and a length that together pass the end", { location: "data", offset: "9", length: "8" }],
    ["an offset far past the end", { location: "data", offset: "999999999999999" }],
    ["a length that isn't the shape's", { location: "data", length: "4" }, "TENSOR_MISMATCH"],
    ["a length of nothing", { location: "data", length: "0" }, "TENSOR_MISMATCH"],
    ["an unknown key", { location: "data", basepath: "/" }], ["a key in another case", { Location: "data" }], ["the key __proto__", [["location", "data"], ["__proto__", "1"]]],
    ["the offset twice", [["location", "data"], ["offset", "0"], ["offset", "8"]]], ["no location", { offset: "0" }],
  ];
  for (const [what, entries, code = "BAD_EXTERNAL_DATA"] of numbers) it(`with ${what}`, () => refuses(external(entries), code, /tensor "w"/));

  it("that is said to be longer than memory is refused before anything is read", async () => {
    await refuses(external({ location: "data" }, { dims: [2 ** 40] }), "BAD_EXTERNAL_DATA", /ends at byte 4398046511104 of "data", which has 16/);
    await refuses(external({ location: "data", length: "4398046511104" }, { dims: [2 ** 40] }), "BAD_EXTERNAL_DATA", /which has 16/);
  });
});
