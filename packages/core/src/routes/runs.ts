import { z } from "zod";
import { runStatus } from "../entities/run.js";
import { messageSchema } from "./messages.js";
import { restRoute } from "./route.js";
import { runEventView, runStatusView, runSummaryView, runView } from "./run-view.js";

const params = z.strictObject({ id: z.string().min(1).max(64) });
const idempotencyKey = z.string().min(1).max(200);
const afterSeq = z.int().min(0).optional().describe("the last sequence number that the reader has seen");

export const runRoutes = {
  create: restRoute({
    name: "runs.create",
    method: "POST",
    path: "/api/v1/runs",
    summary: "Starts a run. It goes on whether or not anybody reads it.",
    permission: { what: "runs", name: "write" },
    headers: z.strictObject({ "idempotency-key": idempotencyKey.optional() }),
    body: z.strictObject({
      model: z.string().min(1).max(200).optional().describe("left out: the session's"),
      session: z
        .string()
        .min(1)
        .max(64)
        .optional()
        .describe("the id of a session: what was said there comes before the input, and the turn is kept there"),
      input: z.union([z.string().min(1), z.array(messageSchema).min(1)]),
      tools: z
        .array(z.string().min(1).max(200))
        .max(200)
        .optional()
        .describe("globs over tool names: files__*; left out: the session's, or none"),
      max_steps: z.int().min(1).max(1_000).optional().describe("model calls at the most; 20 when left out"),
      timeout_ms: z.int().min(1).max(86_400_000).optional(),
      idempotency_key: idempotencyKey.optional().describe("repeating a creation with it gives the same run"),
    }),
    output: { status: 201, kind: "json", schema: runStatusView },
    errors: ["forbidden", "not_found", "conflict", "model_not_found", "idempotency_key_reuse"],
  }),
  list: restRoute({
    name: "runs.list",
    method: "GET",
    path: "/api/v1/runs",
    summary: "Runs of the caller's projects, newest first, without their input and output.",
    permission: { what: "runs", name: "read" },
    query: z.strictObject({
      status: runStatus.optional(),
      limit: z.int().min(1).max(100).default(20),
      cursor: z.string().min(1).max(1_000).optional(),
    }),
    output: { status: 200, kind: "json", schema: z.object({ data: z.array(runSummaryView), next_cursor: z.string().nullable() }) },
    errors: ["forbidden"],
  }),
  get: restRoute({
    name: "runs.get",
    method: "GET",
    path: "/api/v1/runs/{id}",
    summary: "One run as it stands.",
    permission: { what: "runs", name: "read" },
    params,
    output: { status: 200, kind: "json", schema: runView },
    errors: ["forbidden", "not_found"],
  }),
  events: restRoute({
    name: "runs.events",
    method: "GET",
    path: "/api/v1/runs/{id}/events",
    summary: "The run's events from the start, or after one that was seen; ends after the terminal event, also when it is read later.",
    permission: { what: "runs", name: "read" },
    params,
    query: z.strictObject({ after: afterSeq }),
    headers: z.strictObject({ "last-event-id": afterSeq }),
    output: { status: 200, kind: "events", schema: runEventView },
    errors: ["forbidden", "not_found"],
  }),
  cancel: restRoute({
    name: "runs.cancel",
    method: "POST",
    path: "/api/v1/runs/{id}/cancel",
    summary: "Asks for the end of a run. One that has ended stays as it is.",
    permission: { what: "runs", name: "write" },
    params,
    body: z.strictObject({ reason: z.string().max(500).optional() }),
    bodyOptional: true,
    output: { status: 200, kind: "json", schema: runStatusView },
    errors: ["forbidden", "not_found"],
  }),
} as const;
