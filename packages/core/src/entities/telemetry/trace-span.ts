import { z } from "zod";
import { defineLedger, field, int, json, text, type RowType } from "../define-entity.js";

const name = (length: number) => field(z.string().max(length).nullable(), { access: "server", column: text(length) });
const count = field(z.int().nullable(), { access: "server", column: int });

/**
 * What a call's usage row does not say: its attempts when one failed, what policy did on its way, and what it is called in a trace that began elsewhere. A plain call has none.
 */
export const traceSpan = defineLedger({
  name: "trace",
  table: "trace_spans",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    /** 32 hex digits when the trace is one of OpenTelemetry's; else the request's id. */
    traceId: field(z.string().max(64), { access: "server", column: text(64) }),
    spanId: field(z.string().max(64), { access: "server", column: text(64) }),
    parentId: name(64),
    requestId: field(z.string().max(64), { access: "server", column: text(64) }),
    callId: field(z.string().max(64), { access: "server", column: text(64) }),
    runId: name(64),
    kind: field(z.enum(["call", "attempt", "guardrail", "cache", "approval", "internal"]), { access: "server", column: text(16) }),
    name: field(z.string().max(200), { access: "server", column: text(200) }),
    /** The provider, or the MCP server. */
    provider: name(100),
    model: name(200),
    status: field(z.enum(["success", "error", "timeout"]), { access: "server", column: text(8) }),
    statusCode: count,
    code: name(64),
    startedAtMs: field(z.int(), { access: "server", column: int }),
    durationMs: field(z.int(), { access: "server", column: int }),
    requestBytes: count,
    responseBytes: count,
    costNanoUsd: count,
    attributes: field(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).nullable(), { access: "server", column: json }),
  },
  indexes: [["requestId"], ["traceId"], ["atMs"]],
});
export type TraceSpanRow = RowType<typeof traceSpan>;
