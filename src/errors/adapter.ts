/** What can be wrong with an adapter: its safetensors file, its configuration, and whether the two agree. */
import { HutError, list, quote } from "./hut-error.ts";

const shapeText = (shape: readonly number[]): string => `[${shape.join(", ")}]`;

/** A safetensors file whose structure is broken; `problem` completes "…: ". */
export const safetensorsBroken = (file: string, problem: string): HutError =>
  new HutError("SAFETENSORS_BROKEN", { file, problem },
    `${quote(file)} is not a sound safetensors file: ${problem}. Fetch it again, or write it anew with the tool it came from.`);

/** A tensor handed to the writer that doesn't hold what it says: a mistake of the caller. */
export const tensorUnwritable = (name: string, problem: string): HutError =>
  new HutError("TENSOR_UNWRITABLE", { name, problem }, `Tensor ${quote(name)} can't be written as safetensors: ${problem}.`);

/** A tensor whose element type isn't one of floats where floats are needed. */
export const tensorNotFloat = (file: string, name: string, dtype: string): HutError =>
  new HutError("TENSOR_NOT_FLOAT", { file, name, dtype },
    `Tensor ${quote(name)} in ${quote(file)} has type ${quote(dtype)}; an adapter's numbers are F32, F16, BF16 or F64. `
    + "Save the adapter in one of these.");

/** NaN or infinity in an adapter's tensor. */
export const tensorNotFinite = (file: string, name: string, index: number, value: number): HutError =>
  new HutError("TENSOR_NOT_FINITE", { file, name, index, value: String(value) },
    `Tensor ${quote(name)} in ${quote(file)} holds ${String(value)} at element ${String(index)}. `
    + "Its training went wrong; take an earlier checkpoint, or train again.");

/** Text that is no JSON, or JSON with doubled keys or nested too deep; `problem` says what and where. */
export const jsonBroken = (file: string, problem: string, cause?: unknown): HutError =>
  new HutError("JSON_BROKEN", { file, problem }, `${quote(file)} is broken JSON: ${problem}. Write it anew, or mend it by hand.`, { cause });

/** A field with a value that it can't have; `wanted` completes "it must be …". */
export const fieldWrong = (file: string, field: string, wanted: string): HutError =>
  new HutError("FIELD_WRONG", { file, field, wanted }, `In ${quote(file)}, ${quote(field)} must be ${wanted}. Mend it, or write the folder anew.`);

/** A key that the strict schema of hut.json doesn't know. */
export const fieldUnknown = (file: string, field: string, known: readonly string[]): HutError =>
  new HutError("FIELD_UNKNOWN", { file, field, known },
    `${quote(file)} has an unknown key ${quote(field)}; known here: ${list(known, 20)}. Remove it, or update onnx-hut.`);

/** The folder is there, and no adapter is in it. */
export const adapterMissing = (folder: string, missing: string, subFolders: readonly string[]): HutError =>
  new HutError("ADAPTER_MISSING", { folder, missing, subFolders },
    `${quote(folder)} is not an adapter folder: it has no ${missing}. ${whereElse(subFolders)}`);

function whereElse(subFolders: readonly string[]): string {
  if (subFolders.length === 0) return "An adapter is a folder with adapter_config.json and adapter_model.safetensors, as PEFT saves it.";
  const names = list(subFolders.map(quote));
  return subFolders.length === 1 ? `Its sub-folder ${names} is one: name that.` : `Its sub-folders ${names} are: name one of them.`;
}

/** A method of PEFT's that we don't know. */
export const peftTypeUnknown = (file: string, peftType: string, supported: readonly string[]): HutError =>
  new HutError("PEFT_TYPE_UNKNOWN", { file, peftType, supported },
    `${quote(file)} has peft_type ${quote(peftType)}; supported are ${list(supported, 20)}. Train the adapter with one of these.`);

/** An option of PEFT's that changes what the tensors mean, or one unknown here that may. */
export const peftOptionUnsupported = (file: string, option: string): HutError =>
  new HutError("PEFT_OPTION_UNSUPPORTED", { file, option },
    `${quote(file)} sets ${quote(option)}, which may change what the adapter computes and isn't supported. Merge this adapter with PEFT, or train without it.`);

/** A regular expression that is broken or uses what we don't evaluate; `problem` completes "…: ". */
export const patternUnusable = (pattern: string, problem: string): HutError =>
  new HutError("PATTERN_UNUSABLE", { pattern, problem }, `The pattern ${quote(pattern)} can't be used: ${problem}. List the module names instead.`);

/** An adapter without a single tensor of its method. */
export const adapterEmpty = (folder: string): HutError =>
  new HutError("ADAPTER_EMPTY", { folder }, `The adapter in ${quote(folder)} adapts no module. Save it again.`);

/** A tensor that belongs to neither the method nor a module that is trained whole. */
export const tensorUnexpected = (file: string, name: string, method: string): HutError =>
  new HutError("TENSOR_UNEXPECTED", { file, name },
    `${quote(file)} holds ${quote(name)}, which is no parameter of ${method} and in none of modules_to_save. Save the adapter again, or remove the tensor.`);

/** Two tensors that mean the same parameter once adapter names are taken off. */
export const tensorTwice = (file: string, name: string): HutError =>
  new HutError("TENSOR_TWICE", { file, name }, `${quote(file)} holds ${quote(name)} twice under different names. Save the adapter again.`);

/** hira_A without hira_B, or the like. */
export const partnerMissing = (file: string, module: string, missing: string): HutError =>
  new HutError("PARTNER_MISSING", { file, module, missing }, `${quote(file)} has no ${missing} for module ${quote(module)}. Save the adapter again.`);

/** A tensor that all modules share and that PEFT leaves out unless told to save it. */
export const sharedMissing = (file: string, missing: string): HutError =>
  new HutError("SHARED_MISSING", { file, missing },
    `${quote(file)} has no ${missing}, which all its modules share; PEFT draws it anew from its own random numbers. Save the adapter with save_projection=True.`);

/** A tensor's shape against what the rank and its partner say. */
export const adapterShapeWrong = (file: string, name: string, shape: readonly number[], wanted: string): HutError =>
  new HutError("ADAPTER_SHAPE_WRONG", { file, name, shape, wanted },
    `Tensor ${quote(name)} in ${quote(file)} is ${shapeText(shape)}, and must be ${wanted}. `
    + "Mend r or rank_pattern in adapter_config.json, or save the adapter again.");

/** A module that has tensors and isn't among target_modules. */
export const moduleNotTargeted = (folder: string, module: string, targets: string): HutError =>
  new HutError("MODULE_NOT_TARGETED", { folder, module, targets },
    `The adapter in ${quote(folder)} has numbers for module ${quote(module)}, which its target_modules (${targets}) leave out. Mend adapter_config.json.`);

/** An entry of target_modules or modules_to_save without any tensor. */
export const targetWithoutTensors = (folder: string, entries: readonly string[], key: string): HutError =>
  new HutError("TARGET_WITHOUT_TENSORS", { folder, entries, key },
    `The adapter in ${quote(folder)} names ${list(entries.map(quote))} in ${key}, and has no numbers for it. `
    + "Mend adapter_config.json, or save the adapter again.");

/** hut.json and the PEFT files of one folder don't belong together; `problem` says where they differ. */
export const hutJsonDisagrees = (folder: string, problem: string): HutError =>
  new HutError("HUT_JSON_DISAGREES", { folder, problem },
    `In ${quote(folder)}, hut.json and the adapter's other files don't agree: ${problem}. Take all files from one run, or remove hut.json.`);
