/** Ctrl-C, and SIGTERM, by which schedulers and containers end a process: the first asks the work to stop, the second ends the process at once. */
import { interrupted } from "../errors/usage.ts";

export type SignalName = "SIGINT" | "SIGTERM";

/** Where signals come from: `process`, or a test's emitter. */
export interface SignalSource {
  on(event: SignalName, listener: () => void): unknown;
  off(event: SignalName, listener: () => void): unknown;
}

/** A command's share of the signals, until `release`. */
export interface Interrupts {
  /** Aborted by the first; its reason is the HutError INTERRUPTED. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Listens until released. `onFirst` tells the user; `onSecond` must end the process. */
export function catchInterrupts(source: SignalSource, names: readonly SignalName[], onFirst: () => void, onSecond: () => void): Interrupts {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      return;
    }
    onFirst();
    controller.abort(interrupted());
  };
  for (const name of names) source.on(name, listener);
  return { signal: controller.signal, release: () => { for (const name of names) source.off(name, listener); } };
}
