/**
 * Finds embeddings that are a product's weight too: a language model's head that shares its embedding's numbers.
 *
 * Exporters either store them once, and the product reads the constant transposed, or write a transposed copy. That copy is known by its numbers alone: no two
 * trained matrices agree in every one.
 */
import type { Use, Value } from "../../ir/graph.ts";
import { isFloating } from "../../ir/data-type.ts";
import { inLayout } from "../adapt.ts";
import type { ModuleParameter } from "./find-parameters.ts";
import type { WeightSite } from "./find-weights.ts";
import { scopePath } from "./module-path.ts";
import { float32Of, storedFloats } from "./weight-values.ts";

/** An embedding [n, k], and the weight that has its numbers. */
export interface Tied {
  readonly parameter: ModuleParameter;
  readonly site: WeightSite;
}

/** The parameters, embeddings of one constant as one: those of an encoder and its decoder, which dynamo calls by the two modules. */
export function sharedEmbeddings(parameters: readonly ModuleParameter[]): ModuleParameter[] {
  const known = new Map<Value, ModuleParameter>();
  return parameters.flatMap((parameter) => {
    if (!isEmbedding(parameter)) return [parameter];
    const first = known.get(parameter.constant);
    if (first === undefined) {
      const own = { ...parameter, uses: [...parameter.uses] };
      known.set(parameter.constant, own);
      return [own];
    }
    first.uses.push(...parameter.uses);
    return [];
  });
}

/** Each weight that is tied, with its embedding: one of `parameters`, or what else reads the weight's own constant. */
export function findTied(sites: readonly WeightSite[], parameters: readonly ModuleParameter[]): Tied[] {
  const matrices = parameters.filter(({ tensor }) => tensor.dims.length === 2 && isFloating(tensor.dataType));
  return sites.flatMap((site) => {
    if (site.quantized !== undefined || site.dims.length !== 2) return [];
    const parameter = matrices.find((p) => p.constant === site.constant) ?? embeddingOf(site) ?? matrices.find((p) => haveOneValue(p, site));
    return parameter === undefined ? [] : [{ parameter, site }];
  });
}

function isEmbedding({ tensor, uses }: ModuleParameter): boolean {
  return tensor.dims.length === 2 && isFloating(tensor.dataType) && uses.every(isLookUp);
}

function isLookUp({ node, index }: Use): boolean {
  return node.opType === "Gather" && index === 0;
}

/** What looks rows up in the very constant of a weight stored [n, k]. Dynamo calls it by one of the two names, and the scope of the node says the other. */
function embeddingOf({ constant, tensor, stored, name }: WeightSite): ModuleParameter | undefined {
  const uses = constant.uses.filter(isLookUp);
  const [first] = uses;
  if (first === undefined || stored !== "nk") return undefined;
  const path = scopePath(first.node) ?? /^([^/:]+)\.weight$/.exec(constant.name)?.[1] ?? constant.name;
  return { modulePath: path, parameter: "weight", initializer: name, constant, tensor, uses: [...uses] };
}

/** Compares a few values before all of them. */
function haveOneValue({ tensor }: ModuleParameter, site: WeightSite): boolean {
  const { k, n, stored } = site;
  if (tensor.dims[0] !== n || tensor.dims[1] !== k) return false;
  const [theirs, own] = [float32Of(tensor), storedFloats(site)];
  const at = (row: number, column: number): number => own[stored === "nk" ? row * k + column : column * n + row] ?? NaN;
  if (Array.from({ length: n }, (_, row) => row).some((row) => theirs[row * k] !== at(row, 0))) return false;
  return new Set(theirs.subarray(0, k)).size > 1 && inLayout(own, site, stored, "nk").every((v, i) => v === theirs[i]);
}
