import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { HutError } from "../../../src/errors/hut-error.ts";
import { requireNoFurtherRun } from "../../../src/runtime/data/parquet-runs.ts";
import { fromParquet } from "../../../src/runtime/data/parquet.ts";
import type { DataFile } from "../../../src/runtime/data/records.ts";
import { parseRecords } from "../../../src/runtime/data/parse-records.ts";
import { readRecords } from "../../../src/runtime/node/data-file.ts";
import { PARQUET_CODECS } from "../../../src/runtime/node/parquet-codecs.ts";
import { Random } from "../../../src/runtime/random.ts";

const url = (name: string): URL => new URL(`../../../fixtures/parquet/${name}`, import.meta.url);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(url(name)));
const expected = JSON.parse(readFileSync(url("expected.json"), "utf8")) as { readonly rows: readonly Record<string, unknown>[]; readonly chat: readonly unknown[] };
const fields = (data: DataFile): unknown[] => data.records.map((record) => record.fields);

describe("Parquet", () => {
  for (const name of ["none", "snappy", "gzip", "zstd", "brotli", "lz4", "pages-2", "plain", "delta"]) {
    it(`gives the rows that pyarrow wrote: ${name}`, () => {
      const data = readRecords(url(`${name}.parquet`).pathname);
      assert.deepEqual(data.columns, ["sentence", "label", "score", "ok", "input_ids", "note"]);
      assert.deepEqual(fields(data), expected.rows);
      assert.deepEqual(data.records.map(({ line }) => line), expected.rows.map((_, i) => i + 1));
    });
  }

  it("gives what pandas and the hub write, lists of structs, dates, and nothing where there is nothing", () => {
    const short = expected.rows.map(({ sentence, label }) => ({ sentence, label }));
    assert.deepEqual(fields(readRecords(url("pandas.parquet").pathname)), short);
    assert.deepEqual(fields(readRecords(url("hub.parquet").pathname)), short.map((row, idx) => ({ ...row, idx })));
    assert.deepEqual(fields(readRecords(url("chat.parquet").pathname)), expected.chat);
    assert.deepEqual(fields(readRecords(url("too-big.parquet").pathname)), [{ text: "a", label: "1152921504606846976" }]);
  });

  it("is read without anything of the platform where it isn't packed, or by snappy; another codec is named", () => {
    for (const name of ["none", "snappy", "plain", "delta"]) assert.deepEqual(fields(parseRecords("a.parquet", bytesOf(`${name}.parquet`))), expected.rows);
    assert.throws(() => parseRecords("a.parquet", bytesOf("zstd.parquet")), { name: "HutError", code: "DATA_PARQUET_CODEC", message: /packed by ZSTD.*snappy/ });
  });

  it("refuses what is no Parquet, with the file's name", () => {
    for (const bytes of [new Uint8Array(), new TextEncoder().encode("PAR1"), new TextEncoder().encode("text,label\na,1\n"), bytesOf("zstd.parquet").subarray(0, 900)]) {
      assert.throws(() => fromParquet("a.parquet", bytes, PARQUET_CODECS), { name: "HutError", code: "DATA_PARQUET_BROKEN", message: /^"a\.parquet" can't be read as Parquet: / });
    }
  });

  it("stands damage of any kind: refused by a HutError, in little time", () => {
    const random = new Random(7, 0);
    const before = performance.now();
    const codes = new Map<string, number>();
    for (let i = 0; i < 700; i++) {
      const bytes = bytesOf(`${["none", "zstd", "pages-2", "plain", "delta", "chat", "gzip"][i % 7] ?? ""}.parquet`);
      for (let n = 0; n <= i % 4; n++) bytes[random.below(bytes.length)] = [0, 0x7f, 0x80, 0xff, random.below(256)][random.below(5)] ?? 0;
      try {
        fromParquet("a.parquet", bytes, PARQUET_CODECS);
        codes.set("read", (codes.get("read") ?? 0) + 1);
      } catch (error) {
        if (!(error instanceof HutError)) throw error;
        codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      }
    }
    assert.ok((codes.get("DATA_PARQUET_BROKEN") ?? 0) > 200, JSON.stringify([...codes]));
    assert.ok(performance.now() - before < 20_000);
  }).timeout(30_000);

  it("refuses runs that are longer than their page before they are written out", () => {
    assert.throws(() => { requireNoFurtherRun(Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0x0f, 1), 0, 1, 100); }, /longer than its page/);
    assert.throws(() => { requireNoFurtherRun(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f, 1), 0, 1, 100); }, /longer than its page/);
    assert.throws(() => { requireNoFurtherRun(Uint8Array.of(0x80, 0x80), 0, 1, 100); }, /doesn't end/);
    requireNoFurtherRun(Uint8Array.of(200, 1, 1), 0, 1, 100);
    requireNoFurtherRun(Uint8Array.of(27, ...new Array<number>(13).fill(0)), 0, 1, 100);
  });
});
