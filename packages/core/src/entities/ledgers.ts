import { z } from "zod";
import { bool, defineLedger, field, int, json, text, type RowType } from "./define-entity.js";

const count = field(z.int().nullable(), { access: "server", column: int });

const id = (max: number) => field(z.string().max(max).nullable(), { access: "server", column: text(max), filter: true });

/** One attempt of a call that needed several. */
const triedAttempt = z.object({
  provider: z.string(),
  model: z.string(),
  /** What it failed with; null: it answered. */
  code: z.string().nullable(),
  /** The vendor's HTTP status where it gave one; of an attempt that answered, what the caller saw. */
  status: z.int().nullable(),
  durationMs: z.int(),
  /** What it consumed, by the names of usage; null: nobody said. */
  usage: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).nullable(),
  costNanoUsd: z.int().nullable(),
});

/** Exactly one row for every model or tool call, however it ended. The id is the call's id, so a repeated settlement is skipped. */
export const usageEntry = defineLedger({
  name: "usage",
  table: "usage_entries",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    callerId: field(z.string().max(100), { access: "server", column: text(100), filter: true }),
    kind: field(z.enum(["model", "tool"]), { access: "server", column: text(16), filter: true }),
    /** For whom the call counts beside its project; null: nobody of that kind. */
    keyId: id(64),
    userId: id(64),
    teamId: id(64),
    agentId: id(64),
    /** Several calls may belong to one request: a run's do. */
    requestId: id(64),
    /** `generate`, `embed`, `image`, …; of a tool `call`. */
    operation: field(z.string().max(20).nullable(), { access: "server", column: text(20) }),
    /** What the caller asked for. */
    name: field(z.string().max(200), { access: "server", column: text(200), filter: true }),
    /** Of a tool call; null: it is a model call. */
    server: id(64),
    /** What answered: provider and model, or the tool's server. */
    provider: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    model: field(z.string().max(200).nullable(), { access: "server", column: text(200) }),
    runId: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    /** Why, when the gateway itself made the call, such as `shadow`; null: somebody asked for it. */
    purpose: field(z.string().max(40).nullable(), { access: "server", column: text(40) }),
    inputTokens: count,
    cacheReadTokens: count,
    cacheWriteTokens: count,
    outputTokens: count,
    reasoningTokens: count,
    /** What was counted beside these: sound and pictures, what is cached for long, seconds, searches, the tier that served; null: nothing. */
    detail: field(z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).nullable(), { access: "server", column: json }),
    /** Nano-US-dollars; null: the price is not known. */
    costNanoUsd: count,
    /** 1 where the cost is not known, so that a sum says of how many calls; null: it is. */
    unpriced: count,
    /** What an answer out of the cache would have cost; null: it came from no cache, or nobody knows. */
    savedNanoUsd: count,
    /** How many times a provider was asked. */
    attempts: field(z.int().nullable(), { access: "server", column: int }),
    /** Each of them in order, when one failed; the counts and the cost above are the total of all. null: the first one answered. */
    tried: field(z.array(triedAttempt).nullable(), { access: "server", column: json }),
    estimated: field(z.boolean(), { access: "server", column: bool }),
    /** The call ended before its answer was whole. */
    partial: field(z.boolean(), { access: "server", column: bool }),
    status: field(z.int(), { access: "server", column: int }),
    durationMs: field(z.int(), { access: "server", column: int }),
  },
  // Few and wide: each one costs every call, and what reports filter by stands beside the time that they look at.
  indexes: [
    ["projectId", "atMs", "callerId", "keyId", "userId", "teamId", "agentId"],
    ["name", "atMs", "kind", "server"],
    ["requestId"],
    ["runId"],
    ["atMs"],
  ],
});
export type UsageRow = RowType<typeof usageEntry>;
