/** Ctrl-C: the first asks the work to stop, the second ends the process at once. */
import { interrupted } from "../errors/usage.ts";

/** Where SIGINT comes from: `process`, or a test's emitter. */
export interface SignalSource {
  on(event: "SIGINT", listener: () => void): unknown;
  off(event: "SIGINT", listener: () => void): unknown;
}

/** A command's share of Ctrl-C, until `release`. */
export interface Interrupts {
  /** Aborted by the first Ctrl-C; its reason is the HutError INTERRUPTED. */
  readonly signal: AbortSignal;
  release(): void;
}

/** Listens until released. `onFirst` tells the user; `onSecond` must end the process. */
export function catchInterrupts(source: SignalSource, onFirst: () => void, onSecond: () => void): Interrupts {
  const controller = new AbortController();
  const listener = (): void => {
    if (controller.signal.aborted) {
      onSecond();
      return;
    }
    onFirst();
    controller.abort(interrupted());
  };
  source.on("SIGINT", listener);
  return { signal: controller.signal, release: () => source.off("SIGINT", listener) };
}
