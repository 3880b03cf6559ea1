/** A folder of data: which of its files is for training, and which to measure on. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { dataFolderAmbiguous, dataFolderLacks } from "../../errors/data.ts";
import { fileUnreadable } from "../../errors/files.ts";
import { ENDINGS } from "../data/parse-records.ts";
import type { GlueName } from "../options.ts";

/** Names of the files, without their ending; the first that is there is taken. MNLI has two dev sets: the matched one is that of its own genres. */
const TRAIN = ["train"];
const DEV = ["validation", "dev", "valid", "val", "dev_matched", "validation_matched"];

/** The files that a run reads. */
interface DataFiles {
  readonly train?: string | undefined;
  readonly dev?: string | undefined;
  readonly glue?: GlueName | undefined;
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/**
 * The options with files in the place of a folder: `train` may be one, in which case `dev` is looked for there too, and `dev` may be one. Throws
 * DATA_FOLDER_LACKS, DATA_FOLDER_AMBIGUOUS.
 */
export function withDataFolder<T extends DataFiles>(options: T): T {
  const { train, dev } = options;
  const isFolder = (path: string | undefined): path is string => path !== undefined && (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false);
  const found: { train?: string; dev?: string } = {};
  if (isFolder(train)) {
    found.train = fileIn(train, TRAIN) ?? lacking(train, TRAIN);
    const beside = dev === undefined ? fileIn(train, DEV) : undefined;
    if (beside !== undefined) {
      found.dev = beside;
      options.onNotice?.(`measuring on ${JSON.stringify(beside)}, which lies beside the training data`);
    }
  }
  if (isFolder(dev)) found.dev = fileIn(dev, DEV) ?? lacking(dev, DEV);
  return { ...options, ...found };
}

function fileIn(folder: string, names: readonly string[]): string | undefined {
  const inside = filesIn(folder);
  for (const name of names) {
    // The hub numbers the parts of a set: train-00000-of-00001.parquet.
    const fitting = inside.filter((file) => ENDINGS.some((ending) => file === `${name}${ending}` || (file.startsWith(`${name}-`) && /^-\d+-of-\d+$/.test(file.slice(name.length, -ending.length)) && file.endsWith(ending))));
    if (fitting.length > 1) throw dataFolderAmbiguous(folder, fitting);
    if (fitting[0] !== undefined) return join(folder, fitting[0]);
  }
  return undefined;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    throw fileUnreadable(folder, cause);
  }
}

function lacking(folder: string, names: readonly string[]): never {
  throw dataFolderLacks(folder, names.map((name) => `${name}.*`), filesIn(folder));
}
