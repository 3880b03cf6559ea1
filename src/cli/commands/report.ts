/** `onnx-hut report`: what runs did, as one HTML file. */
import { metricWords, spreadWords } from "../../runtime/report/words.ts";
import type { ReportOptions } from "../../runtime/options.ts";
import type { ReportResult } from "../../runtime/results.ts";
import { defineCommand, type Command } from "../command.ts";
import { dataFile, examples, modelOfRuns, output, provider, threads, tokenizer } from "../flags.ts";
import { bytes, duration, grouped, operations } from "../format.ts";
import { printable } from "../printable.ts";
import { facts, table } from "../table.ts";

export const report: Command = defineCommand<ReportOptions, ReportResult>({
  name: "report",
  alsoCalled: ["plot", "dashboard", "compare", "summary"],
  summary: "show one run, or compare several, on one HTML page",
  description: "Writes one HTML file that needs nothing else: curves, settings and figures of each RUN; with several, a comparison, in which runs that differ only in their seed are taken together; "
    + "the model's mistakes on the runs' dev set, and what training did to the weights. For the last two the base model and the data are read again.",
  takes: "runs",
  flags: {
    output: { ...output("file", "the page to write"), default: "report.html" },
    model: modelOfRuns, data: { ...dataFile("labelled data to look for mistakes in"), default: "the runs' own dev set" }, tokenizer, examples, threads, provider,
  },
  example: "onnx-hut report run another-run -o report.html",
  gives: ["metric", "runs", "groups", "examined", "notes", "output", "bytesWritten", "seconds"],
  run: (verbs, _model, options, runs) => verbs.report(runs, options),
  show: ({ metric, groups, notes, output: written, bytesWritten, seconds }) => [
    ...table([{ title: "method" }, { title: "seeds", right: true }, ...(metric === null ? [] : [{ title: metricWords(metric.name), right: true }]), { title: "operations", right: true }, { title: "time", right: true }],
      groups.map((group) => {
        const spread = metric === null ? undefined : group.metrics[metric.name];
        return [printable(group.name), grouped(group.runs.length), ...(metric === null ? [] : [spread === undefined ? "-" : spreadWords(spread)]), group.flops === null ? "-" : operations(group.flops), group.seconds === null ? "-" : duration(group.seconds.mean)];
      })),
    ...(notes.length === 0 ? [] : ["", ...notes.map(printable)]),
    "",
    ...facts([["written", `${printable(written)}, ${bytes(bytesWritten)}`], ["took", duration(seconds)]]),
  ],
});
