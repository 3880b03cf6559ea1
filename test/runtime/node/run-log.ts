/** The lines of a metrics.jsonl without what differs from run to run: the times. */
export function withoutTimes(log: string): string[] {
  return log.split("\n").map((line) => line.replace(/,"eval_runtime":[^,}]+/, ""));
}
