import { availableParallelism, loadavg } from "node:os";
import { kitEntities } from "@sallyport/adapter-kit";
import type { Entity, LogEntity } from "@sallyport/core/entities";
import { append, insert, type Unit } from "@sallyport/core/ports";

type Row = Record<string, unknown>;

const named = (name: string): unknown => kitEntities.find((entity) => entity.name === name);
export const kitItem = named("kitItem") as Entity<Row>;
export const kitShared = named("kitShared") as Entity<Row>;
export const kitEvent = named("kitEvent") as LogEntity<Row>;

export const scope = { system: "test" };
export const within = (ms = 10_000) => ({ deadlineMs: Date.now() + ms });

export const shared = (id: string, over: Row = {}): Unit => ({
  scope,
  writes: [insert(kitShared, { id, name: id, count: 0, ...over } as never)],
});
export const event = (stream: string, body: unknown = null): Unit => ({
  scope,
  writes: [append(kitEvent, stream, { entries: [{ projectId: "p1", n: 0, body }] })],
});

/** What every fault may take to heal by itself: ten seconds; more on a machine that has more than twice as much to do as it has processors. */
export function healsWithinMs(): number {
  const [load = 0] = loadavg();
  return 10_000 * Math.max(1, load / (2 * availableParallelism()));
}
