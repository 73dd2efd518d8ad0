const signals = ["SIGINT", "SIGTERM"] as const;
/** One Ctrl-C can arrive twice: the terminal sends it to the whole group, and npm passes its own on to us. */
const SAME_KEYSTROKE_MS = 500;

/** Resolves with the first signal that asks the process to end. A later one, of another keystroke, calls `force`. */
export function stopSignal(force: () => void): { readonly asked: Promise<NodeJS.Signals>; readonly forget: () => void } {
  let firstAtMs: number | null = null;
  let tell: (signal: NodeJS.Signals) => void = () => undefined;
  const asked = new Promise<NodeJS.Signals>((resolve) => (tell = resolve));
  const onSignal = (signal: NodeJS.Signals): void => {
    if (firstAtMs === null) {
      firstAtMs = performance.now();
      tell(signal);
    } else if (performance.now() - firstAtMs > SAME_KEYSTROKE_MS) force();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    asked,
    forget: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
