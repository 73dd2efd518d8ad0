/** Moves this process's clock, for everything in it: what a machine with a wrong clock has. Timers and monotonic time stay right. */
export function skewClock(byMs: number): void {
  if (byMs === 0) return;
  const right = Date.now.bind(Date);
  const Right = Date;
  const Skewed = function (this: unknown, ...args: unknown[]) {
    if (new.target === undefined) return new Right(right() + byMs).toString();
    return args.length === 0 ? new Right(right() + byMs) : Reflect.construct(Right, args);
  };
  Object.setPrototypeOf(Skewed, Right);
  Skewed.prototype = Right.prototype;
  Object.assign(Skewed, { now: () => right() + byMs, UTC: Right.UTC, parse: Right.parse });
  globalThis.Date = Skewed as unknown as DateConstructor;
}
