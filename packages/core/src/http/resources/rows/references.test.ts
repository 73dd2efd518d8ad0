import { expect, it } from "vitest";
import { z } from "zod";
import { bool, defineEntity, field, text, type AnyEntity, type Entity } from "../../../entities/index.js";
import { memoryStore } from "../../../memory/index.js";
import { clock } from "../../../platform/node.js";
import { insert } from "../../../ports/index.js";
import { deriveResource } from "../../../routes/resources/index.js";
import { createSeams } from "../../../seams/index.js";
import { removeRow } from "./remove-row.js";
import type { ResourceExchange } from "./resource-exchange.js";

const kind = "record";
const verbs = ["list", "delete"] as const;
const parent = defineEntity({
  name: "parent",
  table: "parents",
  kind,
  scope: null,
  rest: { type: "parent", plural: "parents", permission: "x", verbs },
  fields: { on: field(z.boolean(), { access: "open", column: bool }) },
});
function childOf(name: string, entity: string, onDelete: "refuse" | "cascade" | "clear") {
  const parentId = field(z.string().nullable(), { access: "open", column: text(64), ref: { entity, onDelete } });
  return defineEntity({ name, table: name, kind, scope: null, fields: { parentId }, indexes: [["parentId"]] });
}
const part = childOf("part", "parent", "cascade");
const piece = childOf("piece", "part", "cascade");
const note = childOf("note", "parent", "clear");
const lock = childOf("lock", "parent", "refuse");
const entities = [parent, part, piece, note, lock] as unknown as AnyEntity[];

it("what refers to a deleted row goes with it, is cleared, or keeps it, as it was declared, at every depth", async () => {
  const store = memoryStore({ clock });
  const system = { system: "test" };
  const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
  const row = (entity: Entity<never>, fields: object) => insert(entity, fields as never);
  const any = (entity: unknown) => entity as Entity<never>;
  const writes = [
    row(any(parent), { id: "p1", on: true }),
    row(any(parent), { id: "p2", on: true }),
    row(any(part), { id: "a", parentId: "p1" }),
    row(any(part), { id: "b", parentId: "p2" }),
    row(any(piece), { id: "aa", parentId: "a" }),
    row(any(note), { id: "n", parentId: "p1" }),
    row(any(lock), { id: "l", parentId: "p2" }),
  ];
  await store.commit([{ scope: system, writes }], within);
  const caller = { kind: "owner", id: "o", name: "o", projects: ["default"], grants: ["*"] } as const;
  const services = { store, clock, seams: createSeams() };
  const x = { caller, requestId: "req", deadlineMs: Number.MAX_SAFE_INTEGER, inbound: {} };
  const e = { services, entities, x, resource: deriveResource(parent as unknown as AnyEntity) } as unknown as ResourceExchange;

  await expect(removeRow(e, "p2", null)).rejects.toMatchObject({ code: "conflict", details: { used_by: "lock" } });
  await removeRow(e, "p1", null);
  const ids = async (entity: unknown) =>
    (await store.find(any(entity), { orderBy: "id" as never, limit: 10 }, system, within)).rows as { id: string; parentId?: string }[];
  expect((await ids(parent)).map(({ id }) => id)).toEqual(["p2"]);
  expect((await ids(part)).map(({ id }) => id)).toEqual(["b"]);
  expect(await ids(piece)).toEqual([]);
  expect((await ids(note))[0]).toMatchObject({ id: "n", parentId: null });
});
