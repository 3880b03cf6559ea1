/** A model's bytes, of which a fresh Model can be made as often as one is needed: passes change what they are given. */
import { factsOf, setFacts } from "../ir/facts.ts";
import { modelFromProto } from "../ir/load.ts";
import type { Model } from "../ir/model.ts";
import { decodeModel } from "../ir/proto/decode.ts";
import type { ModelProto } from "../ir/proto/generated/schema.ts";
import type { OpenExternal } from "../ir/proto/tensor.ts";
import type { Source } from "../ir/source.ts";
import { inferGraph } from "../ops/infer.ts";
import { checkFunctions } from "../passes/check-functions.ts";
import { inlineFunctions } from "../passes/inline-functions.ts";

/** What makes fresh models. */
export interface Loadable {
  /** A fresh Model with inferred shapes, to be changed at will. */
  readonly load: () => Model;
}

export interface LoadableModel extends Loadable {
  /** Bytes of the file, external data left out. */
  readonly size: number;
  /** The same with its functions written out: what is looked through, adapted and trained. */
  readonly loadInlined: () => Model;
  /** The decoded message; not to be changed. */
  readonly proto: ModelProto;
}

/** Decodes a model. Throws HutError where it is no ONNX file, is damaged, or its functions would make too much. */
export function loadableModel(source: Source, openExternal?: OpenExternal): LoadableModel {
  const proto = decodeModel(source);
  let facts: ReturnType<typeof factsOf> | undefined;
  const load = (): Model => {
    const model = modelFromProto(proto, { file: source.name, openExternal });
    if (facts === undefined) inferGraph(model.graph, model.opsets);
    else setFacts(model.graph, facts);
    facts ??= factsOf(model.graph);
    return model;
  };
  const loadInlined = (): Model => {
    const model = load();
    if (inlineFunctions(model).calls > 0) inferGraph(model.graph, model.opsets);
    return model;
  };
  if (proto.functions.length > 0) checkFunctions(load());
  return { size: source.size, proto, load, loadInlined };
}
