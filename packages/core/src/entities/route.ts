import { z } from "zod";
import { defineEntity, field, int, json, text, type RowType } from "./define-entity.js";

/** Names of providers, routes, servers and namespaces: they are parts of model and tool names. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]|_(?!_)){0,38}[a-z0-9]$|^[a-z0-9]$/,
    "use 1 to 40 of a-z, 0-9, - and single _, starting and ending with a letter or digit",
  );
const durationMs = z.int().min(1).max(86_400_000);
const model = z.string().min(1).max(240);
const share = z.strictObject({ model, percent: z.number().min(0).max(100) });

export const failureClasses = [
  "rate-limit",
  "unavailable",
  "timeout",
  "credential",
  "content-filter",
  "context-overflow",
  "protocol",
] as const;
/** What kind of failure moves a call on to the next target. */
export type FailureClass = (typeof failureClasses)[number];

/** Answers that are kept and given again to the same question. */
export const cacheRulesSchema = z.strictObject({
  ttlMs: z.int().min(1_000).max(2_592_000_000).describe("how long an answer is kept, give or take a tenth"),
  scope: z.enum(["project", "key"]).default("project").describe("who is given it: every key of the project, or the same key alone"),
  toolCalls: z.boolean().default(false).describe("answers that call tools are kept too"),
  semantic: z
    .strictObject({
      model: z.string().min(1).max(240).describe("provider/model that makes vectors of texts"),
      threshold: z.number().min(0.5).max(1).default(0.95).describe("how near two questions have to be: 1 means the same direction"),
      maxEntries: z.int().min(1).max(10_000).default(1_000).describe("questions that are remembered, of those that differ in nothing else"),
    })
    .optional()
    .describe("answers of questions that mean the same are given too; never for calls with tools, pictures, sound or files"),
});
export type SemanticRules = NonNullable<z.output<typeof cacheRulesSchema>["semantic"]>;
export type CacheRules = z.output<typeof cacheRulesSchema>;

/** The parts of a route beside its name, for configuration and store alike. What is left out has the default that its description names. */
export const routeShape = {
  strategy: z
    .enum(["fallback", "weighted", "cost", "latency", "least-busy"])
    .default("fallback")
    .describe(
      "the order of the targets: as written, drawn by weight, cheapest first, quickest to begin first, fewest calls under way first",
    ),
  targets: z
    .array(z.strictObject({ model, weight: z.number().positive().optional() }))
    .min(1)
    .max(32)
    .describe("provider/model each; weight is 1 when left out, and counts for the strategy weighted"),
  sticky: z
    .enum(["none", "session", "prefix"])
    .default("prefix")
    .describe(
      "what keeps a conversation at one target when targets are drawn: nothing, the session that the caller names, or its first system and user message where it names none",
    ),
  timeouts: z
    .strictObject({
      attemptMs: durationMs
        .optional()
        .describe("one attempt, until its whole answer is there or its stream has begun; left out: the call's deadline"),
      firstTokenMs: durationMs
        .optional()
        .describe("one streamed attempt, until its stream has begun; left out: server.timeouts.firstByteMs"),
      idleMs: durationMs.optional().describe("the longest silence within an answer; left out: server.timeouts.idleMs"),
      totalMs: durationMs.optional().describe("the call, all attempts and the whole stream; left out: server.timeouts.requestMs"),
    })
    .prefault({}),
  retries: z
    .strictObject({
      max: z
        .int()
        .min(0)
        .max(5)
        .optional()
        .describe("repetitions at one target; left out: 2 when the route has one target, 0 when another can stand in"),
      baseMs: durationMs.default(250).describe("the longest wait before the first repetition; each further one doubles it"),
      maxMs: durationMs.default(8_000).describe("the longest wait of all, and the longest Retry-After that is waited for"),
    })
    .prefault({}),
  fallbackOn: z
    .array(z.enum(failureClasses))
    .default(["rate-limit", "unavailable", "timeout", "credential", "context-overflow", "protocol"])
    .describe("the failures after which another target is tried; left out: all but content-filter"),
  contextOverflow: model
    .optional()
    .describe("a model with a larger context, for calls that do not fit; left out: the next target that is known to be larger"),
  hedge: z
    .strictObject({ afterMs: durationMs })
    .optional()
    .describe("a call that is not streamed and is limited to 1,024 tokens is sent a second time after this long; the first answer counts"),
  canary: share.optional().describe("a model that answers this share of the calls in place of the targets, which stand in when it fails"),
  cache: cacheRulesSchema.optional().describe("answers are kept and given again to the same question; left out: every call is made"),
  shadow: share
    .optional()
    .describe("a model that is sent a copy of this share of the calls; its answer is thrown away, its usage is metered"),
};
export const routeSchema = z.strictObject(routeShape);
/** A route with its defaults filled in. */
export type RouteRules = z.output<typeof routeSchema>;
/** A route as a person writes it. */
export type RouteInput = z.input<typeof routeSchema>;

/** A route that was stored: what `route/<name>` leads to. A route of the configuration with the same name counts instead. */
export const route = defineEntity({
  name: "route",
  table: "routes",
  kind: "record",
  scope: null,
  watched: true,
  rest: { type: "route", plural: "routes", permission: "routing", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    strategy: field(routeShape.strategy, { access: "open", column: text(16) }),
    targets: field(routeShape.targets, { access: "open", column: json }),
    sticky: field(routeShape.sticky, { access: "open", column: text(16) }),
    timeouts: field(routeShape.timeouts, { access: "open", column: json }),
    retries: field(routeShape.retries, { access: "open", column: json }),
    fallbackOn: field(routeShape.fallbackOn, { access: "open", column: json }),
    contextOverflow: field(model.nullable(), { access: "open", column: text(240) }),
    hedgeAfterMs: field(durationMs.nullable(), { access: "open", column: int }),
    canary: field(share.nullable(), { access: "open", column: json }),
    shadow: field(share.nullable(), { access: "open", column: json }),
    cache: field(cacheRulesSchema.nullable(), { access: "open", column: json }),
  },
  unique: [["name"]],
});
export type RouteRow = RowType<typeof route>;
