import type { Place } from "./places.js";
import type { Producer } from "./producer.js";

/** How long it took, from the end of a fault, until a task that was asked for after it was accepted, and until one was finished. */
export interface Recovery {
  readonly fault: string;
  readonly acceptedMs: number;
  readonly finishedMs: number;
}

/** Measures how faults heal: nobody restarts anything beside what the fault itself took away. */
export class Recoveries {
  readonly all: Recovery[] = [];
  readonly #place: Place;
  readonly #producer: Producer;
  readonly #ends: { readonly fault: string; readonly atMs: number }[] = [];
  /** From when until when not everybody was there to take something. */
  readonly #outages: { readonly fromMs: number; readonly toMs: number }[] = [];

  constructor(place: Place, producer: Producer) {
    this.#place = place;
    this.#producer = producer;
  }

  /** The fault is over now. `outageFromMs`: from then until now there was no database, or nobody to work. */
  over(fault: string, o: { readonly outageFromMs?: number } = {}): void {
    const atMs = Date.now();
    this.#ends.push({ fault, atMs });
    if (o.outageFromMs !== undefined) this.#outages.push({ fromMs: o.outageFromMs, toMs: atMs });
  }

  /** When the work is done: what every fault that is over took to heal. */
  async measure(): Promise<readonly Recovery[]> {
    const finished = await this.#place.rows(
      "select at_ms from crash_history where from_status = 'running' and to_status in ('succeeded', 'failed') order by at_ms",
    );
    const finishedAt = finished.map(([at]) => Number(at));
    const acceptedAt = this.#producer.accepted
      .map(({ askedAtMs, acceptedAtMs }) => ({ askedAtMs, acceptedAtMs }))
      .sort((a, b) => a.acceptedAtMs - b.acceptedAtMs);
    for (const { fault, atMs } of this.#ends.splice(0)) {
      const accepted = acceptedAt.find(({ acceptedAtMs }) => acceptedAtMs > atMs)?.acceptedAtMs;
      const done = finishedAt.find((at) => at > atMs);
      this.all.push({ fault, acceptedMs: (accepted ?? Number.NaN) - atMs, finishedMs: (done ?? Number.NaN) - atMs });
    }
    return this.all;
  }

  /** How long after the end of its lease a task whose worker died was taken again, ms, in order; from the end of an outage, when that came later. */
  async reclaims(): Promise<number[]> {
    const taken = await this.#place.rows(
      "select at_ms, from_ready from crash_history where from_status = 'running' and to_status = 'running' and to_attempt > from_attempt",
    );
    const late = ([at, ready]: string[]): number =>
      Number(at) -
      Math.max(Number(ready), ...this.#outages.flatMap(({ fromMs, toMs }) => (fromMs > Number(at) ? [] : [Math.min(toMs, Number(at))])));
    return taken.map(late).sort((a, b) => a - b);
  }
}

/** A table for people: a line for each kind of fault. */
export function recoveryTable(title: string, all: readonly Recovery[]): string {
  const kinds = [...new Set(all.map(({ fault }) => fault))];
  const lines = kinds.map((kind) => {
    const of = all.filter(({ fault }) => fault === kind);
    const [accepted, finished] = [of.map(({ acceptedMs }) => acceptedMs), of.map(({ finishedMs }) => finishedMs)].map(spread);
    return `  ${kind.padEnd(44)} ${String(of.length).padStart(4)} ×   accepted again ${accepted}   finished again ${finished}`;
  });
  return `${title}: from the end of the fault, ms (median / worst)\n${lines.join("\n")}`;
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): string => String(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? "-");
  return `${at(0.5).padStart(5)} / ${at(1).padStart(5)}`;
}
