import { z } from "zod";
import { detectionTypes, nameSchema, severities } from "../../entities/index.js";
import { creationHeaders } from "../creation-headers.js";
import { restRoute } from "../route.js";
import { detectionFilters, detectionSummary, detectionView } from "./guardrails.js";

const reads = { what: "guardrails", name: "read" } as const;
const writes = { what: "guardrails", name: "write" } as const;
const params = z.strictObject({ id: z.string().min(1).max(64) });
const words = z.array(z.string().min(1).max(200)).max(1_000);

const policyView = z.object({
  id: z.string(),
  name: z.string(),
  sensitivity: z.enum(["strict", "moderate", "permissive"]),
  mode: z.enum(["block", "mask", "warn", "log"]),
  patterns: z.object({ block: z.array(z.string()), allow: z.array(z.string()) }),
  mcp_servers: z.array(z.string()).describe("empty: all"),
  enabled: z.boolean(),
  version: z.int(),
});
const fields = {
  sensitivity: z.enum(["strict", "moderate", "permissive"]).optional(),
  mode: z.enum(["block", "warn", "log"]).optional(),
  patterns: z.strictObject({ block: words.optional(), allow: words.optional() }).optional(),
  mcp_servers: z.array(z.string().min(1).max(100)).max(200).optional().describe("empty: all"),
  enabled: z.boolean().optional(),
};
const change = z.strictObject(fields);

/** Injection guardrails on the arguments of tools, in the words of an older API. */
export const safetyRoutes = {
  list: restRoute({
    name: "safety.policies.list",
    method: "GET",
    path: "/v1/safety/policies",
    summary: "The stored injection guardrails, as policies.",
    permission: reads,
    output: { status: 200, kind: "json", schema: z.object({ policies: z.array(policyView), total: z.int() }) },
    errors: ["forbidden"],
  }),
  create: restRoute({
    name: "safety.policies.create",
    method: "POST",
    path: "/v1/safety/policies",
    summary: "Creates an injection guardrail that looks at the arguments of tools.",
    permission: writes,
    headers: creationHeaders,
    body: z.strictObject({ name: nameSchema, ...fields }),
    output: { status: 201, kind: "json", schema: policyView },
    errors: ["forbidden", "conflict", "idempotency_key_reuse"],
  }),
  get: restRoute({
    name: "safety.policies.get",
    method: "GET",
    path: "/v1/safety/policies/{id}",
    summary: "One policy.",
    permission: reads,
    params,
    output: { status: 200, kind: "json", schema: policyView },
    errors: ["forbidden", "not_found"],
  }),
  update: restRoute({
    name: "safety.policies.update",
    method: "PUT",
    path: "/v1/safety/policies/{id}",
    summary: "Changes what the body names of a policy; the rest stays.",
    permission: writes,
    params,
    body: change,
    output: { status: 200, kind: "json", schema: policyView },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  remove: restRoute({
    name: "safety.policies.delete",
    method: "DELETE",
    path: "/v1/safety/policies/{id}",
    summary: "Deletes a policy.",
    permission: writes,
    params,
    output: { status: 200, kind: "json", schema: z.object({ id: z.string(), deleted: z.boolean() }) },
    errors: ["forbidden", "not_found"],
  }),
  test: restRoute({
    name: "safety.test",
    method: "POST",
    path: "/v1/safety/test",
    summary: "What a policy, or all guardrails on arguments of tools, would make of a text.",
    permission: writes,
    body: z.strictObject({ input: z.string().min(1).max(1_000_000), policy_id: z.string().min(1).max(64).optional() }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        result: z.object({
          detected: z.boolean(),
          type: z.enum(detectionTypes).nullable(),
          severity: z.enum(severities).nullable(),
          pattern_matched: z.string().nullable(),
          confidence: z.number().nullable(),
          action: z.string(),
          message: z.string(),
        }),
        policy_id: z.string().nullable(),
      }),
    },
    errors: ["forbidden", "not_found"],
  }),
  detections: restRoute({
    name: "safety.detections",
    method: "GET",
    path: "/v1/safety/detections",
    summary: "What guardrails found, newest first.",
    permission: reads,
    query: z.strictObject(detectionFilters),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        detections: z.array(detectionView.extend({ pattern_matched: z.string(), action_taken: z.string(), input: z.string() })),
        total: z.int(),
        limit: z.int(),
        next_cursor: z.string().nullable(),
        has_more: z.boolean(),
      }),
    },
    errors: ["forbidden"],
  }),
  summary: restRoute({
    name: "safety.summary",
    method: "GET",
    path: "/v1/safety/summary",
    summary: "How much guardrails found; of the last 7 days when no time is given.",
    permission: reads,
    query: z.strictObject({ from_ms: z.int().min(0).optional(), to_ms: z.int().min(0).optional() }),
    output: { status: 200, kind: "json", schema: detectionSummary },
    errors: ["forbidden"],
  }),
};
