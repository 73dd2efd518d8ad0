import { z } from "zod";
import { pinStatus } from "../../entities/index.js";
import { restRoute } from "../route.js";

const reads = { what: "servers", name: "read" } as const;
const writes = { what: "servers", name: "write" } as const;
const params = z.strictObject({ id: z.string().min(1).max(64) });
const digest = z.string().regex(/^[0-9a-f]{64}$/, "a SHA-256 in hex");
const pin = z.object({
  id: z.string(),
  server: z.string(),
  tool: z.string().describe("as the server calls it"),
  status: pinStatus,
  digest: z.string().nullable().describe("SHA-256 of the approved definition; null: none was"),
  seen_digest: z.string().nullable().describe("of the definition that waits, or was rejected"),
  seen_at_ms: z.int().nullable(),
  decided_by: z.string().nullable().describe("null: it was there when the server was seen first"),
  decided_at_ms: z.int().nullable(),
});
const definition = z.unknown().describe("null: there is none");
const difference = z.object({
  path: z.string().describe("JSON Pointer into the definition"),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
const decision = z.strictObject({ digest: digest.describe("the seen_digest that was looked at: no other definition is decided on") });

/** Definitions of MCP tools: those that were approved, and those that wait for a person. */
export const pinRoutes = {
  list: restRoute({
    name: "mcp-pins.list",
    method: "GET",
    path: "/api/v1/mcp/pins",
    summary: "Pinned definitions of tools; status new and changed wait for a person.",
    permission: reads,
    query: z.strictObject({
      server: z.string().min(1).max(40).optional(),
      status: pinStatus.optional(),
      limit: z.int().min(1).max(500).default(100),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(pin), next_cursor: z.string().nullable() }) },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "mcp-pins.get",
    method: "GET",
    path: "/api/v1/mcp/pins/{id}",
    summary: "One pin with both definitions and what differs between them.",
    permission: reads,
    params,
    output: {
      status: 200,
      kind: "json",
      schema: pin.extend({ approved: definition, seen: definition, differences: z.array(difference) }),
    },
    errors: ["forbidden", "not_found"],
  }),
  approve: restRoute({
    name: "mcp-pins.approve",
    method: "POST",
    path: "/api/v1/mcp/pins/{id}/approve",
    summary: "Approves the definition that waits: from now on it is the tool's.",
    permission: writes,
    params,
    body: decision,
    output: { status: 200, kind: "json", schema: pin },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  reject: restRoute({
    name: "mcp-pins.reject",
    method: "POST",
    path: "/api/v1/mcp/pins/{id}/reject",
    summary: "Rejects the definition that waits: the tool stays away until its server shows another one.",
    permission: writes,
    params,
    body: decision,
    output: { status: 200, kind: "json", schema: pin },
    errors: ["forbidden", "not_found", "conflict"],
  }),
};
