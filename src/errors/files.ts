/** What can go wrong with files and folders: reading, writing in place, and a model's external data. */
import { HutError, quote } from "./hut-error.ts";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission is denied", EPERM: "the system doesn't permit it", EROFS: "the file system is read-only", ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up", EFBIG: "the file system doesn't hold files of this size", ENAMETOOLONG: "the name is too long",
  EMFILE: "too many files are open", ENFILE: "too many files are open", ELOOP: "its links lead in a circle", EBUSY: "it is in use",
  ENOENT: "it isn't there", ENOTDIR: "a part of the path is a file, not a folder", EIO: "the device reports an error",
};

/** The system's code of an error ("ENOENT"), undefined for errors that don't come from the system. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function reason(cause: unknown): string {
  const code = systemCode(cause);
  if (code === undefined) return cause instanceof Error ? cause.message : String(cause);
  return REASONS[code] ?? `the system says ${code}`;
}

/** No file under this name. */
export const fileMissing = (path: string): HutError =>
  new HutError("FILE_MISSING", { path }, `There is no file ${quote(path)}. Check the path.`);

/** No folder under this name. */
export const folderMissing = (path: string): HutError =>
  new HutError("FOLDER_MISSING", { path }, `There is no folder ${quote(path)}. Check the path.`);

/** A folder was needed, and a file stands there. */
export const notAFolder = (path: string): HutError =>
  new HutError("NOT_A_FOLDER", { path }, `${quote(path)} is not a folder. Name the folder itself.`);

/** A folder, pipe, socket or device where a file was needed; `kind` is one of these words. */
export const notARegularFile = (path: string, kind: string): HutError =>
  new HutError("NOT_A_REGULAR_FILE", { path, kind }, `${quote(path)} is a ${kind}, and only regular files are read. Name the file itself.`);

/** The system refuses to open or read it. */
export const fileUnreadable = (path: string, cause: unknown): HutError =>
  new HutError("FILE_UNREADABLE", { path, reason: systemCode(cause) }, `${quote(path)} can't be read: ${reason(cause)}.`, { cause });

/** A read past the end: the file is cut short, or whatever points into it is wrong. */
export const fileTooShort = (path: string, offset: number, length: number, size: number): HutError =>
  new HutError("FILE_TOO_SHORT", { path, offset, length, size },
    `${quote(path)} ends too early: ${String(length)} bytes at ${String(offset)} are wanted, and it has ${String(size)}. `
    + "Fetch or export it again.");

/** This package's own example is not where it should be. */
export const demoMissing = (): HutError =>
  new HutError("DEMO_MISSING", {}, "The demo's model is not in this installation. Install onnx-hut again.");

/** A file that is read whole is longer than such files ever are. */
export const fileTooLong = (path: string, size: number, limit: number): HutError =>
  new HutError("FILE_TOO_LONG", { path, size, limit },
    `${quote(path)} has ${String(size)} bytes, and files of its kind are read up to ${String(limit)}. Check that it is the right file.`);

/** A text file that is no UTF-8. */
export const fileNotText = (path: string): HutError =>
  new HutError("FILE_NOT_TEXT", { path }, `${quote(path)} is not UTF-8 text. Check that it is the right file, or save it as UTF-8.`);

/** A read after the source was disposed of: a mistake of the caller. */
export const fileClosed = (path: string): HutError =>
  new HutError("FILE_CLOSED", { path }, `${quote(path)} was closed before this read. Dispose of a source after the last use of what it holds.`);

/** The folder that the output would go to is missing. */
export const outputFolderMissing = (path: string, folder: string): HutError =>
  new HutError("OUTPUT_FOLDER_MISSING", { path, folder },
    `${quote(path)} can't be written: there is no folder ${quote(folder)}. Make it first, or name another place.`);

/** A folder, pipe, socket or device stands where the output would go. */
export const outputInTheWay = (path: string, kind: string): HutError =>
  new HutError("OUTPUT_IN_THE_WAY", { path, kind }, `${quote(path)} can't be written: it is a ${kind}. Name a file.`);

/** The weights of `graph` would replace a file that it doesn't refer to: another model's, by all that can be seen. */
export const outputDataInTheWay = (path: string, graph: string): HutError =>
  new HutError("OUTPUT_DATA_IN_THE_WAY", { path, graph },
    `The weights of ${quote(graph)} would go to ${quote(path)}, which is there and may be another model's: no ${quote(graph)} refers to it. Name another output, or remove that file.`);

/** The system refuses to write there. What stood there before is untouched. */
export const outputUnwritable = (path: string, cause: unknown): HutError =>
  new HutError("OUTPUT_UNWRITABLE", { path, reason: systemCode(cause) },
    `${quote(path)} can't be written: ${reason(cause)}. Mend that, or name another place.`, { cause });

