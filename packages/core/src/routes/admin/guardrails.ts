import { z } from "zod";
import { detectionTypes, guardrailActions, guardrailKinds, guardrailStages, severities } from "../../entities/index.js";
import { restRoute } from "../route.js";

const instant = z.int().min(0);
const names = z.string().min(1).max(500).describe("one, or several with commas between them");
const filters = {
  types: names.optional().describe(detectionTypes.join(", ")),
  severities: names.optional().describe(severities.join(", ")),
  actions: names.optional().describe(guardrailActions.join(", ")),
  guardrail: z.string().min(1).max(80).optional(),
  server: z.string().min(1).max(100).optional(),
  request_id: z.string().min(1).max(64).optional(),
  caller_id: z.string().min(1).max(100).optional(),
  from_ms: instant.optional(),
  to_ms: instant.optional().describe("exclusive"),
};
const page = { limit: z.int().min(1).max(200).default(50), cursor: z.string().min(1).max(2_000).optional() };
export const detectionFilters = { ...filters, ...page };
const reads = { what: "guardrails", name: "read" } as const;
const writes = { what: "guardrails", name: "write" } as const;

export const detectionView = z.object({
  id: z.string(),
  at_ms: instant,
  project_id: z.string(),
  request_id: z.string(),
  call_id: z.string().nullable(),
  guardrail: z.string(),
  stage: z.enum(guardrailStages),
  type: z.enum(detectionTypes),
  severity: z.enum(severities),
  action: z.enum(guardrailActions),
  pattern: z.string(),
  confidence: z.number(),
  excerpt: z.string().describe("around what was found; of secrets and personal data only what they are called"),
  caller_id: z.string(),
  key_id: z.string().nullable(),
  model: z.string().nullable(),
  server: z.string().nullable(),
  tool: z.string().nullable(),
});
const finding = z.object({
  guardrail: z.string(),
  type: z.enum(detectionTypes),
  severity: z.enum(severities),
  pattern: z.string(),
  confidence: z.number(),
  action: z.enum(guardrailActions),
  excerpt: z.string(),
});
export const detectionSummary = z.object({
  total_detections: z.int(),
  by_type: z.record(z.string(), z.int()),
  by_severity: z.record(z.string(), z.int()),
  by_action: z.record(z.string(), z.int()),
  top_patterns: z.array(z.object({ pattern: z.string(), count: z.int() })),
  period: z.object({ from_ms: instant, to_ms: instant }),
});

export const guardrailRoutes = {
  test: restRoute({
    name: "guardrails.test",
    method: "POST",
    path: "/api/v1/guardrails/test",
    summary: "What guardrails would make of a text. Nothing is stored and nobody is told; classifiers and webhooks are asked.",
    permission: writes,
    body: z.strictObject({
      input: z.string().min(1).max(1_000_000),
      stage: z.enum(guardrailStages).optional().describe("input when left out; the input of arguments is JSON"),
      guardrail_id: z.string().min(1).max(64).optional().describe("an id or a name; left out: all that look at this stage"),
      guardrail: z
        .looseObject({ kind: z.enum(guardrailKinds) })
        .optional()
        .describe("one that is not stored, as configuration writes it"),
    }),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        action: z.enum([...guardrailActions, "allow"]),
        findings: z.array(finding),
        text: z.string().nullable().describe("as it would go on; null: it would not"),
      }),
    },
    errors: ["forbidden", "not_found", "missing_dependency", "content_blocked"],
  }),
  detections: restRoute({
    name: "detections.list",
    method: "GET",
    path: "/api/v1/detections",
    summary: "What guardrails found in calls of the caller's projects, newest first.",
    permission: reads,
    query: z.strictObject(detectionFilters),
    output: {
      status: 200,
      kind: "json",
      schema: z.object({ data: z.array(detectionView), next_cursor: z.string().nullable() }),
    },
    errors: ["forbidden"],
  }),
  summary: restRoute({
    name: "detections.summary",
    method: "GET",
    path: "/api/v1/detections/summary",
    summary: "How much guardrails found, by type, severity and action; of the last 7 days when no time is given.",
    permission: reads,
    query: z.strictObject(filters),
    output: { status: 200, kind: "json", schema: detectionSummary },
    errors: ["forbidden"],
  }),
};
