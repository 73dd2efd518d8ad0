import { measure } from "./processes.mjs";
import { medians } from "./table.mjs";

const load = new URL("./load.mjs", import.meta.url).pathname;

/**
 * Loads every subject once a round, in turn, so that what else the machine does falls on all alike; gives the medians.
 * `unit` names what CPU time is divided by: answers, or chunks of streams.
 */
export async function rounds(subjects, { count, unit = "answers", ...options }) {
  const seen = new Map(subjects.map((subject) => [subject.name, []]));
  // Compilers warm up first: a subject that just started is several times slower.
  for (const subject of subjects) await measure(load, { ...options, ratePerSecond: 0, ...subject.request, port: subject.port, seconds: 3 });
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
