import type { Log } from "../util/log.js";

const signals = ["SIGINT", "SIGTERM"] as const;
/** One Ctrl-C can arrive twice: the terminal sends it to the whole group, and npm passes its own on to us. */
const SAME_KEYSTROKE_MS = 500;
/** A process whose work is done but which something unknown keeps alive ends after this. */
const EXIT_MS = 1_000;

export interface SignalOptions {
  readonly log: Log;
  readonly close: () => Promise<void>;
  /** Drops what is still open. */
  readonly force: () => void;
}

/** The first SIGINT or SIGTERM closes; a second one, of another keystroke, has its usual effect at once. Returns what takes the handlers away again. */
export function onSignals(o: SignalOptions): () => void {
  let closingSinceMs: number | null = null;
  const forget = (): void => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (closingSinceMs !== null) {
      if (performance.now() - closingSinceMs <= SAME_KEYSTROKE_MS) return;
      o.force();
      forget();
      process.kill(process.pid, signal);
      return;
    }
    closingSinceMs = performance.now();
    o.log.info("closing; once more to end at once", { signal });
    o.close()
      .catch((error: unknown) => {
        process.exitCode = 1;
        o.log.error("closing failed", { message: error instanceof Error ? error.message : String(error) });
      })
      .finally(() => {
        forget();
        setTimeout(() => process.exit(), EXIT_MS).unref();
      });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
