import { z } from "zod";
import { defineEntity, field, int, json, text, type RowType } from "./define-entity.js";

const states = ["starting", "ready", "draining", "gone"] as const;
export const nodeState = z.enum(states);

/** What a process does for the others: the types of tasks that it has handlers for, and its MCP servers. */
export const nodeOffers = z.object({
  tasks: z.array(z.string()).readonly(),
  servers: z.array(z.object({ name: z.string(), connected: z.boolean() })).readonly(),
});
export type NodeOffers = z.output<typeof nodeOffers>;

/**
 * One gateway process on this store, renewed by itself and removed when it ends in order. One that was not renewed in time is found by the others, marked `gone` and removed later; `attempt` is the fence: it
 * grows when somebody declares it gone, so that a process that was only frozen hears of it with its next renewal.
 */
export const node = defineEntity({
  name: "node",
  table: "nodes",
  kind: "machine",
  scope: null,
  rest: { type: "node", plural: "nodes", permission: "nodes", readers: "everywhere", verbs: ["list", "get"] },
  fields: {
    state: field(nodeState, { access: "server", column: text(16), filter: true }),
    /** Of the package. */
    release: field(z.string().max(64), { access: "server", column: text(64) }),
    /** Host and process id, for people; empty where there is neither. */
    label: field(z.string().max(200), { access: "server", column: text(200) }),
    startedAtMs: field(z.int(), { access: "server", column: int }),
    /** By the store's clock. */
    leaseUntilMs: field(z.int(), { access: "server", column: int, touch: true }),
    attempt: field(z.int(), { access: "server", column: int }),
    offers: field(nodeOffers, { access: "server", column: json }),
  },
  indexes: [["state", "leaseUntilMs"]],
});
export type NodeRow = RowType<typeof node>;
