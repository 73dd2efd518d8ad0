import { z } from "zod";
import { sessionMcp } from "../../entities/index.js";
import { creationHeaders } from "../creation-headers.js";
import { messageSchema } from "../messages.js";
import { restRoute } from "../route.js";
import { runSummaryView } from "../run-view.js";

const name = z.string().min(1).max(200);

export const chatRoutes = {
  chat: restRoute({
    name: "chat",
    method: "POST",
    path: "/api/v1/chat",
    summary:
      "One turn, answered whole, or with `stream` as the events of its run. It is a run: it goes on when its caller leaves, and is found by run_id.",
    permission: { what: "runs", name: "write" },
    headers: creationHeaders,
    query: z.strictObject({
      provider: z.string().min(1).max(100).optional(),
      model: name
        .optional()
        .describe("with provider: the provider's own name of it; alone: provider/model or route/<name>. Left out: the session's"),
      session: z.string().min(1).max(64).optional().describe("goes on with it"),
      operation: z
        .enum(["completion", "chat", "conversation"])
        .optional()
        .describe(
          "conversation keeps a session and makes one where none is named; the others keep nothing. Left out: conversation with a session, else chat",
        ),
      agent_id: z.string().min(1).max(64).optional().describe("not answered yet"),
      task_id: z.string().min(1).max(64).optional().describe("not answered yet"),
    }),
    body: z.strictObject({
      system_message: z.string().min(1).max(1_048_576).optional().describe("of a conversation: kept for its later turns"),
      user_message: z.string().min(1).max(1_048_576).optional(),
      messages: z.array(messageSchema).min(1).max(1_000).optional().describe("before user_message"),
      mcp_config: sessionMcp.optional().describe("of a conversation: kept for its later turns"),
      temperature: z.number().min(0).max(2).optional(),
      max_tokens: z.int().min(1).max(100_000_000).optional(),
      response_format: z
        .union([
          z.enum(["text", "json_object"]),
          z.strictObject({ type: z.enum(["text", "json_object"]) }),
          z.strictObject({
            type: z.literal("json_schema"),
            json_schema: z.strictObject({ name, schema: z.record(z.string(), z.unknown()), strict: z.boolean().optional() }),
          }),
        ])
        .optional(),
      stream: z.boolean().default(false),
      user_id: z.string().min(1).max(100).optional().describe("whose a new session is; of one that stands: whose it has to be"),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        run_id: z.string(),
        session_id: z.string().nullable(),
        operation: z.enum(["completion", "chat", "conversation"]),
        model: z.string(),
        message: z.object({ role: z.literal("assistant"), content: z.string() }),
        usage: runSummaryView.shape.usage,
        steps: z.int(),
      }),
    },
    errors: ["forbidden", "not_found", "conflict", "model_not_found", "unsupported_feature", "deadline_exceeded", "idempotency_key_reuse"],
  }),
} as const;
