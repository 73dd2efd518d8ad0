import { z } from "zod";
import { defineLedger, field, text, type RowType } from "../define-entity.js";
import { guardrailActions, guardrailStages, severities } from "./guardrail.js";

/** What a guardrail takes something for. */
export const detectionTypes = ["prompt_injection", "pii", "secret", "malicious", "schema", "custom", "unseen"] as const;
export type DetectionType = (typeof detectionTypes)[number];

const named = (length: number) => field(z.string().max(length).nullable(), { access: "server", column: text(length) });

/** What a guardrail found: at most a few rows for one call. The excerpt holds no more of what was found than its kind allows to be shown. */
export const detection = defineLedger({
  name: "detection",
  table: "detections",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    requestId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    callId: named(64),
    guardrail: field(z.string().max(80), { access: "server", column: text(80), filter: true }),
    stage: field(z.enum(guardrailStages), { access: "server", column: text(12) }),
    type: field(z.enum(detectionTypes), { access: "server", column: text(20), filter: true }),
    severity: field(z.enum(severities), { access: "server", column: text(8), filter: true }),
    action: field(z.enum(guardrailActions), { access: "server", column: text(8), filter: true }),
    /** What it was found by: a word, the name of a format, a pattern. */
    pattern: field(z.string().max(200), { access: "server", column: text(200) }),
    /** Thousandths. */
    confidence: field(z.int().min(0).max(1_000), { access: "server", column: { kind: "int" } }),
    excerpt: field(z.string().max(1_000), { access: "server", column: text(1_000) }),
    callerId: field(z.string().max(100), { access: "server", column: text(100), filter: true }),
    keyId: named(64),
    model: named(240),
    server: field(z.string().max(100).nullable(), { access: "server", column: text(100), filter: true }),
    tool: named(200),
  },
  indexes: [
    ["projectId", "atMs"],
    ["requestId"],
    ["guardrail", "atMs"],
    ["type", "atMs"],
    ["severity", "atMs"],
    ["action", "atMs"],
    ["callerId", "atMs"],
    ["server", "atMs"],
    ["atMs"],
  ],
});
export type DetectionRow = RowType<typeof detection>;
