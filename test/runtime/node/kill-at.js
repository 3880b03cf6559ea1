/**
 * Loaded before a program (`node --import`), it kills it at one call to the file system: KILL_AT="renameSync checkpoint-4/state.safetensors" is the first renameSync with
 * a path that ends so, or has it before `.onnx-hut-`, the mark of a file on its way. A write is killed when half of it is done, everything else before it begins.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [name, place] = process.env.KILL_AT.split(" ");
const isPlace = (path) => typeof path === "string" && (path.endsWith(place) || path.includes(`${place}.onnx-hut-`));

const opened = new Map();
const { openSync, [name]: call } = fs;
fs.openSync = (path, ...more) => {
  const file = openSync(path, ...more);
  opened.set(file, path);
  return file;
};
fs[name] = (...given) => {
  if (!given.some((value) => isPlace(opened.get(value) ?? value))) return call(...given);
  const [file, bytes, from, length] = given;
  if (name === "writeSync") call(file, bytes, from, Math.floor(length / 2));
  process.kill(process.pid, "SIGKILL");
};
syncBuiltinESMExports();
