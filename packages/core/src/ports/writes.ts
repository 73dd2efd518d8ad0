import type { Entity, Key, LogEntity } from "../entities/index.js";
import type { Change, KeptInstants, StoreNow, Where, Write } from "./record-store.js";

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
/** A row that another store had, with the instants that it had there. */
export function moveIn<R>(entity: Entity<R>, row: NewRow<R>, kept: KeptInstants | undefined): Write {
  return { op: "insert", entity: entity as Entity<object>, row: row as Readonly<Record<string, unknown>>, ifTaken: "refuse", kept };
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
/** `ifLast`: the newest seq the writer knows of; the unit is refused when there is a newer one. `atMs`: the instants of entries that another store had. */
export function append<E>(
  log: LogEntity<E>,
  stream: Key,
  o: { readonly entries: readonly E[]; readonly ifLast?: number | undefined; readonly atMs?: readonly number[] | undefined },
): Write {
  return {
    op: "append",
    log: log as LogEntity<object>,
    stream,
    entries: o.entries as readonly Readonly<Record<string, unknown>>[],
    ifLast: o.ifLast,
    atMs: o.atMs,
  };
}
/** `upToSeq`: what is newer stays, and seqs go on; left out: the whole stream, with the memory of its seqs. A stream that is not there is erased already. */
export function erase<E>(log: LogEntity<E>, stream: Key, o: { readonly upToSeq?: number | undefined } = {}): Write {
  return { op: "erase", log: log as LogEntity<object>, stream, upToSeq: o.upToSeq };
}
