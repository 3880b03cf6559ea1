import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { withDataFolder as withFiles } from "../../../src/runtime/node/data-folder.ts";
import { poolingOfFolder } from "../../../src/runtime/node/pooling.ts";

const withDataFolder = (options: { train?: string; dev?: string; onNotice?: (notice: string) => void }): { train?: string; dev?: string } => withFiles(options);
let folder = "";
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "hut-folder-")); });
afterEach(() => { rmSync(folder, { recursive: true }); });
const files = (...names: string[]): void => { for (const name of names) writeFileSync(join(folder, name), ""); };

describe("a folder as data", () => {
  it("has its training file, and a dev set beside it that is told", () => {
    files("train.jsonl", "validation.jsonl", "dev.tsv", "test.jsonl", "README.md");
    const notices: string[] = [];
    const { train, dev } = withDataFolder({ train: folder, onNotice: (notice) => { notices.push(notice); } });
    assert.deepEqual([train, dev], [join(folder, "train.jsonl"), join(folder, "validation.jsonl")]);
    assert.match(notices.join(), /^measuring on ".*validation\.jsonl", which lies beside the training data$/);
    assert.equal(withDataFolder({ train: folder, dev: "other.tsv" }).dev, "other.tsv");
    assert.equal(withDataFolder({ train: join(folder, "train.jsonl") }).dev, undefined);
    assert.equal(withDataFolder({ train: join(folder, "none.tsv") }).train, join(folder, "none.tsv"));
    assert.equal(withDataFolder({}).train, undefined);
  });

  it("is read by the names that GLUE and the hub give", () => {
    files("train.tsv", "dev_matched.tsv", "dev_mismatched.tsv");
    assert.equal(withDataFolder({ train: folder }).dev, join(folder, "dev_matched.tsv"));
    rmSync(join(folder, "train.tsv"));
    files("train-00000-of-00001.parquet");
    assert.equal(withDataFolder({ train: folder }).train, join(folder, "train-00000-of-00001.parquet"));
  });

  it("is refused where there is no such file, or more than one", () => {
    files("data.csv");
    assert.throws(() => withDataFolder({ train: folder }), { code: "DATA_FOLDER_LACKS", message: /a folder without train\.\* .*It holds "data\.csv"/ });
    files("train.csv", "train.tsv");
    assert.throws(() => withDataFolder({ train: folder }), { code: "DATA_FOLDER_AMBIGUOUS", message: /more than one file of that name: "train\.csv" and "train\.tsv"|"train\.tsv" and "train\.csv"/ });
    assert.throws(() => withDataFolder({ dev: folder }), { code: "DATA_FOLDER_LACKS", message: /without validation\.\*, dev\.\*/ });
  });
});

describe("pooling that a model's folder tells", () => {
  const poolingBy = (config: unknown, modules: unknown = [{ idx: 0, path: "", type: "sentence_transformers.models.Transformer" }, { idx: 1, path: "1_Pooling", type: "sentence_transformers.models.Pooling" }]): unknown => {
    mkdirSync(join(folder, "1_Pooling"), { recursive: true });
    mkdirSync(join(folder, "onnx"), { recursive: true });
    files("onnx/model.onnx");
    writeFileSync(join(folder, "modules.json"), JSON.stringify(modules));
    writeFileSync(join(folder, "1_Pooling/config.json"), JSON.stringify(config));
    return poolingOfFolder(join(folder, "onnx/model.onnx"));
  };

  it("is mean, cls or last", () => {
    const all = { word_embedding_dimension: 384, pooling_mode_cls_token: false, pooling_mode_mean_tokens: false, pooling_mode_max_tokens: false, pooling_mode_lasttoken: false };
    assert.equal(poolingBy({ ...all, pooling_mode_mean_tokens: true }), "mean");
    assert.equal(poolingBy({ ...all, pooling_mode_cls_token: true }), "cls");
    assert.equal(poolingBy({ ...all, pooling_mode_lasttoken: true }), "last");
    assert.equal(poolingBy({ embedding_dimension: 384, pooling_mode: "mean" }), "mean");
  });

  it("is none where several are told, another one, or nothing", () => {
    assert.equal(poolingBy({ pooling_mode_mean_tokens: true, pooling_mode_max_tokens: true }), undefined);
    assert.equal(poolingBy({ pooling_mode_mean_tokens: true, pooling_mode_cls_token: true }), undefined);
    assert.equal(poolingBy({}), undefined);
    assert.equal(poolingBy({ pooling_mode_mean_tokens: true }, [{ path: "../1_Pooling", type: "sentence_transformers.models.Pooling" }]), undefined);
    assert.equal(poolingBy({ pooling_mode_mean_tokens: true }, { no: "list" }), undefined);
    rmSync(join(folder, "modules.json"));
    assert.equal(poolingOfFolder(join(folder, "onnx/model.onnx")), undefined);
  });
});
