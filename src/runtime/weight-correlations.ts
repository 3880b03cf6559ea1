/**
 * How a trained weight compares with what it was: the correlation of W₀ with W' = U(W₀), entry by entry, before training and after (figure 2a of
 * arXiv 2409.13501), and with the update ΔW = W' − W₀ by itself, which is so much smaller that W' hides it.
 */
import { interrupted } from "../errors/runtime.ts";
import { bySite, inLayout, type AdaptedSite, type Block, type Trainable } from "../passes/adapt.ts";
import { foldedFloats, type Evaluate } from "../passes/fold.ts";
import { parameterName } from "../passes/weights/find-parameters.ts";
import type { Role, WeightSite } from "../passes/weights/find-weights.ts";
import { float32Of, storedFloats } from "../passes/weights/weight-values.ts";
import { Pearson } from "./correlations.ts";
import type { CommonOptions } from "./options.ts";
import type { Prepared } from "./prepare.ts";
import { Random } from "./random.ts";

/** A figure at the adapter's start, and as it is now; null where there is none. */
export interface BeforeAndAfter {
  readonly before: number | null;
  readonly after: number | null;
}

/** A matrix that training changed: a weight, the columns of one role in a packed weight, or an embedding. */
export interface MatrixCorrelation {
  /** The module's path. */
  readonly module: string;
  /** Of a packed weight adapted by roles: which of them this is. */
  readonly role?: Role;
  /** [k, n]; of a tensor that no product multiplies with, as it is stored. */
  readonly shape: readonly [number, number];
  /** Whether parameters of the method update it, or it is trained whole. */
  readonly trained: "adapted" | "whole";
  /** Pearson's of W₀ and W', over all entries. Null where either is constant. */
  readonly correlation: BeforeAndAfter;
  /** Pearson's of W₀ and ΔW = W' − W₀. Null where ΔW is nothing, as it is where a method starts, or no more than float32 rounds off. */
  readonly updateCorrelation: BeforeAndAfter;
  /** ‖ΔW‖ / ‖W₀‖, Frobenius'. */
  readonly relativeUpdate: BeforeAndAfter;
  /** Some entries, the same ones in every run on this shape: what W₀ has there, and W' after training. For a scatter plot. */
  readonly sample: readonly (readonly [number, number])[];
}

export interface WeightCorrelations {
  /** In the order of the graph. */
  readonly matrices: readonly MatrixCorrelation[];
  /** Names of what is trained and is no matrix: biases, and what norms scale and shift by. */
  readonly others: readonly string[];
}

/** Most entries of a sample. */
const SAMPLE_SIZE = 400;
/** ‖ΔW‖ / ‖W₀‖ up to which ΔW may be what float32 rounds: DoRA divides by a norm and multiplies with it again. */
const ROUNDING = 1e-6;

/** A matrix as it was, as training found it, and as it is, in one layout; `before` is undefined where the start isn't known. */
interface Times {
  readonly base: Float32Array;
  readonly before: Float32Array | undefined;
  readonly after: Float32Array;
}

/** Places in such a matrix: how many, and where each lies. */
interface Places {
  readonly count: number;
  readonly at: (i: number) => number;
}

/**
 * Correlations of all that training changed. `after` is the model prepared with the trained adapter, `before` the same model prepared as the run began; without it
 * there are no figures of the start, and W₀ of a head that was attached is what `after` got by its seed. The method's own subgraph makes W', one weight in memory at
 * a time, in float32 whatever the weight is stored as: rounded to 16 bits, every entry would seem to be changed.
 */
export async function weightCorrelations({ before, after }: { readonly before?: Prepared | undefined; readonly after: Prepared }, evaluate: Evaluate, { signal, onProgress }: CommonOptions = {}): Promise<WeightCorrelations> {
  const matrices: MatrixCorrelation[] = [];
  const others: string[] = [];
  const sites = bySite(after.adapted);
  const total = sites.size + after.saved.length;
  const begin = (done: number): void => {
    if (signal?.aborted === true) throw interrupted();
    onProgress?.({ phase: "comparing with the base", done, total, unit: "weights" });
  };
  const started = new Map([...bySite(before?.adapted ?? [])].map(([site, parts]) => [site.name, parts]));
  for (const [done, [site, parts]] of [...sites].entries()) {
    begin(done);
    const base = storedFloats(site);
    const start = started.get(site.name);
    const times = { base, before: before === undefined ? undefined : start === undefined ? base : await updated(before, start, evaluate), after: await updated(after, parts, evaluate) };
    for (const { modulePath, block, weight } of parts) {
      matrices.push({ module: modulePath, ...(block === undefined ? {} : { role: block.role }), shape: [weight.k, weight.n], trained: "adapted", ...compared(times, placesOf(site, block)) });
    }
  }
  const beginnings = new Map(before?.saved.map((t) => [identityOf(t), t]));
  for (const [done, trainable] of after.saved.entries()) {
    begin(sites.size + done);
    const beginning = beginnings.get(identityOf(trainable));
    // A head that was attached has its start from the run's seed.
    const base = matrixOf(beginning ?? trainable);
    if (base === undefined) others.push(trainable.name);
    else matrices.push({ module: trainable.modulePath, shape: base.shape, trained: "whole", ...compared({ base: base.values, before: beginning?.start, after: trainable.start }, { count: base.values.length, at: (i) => i }) });
  }
  return { matrices, others };
}

