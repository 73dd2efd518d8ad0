import type { Child } from "./child.js";
import type { Farm } from "./farm.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** `SALLYPORT_CRASH_DOSE=0.1`: a tenth of everything, for a quick look; 10: ten times as much. */
export function dose(times: number): number {
  return Math.max(2, Math.round(times * Number(process.env["SALLYPORT_CRASH_DOSE"] ?? "1")));
}

/** Small numbers in a fixed but patternless order. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

export interface Killing {
  readonly kills: number;
  readonly workers: number;
  readonly seed: number;
}

const isReady = ({ lines }: Child): boolean => lines.includes("ready");

/** Keeps so many workers; resolves when at least half of them are at work. */
export async function employ(farm: Farm, workers: number): Promise<void> {
  while (farm.workers.size < workers) farm.worker();
  while ([...farm.workers].filter(isReady).length < workers / 2) {
    while (farm.workers.size < workers) farm.worker();
    await pause(10);
  }
}

/** kill -9, one after the other, each started again at once. */
export async function killWorkers(farm: Farm, o: Killing): Promise<void> {
  const random = randomFrom(o.seed);
  for (let kills = 0; kills < o.kills; kills++) {
    await employ(farm, o.workers);
    await pause(random() * 250);
    // Mostly one that is at work; now and then one that has hardly begun.
    const ready = [...farm.workers].filter(isReady);
    const victims = ready.length > 0 && random() < 0.9 ? ready : [...farm.workers];
    await victims[Math.floor(random() * victims.length)]?.kill();
    farm.recoveries.over("worker: kill -9");
  }
  await employ(farm, o.workers);
}

/** How long `freezeWorkers` freezes those whose lease is so long. */
export const frozenMs = (leaseMs: number): number => leaseMs * 1.5 + 700;

/** SIGSTOP for longer than the lease, then SIGCONT, then a while to do harm in. Others work on meanwhile. */
export async function freezeWorkers(
  farm: Farm,
  o: { readonly times: number; readonly leaseMs: number; readonly workers: number },
): Promise<void> {
  for (let times = 0; times < o.times; ) {
    await employ(farm, o.workers);
    const ready = [...farm.workers].filter(({ lines }) => lines.some((line) => line.startsWith("begun")));
    if (ready.length < 2) {
      await pause(20);
      continue;
    }
    // All but one at once.
    const victims = ready.slice(1);
    for (const { process: victim } of victims) victim.kill("SIGSTOP");
    times += victims.length;
    await pause(frozenMs(o.leaseMs));
    for (const { process: victim } of victims) victim.kill("SIGCONT");
    farm.recoveries.over("worker: frozen past its lease");
    await pause(700);
  }
}
