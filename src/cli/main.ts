#!/usr/bin/env node
/** The `onnx-hut` program. */
import "./young-generation.ts";
import { streamUnwritable } from "../errors/usage.ts";
import { packageVersion } from "../runtime/node/own-package.ts";
import { reportError } from "./report-error.ts";
import { runCli } from "./run-cli.ts";
import { VERBS } from "./verbs.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `onnx-hut … | head` closes the pipe early. What was to be done is done all the same.
    if (error.code === "EPIPE") return;
    process.exit(reportError(streamUnwritable(error), { stdout: process.stderr, stderr: process.stderr, json: false, verbose: false }));
  });
}

process.exitCode = await runCli(process.argv.slice(2), {
  verbs: VERBS, readConfig: async (...asked) => (await import("./config/read-config.ts")).readConfig(...asked), stdout: process.stdout, stderr: process.stderr, signals: process, exit: (code) => process.exit(code), version: packageVersion(),
});