/** There is less room than the output takes; `free` is undefined where the system doesn't tell. */
export const diskFull = (path: string, bytes: number, free: number | undefined, cause?: unknown): HutError =>
  new HutError("DISK_FULL", { path, bytes, free },
    `${quote(path)} can't be written: it takes ${size(bytes)}, ${free === undefined ? "and the disk is full" : `and the disk has ${size(free)} left`}. Free some room, or name another place.`, { cause });

/** "1.42 GB (1,419,813,073 bytes)". */
function size(bytes: number): string {
  const exact = `${bytes.toLocaleString("en-US")} bytes`;
  return bytes < 1e6 ? exact : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB (${exact})` : `${(bytes / 1e9).toFixed(2)} GB (${exact})`;
}

/** The output is an input of the same command, directly or through a link. */
export const outputIsInput = (output: string, input: string): HutError =>
  new HutError("OUTPUT_IS_INPUT", { output, input },
    `The output ${quote(output)} is the input ${quote(input)}${output === input ? "" : " under another name"}. Name another output file.`, { exitCode: 2 });

/** The folder that a model folder would be written into holds an input: the files of one could replace those of the other. */
export const outputHoldsInput = (folder: string, input: string): HutError =>
  new HutError("OUTPUT_HOLDS_INPUT", { folder, input },
    `The output folder ${quote(folder)} holds the input ${quote(input)}, whose files would be mixed with the new ones. Name another folder.`, { exitCode: 2 });

/** Who writes into a folder, as far as its lock tells. */
export interface FolderHolder {
  readonly pid: number | undefined;
  readonly host: string | undefined;
  /** ISO 8601. */
  readonly since: string;
  /** Whether its process numbers are this machine's own, so that a dead process is seen to be dead. */
  readonly isHere: boolean;
}

/** Another run writes into the folder; `holder` is undefined where several were at it at the same moment. */
export const outputFolderBusy = (folder: string, lock: string, holder: FolderHolder | undefined): HutError => {
  const by = holder === undefined ? ", and others began at the same moment"
    : `: ${holder.pid === undefined ? "a process" : `process ${String(holder.pid)}`}${holder.host === undefined ? "" : ` on ${quote(holder.host)}`}, since ${quote(holder.since).slice(1, -1)}`;
  const gone = holder?.isHere === true ? `If that process is not onnx-hut's, remove ${quote(lock)}.`
    : `Whether it still runs can't be seen from here: if it doesn't, remove ${quote(lock)}, which also expires a day after its last sign of life.`;
  return new HutError("OUTPUT_FOLDER_BUSY", { folder, lock, pid: holder?.pid, host: holder?.host, since: holder?.since },
    `Another run writes into ${quote(folder)}${by}. Wait until it is done, or name another folder. ${gone}`);
};

/** A folder can't be made. */
export const folderUnmakable = (path: string, cause: unknown): HutError =>
  new HutError("FOLDER_UNMAKABLE", { path, reason: systemCode(cause) },
    `The folder ${quote(path)} can't be made: ${systemCode(cause) === "EEXIST" ? "a file of this name is there" : reason(cause)}. `
    + "Mend that, or name another place.", { cause });

/** A `location` that is refused whatever the folder holds; `problem` completes "it …". */
export const unsafeLocation = (modelPath: string, location: string, problem: string): HutError =>
  new HutError("UNSAFE_EXTERNAL_LOCATION", { model: modelPath, location, problem },
    `${quote(modelPath)} refers to external data at ${quote(location)}: it ${problem}. `
    + "External data must be a file in the model's folder; export the model again, or don't trust this file.");

/** The file that a `location` names isn't there. */
export const externalDataMissing = (modelPath: string, location: string, path: string): HutError =>
  new HutError("EXTERNAL_DATA_MISSING", { model: modelPath, location, path },
    `${quote(modelPath)} keeps weights in ${quote(location)}, and there is no file ${quote(path)}. Put it beside the model.`);

/** The file that a `location` names has other names too, which may be anywhere on the disk. */
export const externalDataHardLinked = (modelPath: string, location: string, path: string, names: number): HutError =>
  new HutError("EXTERNAL_DATA_HARD_LINKED", { model: modelPath, location, path, names },
    `${quote(modelPath)} keeps weights in ${quote(location)}, a file with ${String(names)} names (hard links), so it may be one from elsewhere; onnx refuses it too. `
    + `If you trust it, put a copy in its place: copy ${quote(path)} and give the copy its name.`);

/** The file that a `location` names ends, through links, outside the model's folder. */
export const externalDataLeavesFolder = (modelPath: string, location: string, target: string): HutError =>
  new HutError("EXTERNAL_DATA_LEAVES_FOLDER", { model: modelPath, location, target },
    `${quote(modelPath)} keeps weights in ${quote(location)}, a link that leads out of the model's folder to ${quote(target)}. `
    + "Put the file itself beside the model.");
