/** Where a graph's time goes: the kernels of a profiled run, added up by operator. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InferenceSession, type Tensor } from "onnxruntime-node";

/** One operator's part of all kernel time, as ONNX Runtime calls it after its own fusions. */
export interface KernelTime {
  readonly op: string;
  /** 0 to 1. */
  readonly share: number;
  /** Milliseconds of one run, the mean of those profiled. */
  readonly ms: number;
  /** Kernels of one run. */
  readonly kernels: number;
}

export interface ProfileOptions {
  /** The serialized graph. */
  readonly bytes: Uint8Array;
  /** Where its external data lies. */
  readonly folder: string;
  readonly threads: number;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
}

/** An event of ONNX Runtime's profile (Chrome's trace format). Times are in microseconds. */
interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

/** Runs that are counted, after one that is not: it allocates. */
const RUNS = 5;

/** Profiles a graph in a session of its own, since profiling slows it down. The operator that costs most comes first. */
export async function kernelTimes({ bytes, folder, threads, feeds, outputs }: ProfileOptions): Promise<KernelTime[]> {
  const scratch = mkdtempSync(join(tmpdir(), "onnx-hut-profile-"));
  try {
    const session = await InferenceSession.create(bytes, {
      intraOpNumThreads: threads, logSeverityLevel: 3, enableProfiling: true, profileFilePrefix: join(scratch, "step"),
      extra: { session: { model_external_initializers_file_folder_path: folder } },
    });
    for (let run = 0; run < 1 + RUNS; run++) await session.run(feeds, [...outputs]);
    session.endProfiling();
    await session.release();
    const [file] = readdirSync(scratch);
    if (file === undefined) throw new Error("ONNX Runtime wrote no profile");
    return sumByOperator(JSON.parse(readFileSync(join(scratch, file), "utf8")) as ProfileEvent[]);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

function sumByOperator(events: readonly ProfileEvent[]): KernelTime[] {
  const first = events.find((e) => e.name === "model_run");
  if (first === undefined) throw new Error("ONNX Runtime's profile tells of no run");
  const kernels = events.filter((e) => e.cat === "Node" && e.name.endsWith("_kernel_time") && e.ts >= first.ts + first.dur);
  const total = kernels.reduce((sum, e) => sum + e.dur, 0);
  const byOperator = new Map<string, { time: number; count: number }>();
  for (const { args, dur } of kernels) {
    const op = args?.op_name ?? "?";
    const { time, count } = byOperator.get(op) ?? { time: 0, count: 0 };
    byOperator.set(op, { time: time + dur, count: count + 1 });
  }
  return [...byOperator].map(([op, { time, count }]) => ({ op, share: time / total, ms: time / RUNS / 1000, kernels: count / RUNS }))
    .sort((a, b) => b.share - a.share);
}
