import { measure } from "./processes.mjs";
import { medians } from "./table.mjs";

const load = new URL("./load.mjs", import.meta.url).pathname;

/** A subject that just started is several times slower than it is after this many answers, whatever else the machine does meanwhile; a slow peer is not waited for. */
const WARM_ANSWERS = 20_000;
const LONGEST_WARM_UPS = 4;

async function warmUp(subject, options) {
  for (let answers = 0, i = 0; answers < WARM_ANSWERS && i < LONGEST_WARM_UPS; i++)
    answers += (await measure(load, { ...options, ratePerSecond: 0, ...subject.request, port: subject.port, seconds: 3 })).answers;
}

/**
 * Loads every subject once a round, in turn, so that what else the machine does falls on all alike; gives the medians.
 * `unit` names what CPU time is divided by: answers, or chunks of streams.
 */
export async function rounds(subjects, { count, unit = "answers", ...options }) {
  const seen = new Map(subjects.map((subject) => [subject.name, []]));
  for (const subject of subjects) await warmUp(subject, options);
  for (let round = 0; round < count; round++) {
    for (const subject of subjects) {
      const before = subject.process?.cpuMicros() ?? null;
      const result = await measure(load, { ...options, ...subject.request, port: subject.port });
      const after = subject.process?.cpuMicros() ?? null;
      // The warm-up is loaded too: its share of the CPU time is taken off by time.
      const share = options.seconds / (options.seconds + 0.5);
      const cpu = before === null ? null : Number((((after - before) * share) / result[unit]).toFixed(1));
      delete result.startedAtMs;
      seen.get(subject.name).push({ ...result, cpuMicros: cpu });
      if (result.errors > 0) throw new Error(`${subject.name} answered ${result.errors} of ${result.answers} calls with an error`);
    }
  }
  return Object.fromEntries([...seen].map(([name, list]) => [name, medians(list)]));
}
