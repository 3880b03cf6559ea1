/**
 * From a model and the user's words to an adapted model: head attached, weights chosen, parameters at their start or from an adapter.
 * adapt, artifacts, train, evaluate, fold and verify all begin here.
 */
import { adapterFlagContradicts, adapterHeadTooMany, adapterShapeMismatch, headExists, numLabelsMissing } from "../errors/runtime.ts";
import { swappableMethodUnsupported } from "../errors/swap.ts";
import { flagNotOfMethod, nothingToTrain, wholeTwice } from "../errors/targets.ts";
import { HutError, quote } from "../errors/hut-error.ts";
import type { Value } from "../ir/graph.ts";
import type { Model } from "../ir/model.ts";
import { elementCount } from "../ir/sizes.ts";
import { methodNamed } from "../methods/registry.ts";
import type { ParameterSpec, UpdatedTransformation } from "../methods/updated-transformation.ts";
import { inferGraph } from "../ops/infer.ts";
import { addBias, takesBias } from "../passes/add-bias.ts";
import { adapt, bySite, inLayout, pathOf, torchLayout, transposed, type AdaptedSite, type Part, type Trainable } from "../passes/adapt.ts";
import { attachHead, HEAD_MODULE, type Pooling } from "../passes/attach-head.ts";
import { replaceParameter } from "../passes/fold.ts";
import { readyForRows } from "../passes/give-rows.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";
import { ROLES, selectWeights } from "../passes/select-weights.ts";
import { openProducts } from "../passes/open-products.ts";
import { startingFrom, tie, trainParameter, trainWhole } from "../passes/train-whole.ts";
import { findParameters } from "../passes/weights/find-parameters.ts";
import { findTied, sharedEmbeddings } from "../passes/weights/find-tied.ts";
import { findWeights, type WeightSite } from "../passes/weights/find-weights.ts";
import { isReadAlone, outputsWithin } from "../passes/weights/read-alone.ts";
import { traceRoles } from "../passes/weights/trace-roles.ts";
import { storedFloats } from "../passes/weights/weight-values.ts";
import { isScaledInPeft, isTurned, savedShape } from "./adapter/peft-shapes.ts";
import { feedforwardTest, moduleScale, type AdapterTensor } from "./adapter/peft-tensors.ts";
import { samePath } from "../passes/weights/module-path.ts";
import { checkFingerprint, matchAdapter, pathsTell, type MatchedPart } from "./adapter/match-adapter.ts";
import type { AdapterFolder } from "./adapter/adapter-folder.ts";
import { endToEnd } from "./end-to-end.ts";
import { findLogits } from "./model-outputs.ts";
import { DEFAULTS, type TargetOptions } from "./options.ts";
import { Random } from "./random.ts";
import { isStatistic, wholeModules } from "./whole-modules.ts";

/** An adapter that was read, and where from. */
export interface OpenedAdapter {
  readonly folder: string;
  readonly contents: AdapterFolder;
}

/** An adapted model, and all that is known of what was adapted. */
export interface Prepared {
  readonly model: Model;
  readonly method: UpdatedTransformation;
  readonly rank: number;
  readonly alpha: number;
  /** rsLoRA. */
  readonly rankStabilized: boolean;
  /** Undefined where the graph has none and no head was asked for. */
  readonly logits: Value | undefined;
  readonly sites: readonly WeightSite[];
  readonly adapted: readonly AdaptedSite[];
  readonly saved: readonly Trainable[];
  /** What modules trained whole count and don't train, a BatchNorm's mean and variance, as the adapter has them; they stand in the graph. */
  readonly statistics: readonly Trainable[];
  /** Everything that is trained, in theta's order. */
  readonly trainables: readonly Trainable[];
  /** The head that was attached, if one was. */
  readonly head: { readonly pooling: Pooling; readonly module: string; readonly numLabels: number } | undefined;
  /** Whether an adapter gave the values; else what is trained whole starts from the model's own. */
  readonly isGiven: boolean;
  /** The entries of --target-modules that are roles. */
  readonly roles: readonly string[];
  readonly notes: readonly string[];
}

