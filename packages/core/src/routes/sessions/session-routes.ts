import { z } from "zod";
import { session, sessionMcp, sessionMetadata } from "../../entities/index.js";
import { creationHeaders } from "../creation-headers.js";
import { messageSchema } from "../messages.js";
import { viewSchema } from "../resources/index.js";
import { changeHeaders, ifVersion } from "../resources/update-schema.js";
import { restRoute } from "../route.js";
import { runSummaryView } from "../run-view.js";

const params = z.strictObject({ id: z.string().min(1).max(64) });
const read = { what: "sessions", name: "read" } as const;
const write = { what: "sessions", name: "write" } as const;
const seq = z.int().min(0).describe("a sequence number: 1 is the first message");
const title = z.string().min(1).max(200);
const model = z.string().min(1).max(200).describe("provider/model or route/<name>");
const changeable = {
  title: title.nullable().optional(),
  model: model.nullable().optional(),
  instructions: z.string().min(1).max(1_048_576).nullable().optional().describe("the system message of every turn"),
  mcp: sessionMcp.optional(),
  metadata: sessionMetadata.optional(),
};
const view = viewSchema(session);
const page = { data: z.array(view), next_cursor: z.string().nullable() };

export const sessionMessageView = z.object({
  seq: z.int().min(1),
  created_at_ms: z.int().describe("Unix ms"),
  message: messageSchema,
  author: z.string().describe("the id of who appended it"),
  model: z.string().nullable().describe("null: no model said it, or nobody told"),
  usage: runSummaryView.shape.usage.nullable().describe("of the whole turn, at its last message"),
  run_id: z.string().nullable(),
});

/** Sessions, beside what is derived of them: lists, single rows and deletions at /api/v1/sessions. */
export const sessionRoutes = {
  create: restRoute({
    name: "sessions.create",
    method: "POST",
    path: "/api/v1/sessions",
    summary: "Begins a session, perhaps with messages.",
    permission: write,
    headers: creationHeaders,
    body: z.strictObject({
      ...changeable,
      user_id: z.string().min(1).max(100).optional().describe("whose it is; left out: the caller's own user"),
      agent_id: z.string().min(1).max(64).optional(),
      messages: z.array(messageSchema).min(1).max(1_000).optional(),
    }),
    bodyOptional: true,
    output: { status: 201, kind: "json", schema: view },
    errors: ["forbidden", "model_not_found", "conflict", "idempotency_key_reuse"],
  }),
  update: restRoute({
    name: "sessions.update",
    method: "PATCH",
    path: "/api/v1/sessions/{id}",
    summary: "Changes what the body names of a session; the rest stays. Messages stand as they were said.",
    permission: write,
    params,
    headers: changeHeaders,
    query: z.strictObject({ if_version: ifVersion }),
    body: z.strictObject({
      ...changeable,
      pinned: z.array(z.int().min(1)).max(100).optional().describe("messages that every window keeps"),
    }),
    output: { status: 200, kind: "json", schema: view },
    errors: ["forbidden", "not_found", "conflict", "precondition_failed", "model_not_found"],
  }),
  messages: restRoute({
    name: "sessions.messages",
    method: "GET",
    path: "/api/v1/sessions/{id}/messages",
    summary: "What was said, oldest first: after a sequence number, or the newest.",
    permission: read,
    params,
    query: z.strictObject({
      after: seq.optional(),
      limit: z.int().min(1).max(1_000).default(100),
      last: z.enum(["true", "false"]).optional().describe("the newest ones"),
    }),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(sessionMessageView), next_after: seq.nullable() }) },
    errors: ["forbidden", "not_found"],
  }),
  append: restRoute({
    name: "sessions.append",
    method: "POST",
    path: "/api/v1/sessions/{id}/messages",
    summary: "Appends messages after all that stand, all of them or none. No model is asked.",
    permission: write,
    headers: creationHeaders,
    params,
    body: z.strictObject({
      messages: z.array(messageSchema).min(1).max(1_000),
      if_last: seq.optional().describe("only while this is the newest message; otherwise 409"),
    }),
    output: { status: 201, kind: "json", schema: z.object({ first_seq: seq, last_seq: seq }) },
    errors: ["forbidden", "not_found", "conflict", "idempotency_key_reuse"],
  }),
  branch: restRoute({
    name: "sessions.branch",
    method: "POST",
    path: "/api/v1/sessions/{id}/branch",
    summary: "A new session that begins with the messages of this one, up to one of them.",
    permission: write,
    headers: creationHeaders,
    params,
    body: z.strictObject({ at_seq: seq.optional().describe("left out: the newest"), title: title.optional() }),
    bodyOptional: true,
    output: { status: 201, kind: "json", schema: view },
    errors: ["forbidden", "not_found", "conflict", "idempotency_key_reuse"],
  }),
  export: restRoute({
    name: "sessions.export",
    method: "GET",
    path: "/api/v1/sessions/{id}/export",
    summary: "The whole session as one document, JSON or Markdown.",
    permission: read,
    params,
    query: z.strictObject({ format: z.enum(["json", "markdown"]).default("json") }),
    output: { status: 200, kind: "text", contentType: "application/json", schema: z.string() },
    errors: ["forbidden", "not_found"],
  }),
  listOne: restRoute({
    name: "session.list",
    method: "GET",
    path: "/api/v1/session",
    summary: "Sessions, newest first, those of one user when it is named.",
    permission: read,
    query: z.strictObject({
      user_id: z.string().min(1).max(100).optional(),
      limit: z.int().min(1).max(100).default(50),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: { status: 200, kind: "json", schema: z.object(page) },
    errors: ["forbidden"],
  }),
  getOne: restRoute({
    name: "session.get",
    method: "GET",
    path: "/api/v1/session/{id}",
    summary: "One session with its newest hundred messages. Counts as a use of it.",
    permission: read,
    params,
    output: { status: 200, kind: "json", schema: view.extend({ messages: z.array(sessionMessageView) }) },
    errors: ["forbidden", "not_found"],
  }),
  removeOne: restRoute({
    name: "session.delete",
    method: "DELETE",
    path: "/api/v1/session/{id}",
    summary: "Deletes a session with all that was said in it.",
    permission: write,
    params,
    output: { status: 200, kind: "json", schema: z.object({ id: z.string(), deleted: z.literal(true) }) },
    errors: ["forbidden", "not_found"],
  }),
} as const;
