import { AsyncLocalStorage } from "node:async_hooks";

/** Later than this, and what a case did in real time is not what it meant to do. */
const LATE_MS = 20;
/** What a case does besides waiting takes less, with its connections. */
const BUSY_MS = 300;
const TRIES = 6;

interface Run {
  wasLate: boolean;
  passedMs: number;
}
const runs = new AsyncLocalStorage<Run>();
const under = new Set<Run>();

let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  if (nowMs - lastMs > 20 + LATE_MS) for (const run of under) run.wasLate = true;
  lastMs = nowMs;
}, 20).unref();

/** Real time for a contract. */
export const realTime = {
  now: () => Date.now(),
  pass: async (ms: number): Promise<void> => {
    const fromMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    const run = runs.getStore();
    if (run !== undefined) run.passedMs += ms;
    if (run !== undefined && performance.now() - fromMs > ms + LATE_MS) run.wasLate = true;
  },
};

/** A case that failed while the machine was too busy to keep time is tried again; one that failed in time has failed. */
export async function unhurried(body: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    const run: Run = { wasLate: false, passedMs: 0 };
    const fromMs = performance.now();
    under.add(run);
    try {
      return await runs.run(run, body);
    } catch (error) {
      const wasLate = run.wasLate || performance.now() - fromMs - run.passedMs > BUSY_MS;
      if (!wasLate || tries === TRIES) throw error;
    } finally {
      under.delete(run);
    }
  }
}