export interface PrepareOptions extends Omit<TargetOptions, "adapter"> {
  readonly adapter?: OpenedAdapter | undefined;
  /** Whether modules are trained whole where none is named: the head, for the classification tasks. */
  readonly saveHead: boolean;
  /** For a graph whose parameters come in from outside: they have the scale multiplied in, and what an adapter trained whole stays the base's. */
  readonly swappable?: boolean | undefined;
  /** Each row of a batch is to have parameters of its own: with `swappable`, before `makeSwappable` and `giveRows`. */
  readonly perRow?: boolean | undefined;
}

/** Adapts a fresh model, its functions written out. Throws HutError: no weight matches, a rank that doesn't fit, an adapter of another base. */
export function prepare(model: Model, options: PrepareOptions): Prepared {
  const { adapter } = options;
  if (adapter !== undefined) refuseContradictions(adapter, options);
  if (inlineFunctions(model).calls > 0) inferGraph(model.graph, model.opsets);
  const random = new Random(options.seed ?? DEFAULTS.seed);
  const method = methodOf(options);
  if (adapter === undefined) refuseOtherFlags(method, options);
  if (options.swappable === true && !method.swappable) throw swappableMethodUnsupported(method.name);
  const head = headOf(model, options);
  const logits = head === undefined ? findLogits(model.graph, options.outputName)
    : attachHead(model, { ...head, output: options.outputName, start: (shape, fanIn) => uniform(random, shape, 1 / Math.sqrt(fanIn)) });
  const sites = findWeights(model.graph);
  const isTold = adapter !== undefined && options.targetModules === undefined && options.swappable !== true && pathsTell(adapter.contents, adapter.folder, sites);
  if (!isTold) traceRoles(model, sites, logits);

  const matched = adapter === undefined ? undefined : matchAdapter(adapter.contents, adapter.folder, sites, method);
  const targets = options.targetModules ?? DEFAULTS.targetModules;
  const selected = matched !== undefined ? { parts: matched, notes: [] } : method.trains === undefined ? selectWeights(sites, targets, method) : { parts: [], notes: [] };
  if (adapter !== undefined && matched !== undefined) checkBase(adapter, matched, options.force === true);
  const chosen = [...bySite<Part>(selected.parts).keys()];
  const all = method.trains === "everything";
  const found = all ? sharedEmbeddings(findParameters(model.graph, sites)) : findParameters(model.graph, sites);
  const tied = all ? findTied(sites, found) : [];
  const { sites: whole, parameters } = wholeModules({ sites: sites.filter((site) => !tied.some((t) => t.site === site)), parameters: [...new Set([...found, ...tied.map((t) => t.parameter)])] }, options, method, chosen);
  if (method.trains !== undefined && whole.length + parameters.length === 0) throw nothingToTrain(method.name, method.trains === "biases" ? "no biases" : method.trains === "nothing" ? "no head" : "no weights");
  for (const pair of tied) if (parameters.some((p) => p.parameter === pair.parameter)) tie(model.graph, pair, model.opsets);
  const lacking = whole.filter((w) => w.lacksBias === true).map((w) => w.site);
  // An exporter leaves out a bias of zeros, and an adapter that is yet to come may have trained one.
  const possible = options.swappable === true ? whole.map((w) => w.site).filter((site) => !lacking.includes(site) && takesBias(site)) : [];
  const changed = [...chosen, ...whole.filter((w) => w.biasAlone !== true).map((w) => w.site)];
  const notes = [...selected.notes, ...foundNotes(matched ?? []), ...tiedNotes(model, changed), ...biasNotes(lacking)];
  for (const site of [...lacking, ...possible]) addBias(model.graph, site, model.opsets);
  for (const site of changed) openProducts(model.graph, site, model.opsets);
  if (options.perRow === true) readyForRows(model, { method, sites: [...new Set([...chosen, ...whole.map((w) => w.site)])], parameters: parameters.map((p) => p.parameter) });
  const alpha = adapter === undefined ? options.alpha : alphaOf(adapter.contents);
  if (adapter !== undefined) refuseOtherChoice(adapter, options, matched ?? [], sites, alpha);
  const parts: readonly (Part | MatchedPart)[] = selected.parts.filter((part) => !whole.some((w) => w.site === part.site));
  const ranks = parts.map((part) => ownRank(part, method)).filter((own) => own !== undefined);
  const rank = (ranks.length > 0 ? Math.max(...ranks) : undefined) ?? (method.takes.includes("rank") ? options.rank ?? DEFAULTS.rank : 1);
  const rankStabilized = adapter === undefined ? options.rslora === true : adapter.contents.rankStabilized === true;
  const isFeedforward = adapter === undefined ? undefined : feedforwardTest(adapter.contents);
  const adapted = adapt(model.graph, {
    opsets: model.opsets, parts, method, rank, alpha, rankStabilized, unscaled: options.swappable, perRow: options.perRow,
    rankOf: (part) => ownRank(part, method),
    scaleOf: (part) => (adapter === undefined || method.peft?.alpha === undefined || !("module" in part) ? undefined : moduleScale(adapter.contents, (part as MatchedPart).module)),
    feedforwardOf: (part) => ("module" in part ? isFeedforward?.((part as MatchedPart).module) : undefined),
    start: (part, spec) => {
      if (part === undefined) return adapter === undefined ? firstStart(spec, random) : givenShared(adapter, spec);
      if (!("tensors" in part)) return spec.start.kind === "column-norms" ? columnNorms(part) : firstStart(spec, random);
      const scale = adapter !== undefined && isScaledInPeft(method, spec) ? method.scale({ rank: ownRank(part, method) ?? rank, alpha: alphaOf(adapter.contents) }) : 1;
      return givenStart((part as MatchedPart).tensors, spec, scale);
    },
  });
  const given = (t: Trainable, module: string | undefined): Trainable => (adapter === undefined || module === undefined ? t : withSaved(t, module, adapter));
  const held = parameters.map(({ parameter, module }) => given(trainParameter(model.graph, parameter), module));
  const products = whole.flatMap(({ site, module, biasAlone }) => trainWhole(site, biasAlone === true).map((t) => given(t, module)));
  const saved = [...products, ...held.filter((t) => !isStatistic(t))];
  const names = new Set<string>();
  const twice = saved.find(({ name }) => names.size === names.add(name).size);
  if (twice !== undefined) throw wholeTwice(twice.name);
  const statistics = held.filter(isStatistic);
  for (const { held: place, start } of options.swappable === true ? [] : statistics) if (place !== undefined) replaceParameter(model.graph, place, start);
  const isRole = (word: string): boolean => (ROLES as readonly string[]).includes(word);
  return {
    model, method, rank, alpha: alpha ?? rank, rankStabilized, logits, sites, adapted, saved, statistics, trainables: [...adapted.flatMap((a) => a.parameters), ...saved], head, isGiven: adapter !== undefined,
    roles: adapter?.contents.hut?.roles ?? (method.trains === undefined ? targets.filter(isRole) : []), notes,
  };
}

