/** A task with the figures that a benchmark reports of it. */
import { mainMetric, type MetricName } from "../metric-names.ts";
import type { Task } from "./task.ts";

/** The task with these figures before its others, wherever they are told, and the first of them as the main one. */
export function withOfficial(task: Task, [first, ...others]: readonly [MetricName, ...MetricName[]]): Task {
  const main = mainMetric(first);
  const official = [main.name, ...others.map((name) => mainMetric(name).name)];
  return {
    ...task,
    mainMetric: main,
    official,
    attachEvaluation(model, logits) {
      const own = task.attachEvaluation(model, logits);
      return {
        ...own,
        start(names) {
          const meter = own.start(names);
          return {
            add: (made, batch) => { meter.add(made, batch); },
            result() {
              const figures = meter.result();
              return { ...Object.fromEntries(official.flatMap((name) => { const value = figures[name]; return value === undefined ? [] : [[name, value]]; })), ...figures };
            },
            classes: () => meter.classes?.() ?? [],
          };
        },
      };
    },
  };
}
