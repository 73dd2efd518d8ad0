import { z } from "zod";
import { approvalCondition, approvalStatus } from "../entities/index.js";
import { restRoute } from "./route.js";

const instant = z.int().describe("Unix ms");
const params = z.strictObject({ id: z.string().min(1).max(64) });
const note = z.string().max(1_000).optional();

/** A call that waits, or waited, for a person. */
export const inboxItemView = z.object({
  id: z.string(),
  kind: z.literal("approval"),
  status: approvalStatus,
  server: z.string(),
  tool: z.string(),
  class: z.enum(["safe", "sensitive", "dangerous"]),
  arguments: z.unknown().describe("as JSON; secrets that the gateway knows are left out"),
  edited_arguments: z.unknown().describe("what a person put in their place; null: nothing"),
  caller_id: z.string(),
  caller_name: z.string(),
  project_id: z.string(),
  request_id: z.string(),
  run_id: z.string().nullable().describe("the run that waits"),
  expires_at_ms: instant,
  decided_by: z.string().nullable(),
  decided_at_ms: instant.nullable(),
  note: z.string().nullable(),
  created_at_ms: instant,
});

const errors = ["forbidden", "not_found", "conflict"] as const;

export const inboxRoutes = {
  list: restRoute({
    name: "inbox.list",
    method: "GET",
    path: "/api/v1/inbox",
    summary: "What waits for a person in the caller's projects, newest first.",
    permission: { what: "inbox", name: "read" },
    query: z.strictObject({
      status: approvalStatus.optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({ data: z.array(inboxItemView), next_cursor: z.string().nullable(), pending: z.int() }),
    },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "inbox.get",
    method: "GET",
    path: "/api/v1/inbox/{id}",
    summary: "One item of the inbox.",
    permission: { what: "inbox", name: "read" },
    params,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors: ["forbidden", "not_found"],
  }),
  approve: restRoute({
    name: "inbox.approve",
    method: "POST",
    path: "/api/v1/inbox/{id}/approve",
    summary: "Lets this very call pass, once: the same call succeeds when it is made again, and a run that waits goes on by itself.",
    permission: { what: "inbox", name: "write" },
    params,
    body: z.strictObject({
      note,
      arguments: z.record(z.string(), z.unknown()).optional().describe("other arguments; only where a run waits"),
      remember: z
        .strictObject({
          conditions: z.array(approvalCondition).max(20).default([]),
          expires_at_ms: z.int().nullable().optional(),
          any_caller: z.boolean().optional(),
        })
        .optional()
        .describe("always allow when all of these hold of the arguments"),
    }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors: [...errors, "validation_failed"],
  }),
  deny: restRoute({
    name: "inbox.deny",
    method: "POST",
    path: "/api/v1/inbox/{id}/deny",
    summary: "Refuses this call. A run that waits is told so, with the note, and goes on.",
    permission: { what: "inbox", name: "write" },
    params,
    body: z.strictObject({ note }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors,
  }),
} as const;
