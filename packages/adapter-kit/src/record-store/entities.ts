import { z } from "zod";
import {
  bool,
  defineEntity,
  defineLedger,
  defineLog,
  field,
  int,
  json,
  longText,
  text,
  type AnyEntity,
  type AnyLogEntity,
  type RowType,
} from "@sallyport/core/entities";
import type { NewRow } from "@sallyport/core/ports";

const projectId = field(z.string(), { access: "create-only", column: text(64) });

/** Rows with every kind of column, every kind of index, and the fields that work is taken by. */
export const kitItem = defineEntity({
  name: "kitItem",
  table: "kit_items",
  kind: "machine",
  scope: "projectId",
  watched: true,
  fields: {
    projectId,
    slug: field(z.string().nullable(), { access: "create-only", column: text(40) }),
    status: field(z.string(), { access: "server", column: text(16) }),
    kind: field(z.string(), { access: "server", column: text(16) }),
    priority: field(z.int(), { access: "server", column: int }),
    readyAtMs: field(z.int(), { access: "server", column: int }),
    rank: field(z.int().nullable(), { access: "server", column: int }),
    label: field(z.string().nullable(), { access: "server", column: text(40) }),
    attempt: field(z.int(), { access: "server", column: int }),
    spent: field(z.int().nullable(), { access: "server", column: int }),
    active: field(z.boolean(), { access: "server", column: bool }),
    note: field(z.string().nullable(), { access: "server", column: longText }),
    body: field(z.unknown(), { access: "server", column: json }),
    seenAtMs: field(z.int().nullable(), { access: "server", column: int, touch: true }),
  },
  unique: [["projectId", "slug"]],
  indexes: [["status", "kind", "priority", "readyAtMs", "id"], ["projectId", "rank"], ["projectId", "createdAtMs"], ["label"], ["active"]],
});
export type KitItem = RowType<typeof kitItem>;

/** Rows that every scope sees, unwatched. */
export const kitShared = defineEntity({
  name: "kitShared",
  table: "kit_shared",
  kind: "record",
  scope: null,
  fields: {
    name: field(z.string(), { access: "open", column: text(80) }),
    count: field(z.int(), { access: "server", column: int }),
  },
  unique: [["name"]],
  indexes: [["count"]],
});

/** Rows that refer to others. */
export const kitPart = defineEntity({
  name: "kitPart",
  table: "kit_parts",
  kind: "machine",
  scope: "projectId",
  watched: true,
  fields: {
    projectId,
    itemId: field(z.string().nullable(), { access: "server", column: text(64), ref: { entity: "kitItem", onDelete: "cascade" } }),
    size: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["itemId"]],
});

export const kitEntry = defineLedger({
  name: "kitEntry",
  table: "kit_entries",
  scope: "projectId",
  fields: {
    projectId,
    kind: field(z.string(), { access: "server", column: text(16) }),
    paid: field(z.boolean(), { access: "server", column: bool }),
    amount: field(z.int().nullable(), { access: "server", column: int }),
    tokens: field(z.int().nullable(), { access: "server", column: int }),
  },
  indexes: [["projectId", "atMs"], ["kind", "atMs"], ["atMs"]],
});

export const kitEvent = defineLog({
  name: "kitEvent",
  table: "kit_events",
  scope: "projectId",
  fields: {
    projectId,
    n: field(z.int(), { access: "server", column: int }),
    body: field(z.unknown(), { access: "server", column: json }),
  },
});

/** What a store under test has to be opened with. */
export const kitEntities: readonly (AnyEntity | AnyLogEntity)[] = [kitItem, kitShared, kitPart, kitEntry, kitEvent];

export const mine = { projects: ["p1"] };
export const theirs = { projects: ["p2"] };
export const system = { system: "adapter kit" };

/** A complete row; `over` last. */
export function item(id: string, over: Partial<KitItem> = {}): NewRow<KitItem> {
  return {
    id,
    projectId: "p1",
    slug: null,
    status: "pending",
    kind: "a",
    priority: 0,
    readyAtMs: 0,
    rank: null,
    label: null,
    attempt: 0,
    spent: 0,
    active: true,
    note: null,
    body: null,
    seenAtMs: null,
    ...over,
  };
}

export function part(id: string, itemId: string | null): NewRow<RowType<typeof kitPart>> {
  return { id, projectId: "p1", itemId, size: 0 };
}

export function entry(id: string, atMs: number, over: Partial<RowType<typeof kitEntry>> = {}): RowType<typeof kitEntry> {
  return { id, atMs, projectId: "p1", kind: "a", paid: false, amount: null, tokens: null, ...over };
}

export function event(n: number, over: Partial<RowType<typeof kitEvent>> = {}): RowType<typeof kitEvent> {
  return { projectId: "p1", n, body: null, ...over };
}
