import type { Entity, Key, LogEntity } from "../entities/index.js";
import type { Change, StoreNow, Where, Write } from "./record-store.js";

/** What an insert gives: all but what the store keeps. An id left out is made by the store's caller, not by the store. */
export type NewRow<R> = Omit<R, "version" | "createdAtMs" | "updatedAtMs">;

export const now: StoreNow = { storeNowPlusMs: 0 };
export const nowPlus = (ms: number): StoreNow => ({ storeNowPlusMs: ms });

/** `skip`: the unique row stands, the unit goes on. */
export function insert<R>(
  entity: Entity<R>,
  row: { readonly [K in keyof NewRow<R>]: NewRow<R>[K] | StoreNow },
  ifTaken: "refuse" | "skip" = "refuse",
): Write {
  return { op: "insert", entity: entity as Entity<object>, row: row as Readonly<Record<string, unknown>>, ifTaken };
}
export function update<R>(
  entity: Entity<R>,
  id: Key,
  o: { readonly change: Change<R>; readonly where?: Where<R>; readonly ifVersion?: number },
): Write {
  return {
    op: "update",
    entity: entity as Entity<object>,
    id,
    change: o.change as Change<Record<string, unknown>>,
    where: o.where as Where<Record<string, unknown>> | undefined,
    ifVersion: o.ifVersion,
  };
}
export function remove<R>(entity: Entity<R>, id: Key, o: { readonly where?: Where<R>; readonly ifVersion?: number } = {}): Write {
  return {
    op: "remove",
    entity: entity as Entity<object>,
    id,
    where: o.where as Where<Record<string, unknown>> | undefined,
    ifVersion: o.ifVersion,
  };
}
/** `ifLast`: the newest seq the writer knows of; the unit is refused when there is a newer one. */
export function append<E>(
  log: LogEntity<E>,
  stream: Key,
  o: { readonly entries: readonly E[]; readonly ifLast?: number | undefined },
): Write {
  return {
    op: "append",
    log: log as LogEntity<object>,
    stream,
    entries: o.entries as readonly Readonly<Record<string, unknown>>[],
    ifLast: o.ifLast,
  };
}