/** Says which modules of an adapter have other names here, or none, and were found by what they do. */
function foundNotes(matched: readonly MatchedPart[]): string[] {
  const others = matched.filter(({ site, module }) => site.modulePath === undefined || !samePath(site.modulePath, module));
  const [first] = others;
  return first === undefined ? [] : [`${String(others.length)} of the adapter's modules have no such path in this model and were found by role and layer, as ${quote(first.module)} in ${quote(pathOf(first.site))}`];
}

/** Says of which weights only the products change: something else reads the same stored tensor. */
function tiedNotes({ graph }: Model, sites: readonly WeightSite[]): string[] {
  const outputs = outputsWithin(graph);
  const tied = [...new Set(sites)].filter((s) => !isReadAlone(graph, s.constant, s.points.flatMap((p) => p.uses), outputs));
  return tied.map((s) => `${quote(pathOf(s))} shares its stored tensor ${quote(s.constant.name)} with something else in the graph, such as a tied embedding, which keeps the base's values`);
}

function biasNotes(sites: readonly WeightSite[]): string[] {
  const why = "has no bias in the graph, since it was zero when it was exported, and the adapter trained one: it is added, one more constant";
  return sites.map((s) => `${quote(pathOf(s))} ${why}`);
}

/** All start values end to end: theta [P], float32. */
export function initialTheta(trainables: readonly Trainable[]): Float32Array {
  return endToEnd(trainables.map((t) => t.start));
}

