import { z } from "zod";
import { defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

const id = (max: number) => field(z.string().max(max).nullable(), { access: "server", column: text(max) });

/** Enough of a call to write its usage row when its process is gone. */
const begun = z.object({
  id: z.string(),
  projectId: z.string(),
  callerId: z.string(),
  keyId: z.string().nullable(),
  userId: z.string().nullable(),
  teamId: z.string().nullable(),
  agentId: z.string().nullable(),
  kind: z.enum(["model", "tool"]),
  operation: z.string(),
  name: z.string(),
  server: z.string().nullable(),
  requestId: z.string(),
  runId: z.string().nullable(),
  purpose: z.string().nullable(),
  startedAtMs: z.int(),
  /** The process that makes it; left out by older ones. */
  nodeId: z.string().optional(),
});
export type BegunCall = z.output<typeof begun>;

const share = z.object({
  windowId: z.string(),
  amountNanoUsd: z.int(),
  /** Of a provider's budget, which pays for that provider's attempts alone; null: it pays for all. */
  provider: z.string().nullable(),
});
export type ReservationShare = z.output<typeof share>;

/** What a call under budgets may cost at the most, set aside in their windows until it is over. The id is the call's. Gone once the call is settled. */
export const reservation = defineEntity({
  name: "reservation",
  table: "reservations",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    call: field(begun, { access: "server", column: json }),
    provider: id(100),
    model: id(200),
    /** Of the whole call; null: its price is not known. */
    amountNanoUsd: field(z.int().nullable(), { access: "server", column: int }),
    shares: field(z.array(share), { access: "server", column: json }),
    /** The sum of the shares: by it a writer knows the row that it wrote. */
    sharesNanoUsd: field(z.int(), { access: "server", column: int }),
    /** Renewed while the call lives; once it is over, whoever takes the row settles the call. */
    expiresAtMs: field(z.int(), { access: "server", column: int, touch: true }),
    /** Grows when somebody takes it, and when its own process renews it. */
    attempt: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"]],
});
export type ReservationRow = RowType<typeof reservation>;

/** Calls of one process that have begun and whose usage rows may not be written yet: what is left of them when it is killed. */
export const openCalls = defineEntity({
  name: "openCalls",
  table: "open_calls",
  kind: "machine",
  scope: null,
  fields: {
    calls: field(z.array(begun), { access: "server", column: json }),
    expiresAtMs: field(z.int(), { access: "server", column: int, touch: true }),
    attempt: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"]],
});
export type OpenCallsRow = RowType<typeof openCalls>;
