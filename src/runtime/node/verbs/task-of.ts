/** Which task a verb is to do: by the user's words, else by what the adapter was trained for, else by the model's config.json. */
import { withGlueMetrics } from "../../data/glue.ts";
import type { DataOptions, OwnLossOptions } from "../../options.ts";
import type { OpenedAdapter } from "../../prepare.ts";
import { openLoss } from "../open-loss.ts";
import { withLoss } from "../../tasks/with-loss.ts";
import { taskNamed, taskOfPeft } from "../../tasks/registry.ts";
import type { Task } from "../../tasks/task.ts";
import { problemOfConfig } from "../model-config.ts";
import type { OpenedModel } from "../open-model.ts";

/** The task. Throws PROBLEM_OF_OTHER_TASK. */
export function taskOf(opened: OpenedModel, options: OwnLossOptions & Pick<DataOptions, "task" | "problem" | "pooling" | "glue">, adapter: OpenedAdapter | undefined): Task {
  const task = options.task ?? taskOfPeft(adapter?.contents.taskType ?? null);
  const pooling = options.pooling ?? (task === "feature-extraction" ? adapter?.contents.hut?.pooling : undefined);
  const found = withGlueMetrics(taskNamed({ ...options, task, pooling }, adapter?.contents.hut?.problem ?? problemOfConfig(opened.path)), options.glue);
  return options.loss === undefined ? found : withLoss(found, openLoss(options.loss));
}