/** The adapter to start from tells method, rank and targets; a flag that says otherwise is an error. */
function refuseContradictions({ contents }: OpenedAdapter, options: PrepareOptions): void {
  const { method, rank } = options;
  if (method !== undefined && method !== contents.method) throw adapterFlagContradicts("--method", method, contents.method);
  if (rank !== undefined && rank !== contents.rank) throw adapterFlagContradicts("--rank", String(rank), `rank ${String(contents.rank)}`);
  const head = contents.hut?.head;
  if (head !== undefined && options.head !== undefined && options.head !== head.pooling) throw adapterFlagContradicts("--head", options.head, `a ${head.pooling} head`);
  if (head !== undefined && options.numLabels !== undefined && options.numLabels !== head.numLabels) throw adapterFlagContradicts("--num-labels", String(options.numLabels), `${String(head.numLabels)} labels`);
}

/** Which weights are adapted, which trained whole, and alpha: flags that say otherwise than the adapter are errors, as those above. */
function refuseOtherChoice({ contents }: OpenedAdapter, { targetModules, modulesToSave, alpha }: PrepareOptions, matched: readonly MatchedPart[], sites: readonly WeightSite[], own: number | undefined): void {
  if (alpha !== undefined && alpha !== own) throw adapterFlagContradicts("--alpha", String(alpha), `alpha ${String(own)}`);
  if (targetModules !== undefined) {
    const chosen = new Set(selectWeights(sites, targetModules).parts.map((part) => part.site));
    const adapted = new Set(matched.map((part) => part.site));
    if (chosen.size !== adapted.size || [...chosen].some((site) => !adapted.has(site))) {
      throw adapterFlagContradicts("--target-modules", targetModules.join(","), `${String(adapted.size)} other weights`);
    }
  }
  const whole = contents.modulesToSave;
  if (modulesToSave !== undefined && !modulesToSave.includes("head") && [...modulesToSave].sort().join() !== [...whole].sort().join()) {
    throw adapterFlagContradicts("--modules-to-save", modulesToSave.join(","), whole.length === 0 ? "none" : whole.join(","));
  }
}

function methodOf({ adapter, method }: PrepareOptions): UpdatedTransformation {
  return methodNamed(adapter?.contents.method ?? method ?? DEFAULTS.method);
}

/** Flags that say nothing to a method are errors. */
function refuseOtherFlags({ name, takes, trains }: UpdatedTransformation, { rank, alpha, rslora, targetModules }: PrepareOptions): void {
  const given = { rank, alpha, rslora: rslora === true ? rslora : undefined };
  for (const flag of ["rank", "alpha", "rslora"] as const) if (given[flag] !== undefined && !takes.includes(flag)) throw flagNotOfMethod(`--${flag}`, name);
  if (targetModules !== undefined && trains !== undefined) throw flagNotOfMethod("--target-modules", name);
}

/** The head to attach: the adapter's, or the one asked for; a PEFT folder without hut.json tells its size by the classifier it saved. */
function headOf(model: Model, options: PrepareOptions): Prepared["head"] {
  const known = options.adapter?.contents.hut?.head;
  if (known !== undefined && options.adapter !== undefined && model.graph.outputs.some((v) => v.name === "logits")) throw adapterHeadTooMany(options.adapter.folder);
  if (known !== undefined) return { pooling: known.pooling, module: known.module, numLabels: known.numLabels };
  const pooling = options.head;
  if (pooling === undefined) return undefined;
  const existing = model.graph.outputs.find((v) => v.name === "logits");
  if (existing !== undefined) throw headExists(existing.name);
  const savedClasses = options.adapter?.contents.saved.get(`${HEAD_MODULE}.weight`)?.shape[0];
  const numLabels = options.numLabels ?? savedClasses;
  if (numLabels === undefined) throw numLabelsMissing();
  return { pooling, module: HEAD_MODULE, numLabels };
}

/** alpha: ours stands in hut.json, LoRA's in PEFT's own file; PEFT's HiRA has s multiplied into B, as if alpha were r. */
function alphaOf(adapter: AdapterFolder): number {
  return adapter.hut?.alpha ?? adapter.alpha ?? adapter.rank;
}

function checkBase({ contents, folder }: OpenedAdapter, matched: readonly MatchedPart[], force: boolean): void {
  const { hut } = contents;
  if (force || hut === undefined) return;
  for (const part of matched) {
    const known = hut.modules[part.module];
    if (known !== undefined) checkFingerprint(folder, part.module, part, known.fingerprint);
  }
}

