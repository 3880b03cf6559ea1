/** A model as it is deployed, and a session on it: what evaluate, predict and generate run. */
import type { Model } from "../../../ir/model.ts";
import { deployable } from "../../adapted-modules.ts";
import type { HeadOptions, RunOptions } from "../../options.ts";
import { prepare, type OpenedAdapter } from "../../prepare.ts";
import { GraphSession, type OnnxRuntime } from "../../session.ts";
import type { Task } from "../../tasks/task.ts";
import { defaultRuntime } from "../default-runtime.ts";
import type { OpenedModel } from "../open-model.ts";

/** Of the options of a verb, those that change the graph. */
export interface DeployOptions extends HeadOptions {
  readonly outputName?: string | undefined;
  readonly force?: boolean | undefined;
}

/** The model as it would be deployed: adapted where an adapter is given. */
export function deployed(opened: OpenedModel, options: DeployOptions, adapter: OpenedAdapter | undefined, { savesHead }: Task): Model {
  if (adapter === undefined) return opened.load();
  return deployable(prepare(opened.load(), { ...options, adapter, saveHead: savesHead }));
}

/** A session that reads weights where they lie. */
export async function sessionOf(opened: OpenedModel, model: Model, { threads, provider }: RunOptions, runtime: OnnxRuntime | undefined): Promise<GraphSession> {
  return GraphSession.create(runtime ?? await defaultRuntime(), model, { name: opened.path, threads, provider, folder: opened.folder, save: { reference: (range) => opened.locate(range) } });
}
