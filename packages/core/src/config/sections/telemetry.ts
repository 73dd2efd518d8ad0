import { z } from "zod";
import { Secret } from "../../util/secret.js";

const secret = z
  .union([z.instanceof(Secret), z.string().min(1)])
  .transform((value) => (typeof value === "string" ? new Secret(value) : value));
const url = z.url({ protocol: /^https?$/, error: "an http(s) URL such as https://cloud.langfuse.com" });
const days = z.int().min(1).max(3_650).default(90);

/** What is told of the gateway's work, and to whom. */
export const telemetrySection = z
  .strictObject({
    otel: z
      .strictObject({
        enabled: z.boolean().default(false).describe("spans and metrics through the @opentelemetry/api that the program has set up"),
        content: z.boolean().default(false).describe("prompts, answers and tool arguments in spans, redacted and cut"),
      })
      .prefault({}),
    langfuse: z
      .strictObject({ publicKey: z.string().min(1), secretKey: secret, baseUrl: url.default("https://cloud.langfuse.com") })
      .optional()
      .describe("LANGFUSE_PUBLIC_KEY, LANGFUSE_SECRET_KEY, LANGFUSE_HOST"),
    propagate: z
      .strictObject({
        vendors: z.boolean().default(false).describe("traceparent to model vendors"),
        servers: z.boolean().default(true).describe("traceparent to MCP servers, in _meta and as a header"),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        enabled: z.boolean().default(true).describe("counts for GET /metrics"),
        open: z.boolean().default(false).describe("GET /metrics without a credential"),
      })
      .prefault({}),
    traces: z
      .strictObject({
        enabled: z.boolean().default(true).describe("spans of calls that have more to say than their usage row"),
        sample: z.number().min(0).max(1).default(1).describe("the part of them that is kept; failures always are"),
      })
      .prefault({}),
    alerts: z
      .strictObject({
        everySeconds: z.int().min(1).max(3_600).default(30).describe("how often each rule is evaluated, by one node"),
        allowPrivate: z.boolean().default(false).describe("channels may lead to private addresses"),
        smtp: z
          .strictObject({
            host: z.string().min(1),
            port: z.int().min(1).max(65_535).default(587),
            secure: z.boolean().default(false).describe("TLS from the first byte, as on port 465; else STARTTLS where the server has it"),
            user: z.string().min(1).optional(),
            password: secret.optional(),
            from: z.string().min(3).max(200),
          })
          .optional(),
      })
      .prefault({}),
  })
  .prefault({});

export const auditSection = z
  .strictObject({
    parameters: z.enum(["none", "redacted"]).default("none").describe("whether the arguments of tool calls are kept in the audit"),
    redactKeys: z
      .array(z.string().min(1))
      .default([])
      .describe("names whose values are never kept, beside password, token, secret, authorization, key and their like"),
  })
  .prefault({});

export const retentionSection = z
  .strictObject({
    usageDays: days,
    auditDays: days,
    traceDays: days,
    detectionDays: days,
    authEventDays: days,
  })
  .prefault({})
  .describe("how long the rows of each ledger are kept; what the inbox is done with, as long as the audit");