function uniform(random: Random, shape: readonly number[], bound: number): Float32Array {
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i += 1) values[i] = random.uniform(-bound, bound);
  return values;
}

/** The rank that an adapter's tensors tell; undefined where there is no adapter, or no rank. */
function ownRank(part: Part | MatchedPart, method: UpdatedTransformation): number | undefined {
  const ranked = method.parameters({ k: 1, n: 1, rank: 1, scale: 1 }).find(({ peft }) => peft.axes.includes("rank"));
  return ranked === undefined || !("tensors" in part) ? undefined : part.tensors.get(ranked.peft.name)?.shape[ranked.peft.axes.indexOf("rank")];
}

function firstStart({ shape, start }: ParameterSpec, random: Random): Float32Array {
  if (start.kind === "column-norms") throw new TypeError("a start that only a weight tells");
  return start.kind === "constant" ? new Float32Array(elementCount(shape)).fill(start.value) : uniform(random, shape, start.bound);
}

/** The length of each of W's columns, of the part's own. */
function columnNorms({ site, block }: Part): Float32Array {
  const values = inLayout(storedFloats(site), site, site.stored, "kn");
  const columns = block?.columns ?? Array.from({ length: site.n }, (_, column) => column);
  return Float32Array.from(columns, (column) => {
    let sum = 0;
    for (let row = 0; row < site.k; row += 1) sum += (values[row * site.n + column] ?? NaN) ** 2;
    return Math.sqrt(sum);
  });
}

/** A parameter's values in an adapter, s taken out where it is multiplied in. A kernel's further axes belong to k, which is the last. */
function givenStart(tensors: ReadonlyMap<string, AdapterTensor> | undefined, spec: ParameterSpec, scale = 1): Float32Array {
  const tensor = tensors?.get(spec.peft.name);
  if (tensor === undefined) throw new TypeError(`the adapter was checked and has no ${spec.peft.name}`);
  const [rows = 0, ...others] = tensor.shape;
  const own = isTurned(spec) ? transposed(tensor.data, rows, elementCount(others)) : tensor.data;
  return scale === 1 ? own : own.map((v) => v / scale);
}

/** What all weights share, in an adapter, as far as the largest here needs it. Throws ADAPTER_SHAPE_MISMATCH where that is larger. */
function givenShared({ contents, folder }: OpenedAdapter, spec: ParameterSpec): Float32Array {
  const { shape = [] } = contents.shared?.get(spec.peft.name) ?? {};
  const have = isTurned(spec) ? shape.toReversed() : shape;
  const [[rows = 0, columns = 0], [, width = 0]] = [spec.shape, have];
  if (spec.shape.some((size, i) => size > (have[i] ?? 0))) throw adapterShapeMismatch(folder, spec.peft.name, have, spec.shape);
  const values = givenStart(contents.shared, spec);
  return width === columns ? values.slice(0, rows * columns) : Float32Array.from({ length: rows * columns }, (_, i) => values[Math.floor(i / columns) * width + (i % columns)] ?? NaN);
}

/** A tensor trained whole, with the adapter's value and under the adapter's name. */
function withSaved(trainable: Trainable, module: string, { contents, folder }: OpenedAdapter): Trainable {
  const site = trainable.parameter === "weight" ? trainable.site : undefined;
  const name = `${module}.${trainable.parameter}`;
  const tensor = contents.saved.get(name);
  if (tensor === undefined) return trainable;
  const { hut } = contents;
  const layout = site === undefined ? "nk" : hut === undefined ? torchLayout(site) : hut.saved[name]?.layout ?? "nk";
  const expected = site === undefined ? trainable.shape : savedShape(site, layout);
  if (tensor.shape.join() !== expected.join()) {
    throw new HutError("ADAPTER_SHAPE_MISMATCH", { folder, module: name, adapter: tensor.shape, model: expected },
      `The adapter ${quote(folder)} is for another model: its ${quote(name)} is [${tensor.shape.join(", ")}], the model's is [${expected.join(", ")}].`);
  }
  const start = site === undefined ? tensor.data : inLayout(tensor.data, site, layout, trainable.layout ?? "nk");
  return startingFrom(trainable, { name, modulePath: module, start });
}
