import { z } from "zod";
import { approvalCondition, inboxKind, inboxStatus } from "../entities/index.js";
import { restRoute } from "./route.js";

const instant = z.int().describe("Unix ms");
const params = z.strictObject({ id: z.string().min(1).max(64) });
const note = z.string().max(1_000).optional();
const ifDigest = z.string().max(64).optional().describe("the digest that was looked at; of an item with another one nothing is decided");
const MOST_ITEMS = 100;

const every = {
  id: z.string(),
  status: inboxStatus,
  server: z.string(),
  decided_by: z.string().nullable().describe("null: nobody; a sign-in closes by itself"),
  decided_at_ms: instant.nullable(),
  note: z.string().nullable(),
  created_at_ms: instant,
};

/** A call that waits, or waited, for a person. */
const approvalView = z.object({
  ...every,
  kind: z.literal("approval"),
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
});

/** A server that its reader has to sign in at. */
const signInView = z.object({
  ...every,
  kind: z.literal("sign_in"),
  url: z
    .string()
    .nullable()
    .describe(
      "where, for ten minutes from when this item alone was asked for; null: in lists, when it is over, or without access.publicUrl",
    ),
  url_expires_at_ms: instant.nullable(),
  confirmation_code: z.string().nullable().describe("what the page there asks a browser for whose user the gateway does not know"),
  expires_at_ms: instant,
});

/** A definition of a tool that nobody approved. */
const toolChangeView = z.object({
  ...every,
  kind: z.literal("tool_change"),
  tool: z.string().describe("as the server calls it"),
  pin_id: z.string(),
  digest: z.string().describe("SHA-256 of the definition that is decided on; another one is another item"),
  differences: z
    .array(
      z.object({
        path: z.string().describe("JSON Pointer into the definition; empty: all of it"),
        before: z.unknown().optional(),
        after: z.unknown().optional(),
      }),
    )
    .describe("from the definition that was approved; a new tool is all new"),
});

export const inboxItemView = z.discriminatedUnion("kind", [approvalView, signInView, toolChangeView]);

const errors = ["forbidden", "not_found", "conflict"] as const;
const failure = z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), details: z.unknown().optional() });
const op = z.enum(["approve", "deny"]);

export const inboxRoutes = {
  list: restRoute({
    name: "inbox.list",
    method: "GET",
    path: "/api/v1/inbox",
    summary:
      "What waits for a person, newest first: approvals of the caller's projects, its own sign-ins at servers, and, for who administers servers, changed definitions of tools.",
    permission: { what: "inbox", name: "read" },
    query: z.strictObject({
      kind: inboxKind.optional(),
      status: inboxStatus.optional(),
      server: z.string().min(1).max(100).optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        data: z.array(inboxItemView),
        next_cursor: z.string().nullable(),
        pending: z.int().describe("of every kind, whatever was asked for"),
      }),
    },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "inbox.get",
    method: "GET",
    path: "/api/v1/inbox/{id}",
    summary: "One item of the inbox; of a sign-in, with where to sign in.",
    permission: { what: "inbox", name: "read" },
    params,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors: ["forbidden", "not_found"],
  }),
  approve: restRoute({
    name: "inbox.approve",
    method: "POST",
    path: "/api/v1/inbox/{id}/approve",
    summary:
      "Lets this very call pass, once: the same call succeeds when it is made again, and a run that waits goes on by itself. Or makes this very definition the tool's. A sign-in is not approved: its user signs in.",
    permission: { what: "inbox", name: "write" },
    params,
    body: z.strictObject({
      note,
      if_digest: ifDigest,
      arguments: z.record(z.string(), z.unknown()).optional().describe("of an approval: other arguments; only where a run waits"),
      remember: z
        .strictObject({
          conditions: z.array(approvalCondition).max(20).default([]),
          expires_at_ms: z.int().nullable().optional(),
          any_caller: z.boolean().optional(),
        })
        .optional()
        .describe("of an approval: always allow when all of these hold of the arguments"),
    }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors: [...errors, "validation_failed"],
  }),
  deny: restRoute({
    name: "inbox.deny",
    method: "POST",
    path: "/api/v1/inbox/{id}/deny",
    summary: "Refuses: the call, whose run is told so, with the note, and goes on; the sign-in; or the definition, whose tool stays away.",
    permission: { what: "inbox", name: "write" },
    params,
    body: z.strictObject({ note, if_digest: ifDigest }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: inboxItemView },
    errors,
  }),
  bulk: restRoute({
    name: "inbox.bulk",
    method: "POST",
    path: "/api/v1/inbox/bulk",
    summary: `Decides on up to ${MOST_ITEMS} items, each for itself: one that fails leaves the others.`,
    permission: { what: "inbox", name: "write" },
    body: z
      .array(z.strictObject({ op, id: params.shape.id, note, if_digest: ifDigest }))
      .min(1)
      .max(MOST_ITEMS),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        data: z.array(z.object({ id: z.string(), op, status: z.int(), row: inboxItemView.nullable(), error: failure.nullable() })),
      }),
    },
    errors: ["forbidden"],
  }),
} as const;