async function updated({ method, model }: Prepared, parts: readonly AdaptedSite[], evaluate: Evaluate): Promise<Float32Array> {
  return float32Of(await foldedFloats(parts, method, model.opsets, evaluate));
}

/** The places of a weight as it is stored, of a part those of its columns. */
function placesOf({ k, n, stored }: WeightSite, block: Block | undefined): Places {
  if (block === undefined) return { count: k * n, at: (i) => i };
  const { columns } = block;
  return {
    count: k * columns.length,
    at(i) {
      const [row, column] = [Math.floor(i / columns.length), columns[i % columns.length] ?? NaN];
      return stored === "kn" ? row * n + column : column * k + row;
    },
  };
}

/** What a tensor trained whole goes by in every preparation of one model: an adapter may call it otherwise. */
function identityOf({ site, held, name, parameter }: Trainable): string {
  return site !== undefined ? `${site.name} ${parameter}` : held !== undefined ? parameterName(held) : name;
}

/** What the model has for a matrix that is trained whole, in the layout in which it is trained; undefined of any other tensor. */
function matrixOf({ site, parameter, layout, held }: Trainable): { readonly shape: readonly [number, number]; readonly values: Float32Array } | undefined {
  if (site !== undefined && parameter === "weight") return { shape: [site.k, site.n], values: inLayout(storedFloats(site), site, site.stored, layout ?? site.stored) };
  const [rows, columns, ...more] = held?.tensor.dims ?? [];
  return held === undefined || rows === undefined || columns === undefined || more.length > 0 ? undefined : { shape: [rows, columns], values: float32Of(held.tensor) };
}

function compared({ base, before, after }: Times, places: Places): Pick<MatrixCorrelation, "correlation" | "updateCorrelation" | "relativeUpdate" | "sample"> {
  const [first, last] = [before === undefined ? undefined : figures(base, before, places), figures(base, after, places)];
  const times = (of: (known: Figures) => number): BeforeAndAfter => ({ before: first === undefined ? null : finite(of(first)), after: finite(of(last)) });
  return {
    correlation: times((known) => known.correlation), updateCorrelation: times((known) => known.updateCorrelation), relativeUpdate: times((known) => known.relativeUpdate),
    sample: sampled(places.count).map((i) => [base[places.at(i)] ?? NaN, after[places.at(i)] ?? NaN] as const),
  };
}

interface Figures {
  readonly correlation: number;
  readonly updateCorrelation: number;
  readonly relativeUpdate: number;
}

function figures(base: Float32Array, now: Float32Array, { count, at }: Places): Figures {
  const [weight, update] = [new Pearson(), new Pearson()];
  const squares = { base: 0, update: 0 };
  for (let i = 0; i < count; i += 1) {
    const place = at(i);
    const [w, changed] = [base[place] ?? NaN, now[place] ?? NaN];
    const difference = changed - w;
    weight.add(w, changed);
    update.add(w, difference);
    squares.base += w * w;
    squares.update += difference * difference;
  }
  const relativeUpdate = Math.sqrt(squares.update / squares.base);
  return { correlation: weight.result(), updateCorrelation: relativeUpdate <= ROUNDING ? NaN : update.result(), relativeUpdate };
}

/** JSON has no word for what isn't finite. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Up to SAMPLE_SIZE of the numbers 0 to count − 1, rising: one from each of as many equal stretches, since equal distances would meet a few columns alone. */
function sampled(count: number): number[] {
  if (count <= SAMPLE_SIZE) return Array.from({ length: count }, (_, i) => i);
  const random = new Random(0);
  const begin = (stretch: number): number => Math.floor(stretch * count / SAMPLE_SIZE);
  return Array.from({ length: SAMPLE_SIZE }, (_, i) => begin(i) + random.below(begin(i + 1) - begin(i)));
}
