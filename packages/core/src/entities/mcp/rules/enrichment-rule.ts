import { z } from "zod";
import { bool, defineEntity, field, int, json, longText, text, type RowType } from "../../define-entity.js";
import { nameSchema } from "../../route.js";

const jsonPath = z
  .string()
  .max(500)
  .regex(/^\$(?:\.[^.[\]\s]{1,100}|\[\d{1,6}\]){0,20}$/, "a path such as $.items[0].id: $, .key and [n] only");
const mergePath = z
  .string()
  .max(500)
  .regex(/^[^.[\]\s]{1,100}(?:\.[^.[\]\s]{1,100}){0,9}$/, "keys with dots between them, such as enrichment.owner")
  .refine((path) => !path.split(".").includes("__proto__"), "no object has such a key");

/** The parts of a rule beside its name, for configuration and store alike. */
export const enrichmentShape = {
  server: z.string().min(1).max(40).describe("whose tools it is for"),
  tool: z.string().min(1).max(512).describe("a glob over the server's own names of its tools"),
  when: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("always") }),
      z.strictObject({ kind: z.literal("response_contains"), paths: z.array(jsonPath).min(1).max(20) }),
    ])
    .default({ kind: "always" })
    .describe("always, or only when each path leads to something but null in the result as it then is"),
  source: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("tool"), name: z.string().min(4).max(560).describe("server__tool") }),
      z.strictObject({
        kind: z.literal("resource"),
        server: z.string().min(1).max(40),
        uri: z.string().min(1).max(2_000).describe("{name} stands for the binding of that name, encoded"),
      }),
      z.strictObject({ kind: z.literal("function"), name: z.string().min(1).max(100).describe("as the program registered it") }),
    ])
    .describe("what is asked, as the caller itself would ask it"),
  bindings: z
    .record(z.string().min(1).max(200), z.json())
    .default({})
    .describe("its arguments; texts that begin with $. or $[ are paths into args, response and user, and $$ stands for a $"),
  merge: z.strictObject({ path: mergePath }).default({ path: "enrichment" }).describe("where the answer goes in the result"),
  position: z.int().min(0).max(100_000).default(100).describe("rules run one after the other, the lowest first"),
  timeoutMs: z.int().min(1).max(60_000).default(5_000).describe("how long the source may take"),
  cacheTtlMs: z
    .int()
    .min(0)
    .max(86_400_000)
    .default(0)
    .describe("for how long an answer holds for the same caller and the same bindings, in this process; 0: it is asked each time"),
  onError: z
    .enum(["warn", "ignore", "stop"])
    .default("warn")
    .describe("the result says so and later rules go on; nothing is said; or it is said and no later rule runs. The call never fails"),
  enabled: z.boolean().default(true),
  description: z.string().max(4_000).nullable().default(null),
};
export const enrichmentSchema = z.strictObject(enrichmentShape);
/** A rule with its defaults filled in. */
export type EnrichmentRule = z.output<typeof enrichmentSchema>;

/** What is added to a tool's result after a call that went well. */
export const enrichmentRule = defineEntity({
  name: "enrichmentRule",
  table: "enrichment_rules",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "enrichment-rule",
    plural: "enrichment-rules",
    permission: "servers",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    server: field(nameSchema, { access: "open", column: text(40), filter: true, sort: true }),
    tool: field(enrichmentShape.tool, { access: "open", column: text(512) }),
    when: field(enrichmentShape.when, { access: "open", column: json }),
    source: field(enrichmentShape.source, { access: "open", column: json }),
    bindings: field(enrichmentShape.bindings, { access: "open", column: json }),
    merge: field(enrichmentShape.merge, { access: "open", column: json }),
    position: field(enrichmentShape.position, { access: "open", column: int }),
    timeoutMs: field(enrichmentShape.timeoutMs, { access: "open", column: int }),
    cacheTtlMs: field(enrichmentShape.cacheTtlMs, { access: "open", column: int }),
    onError: field(enrichmentShape.onError, { access: "open", column: text(16) }),
    enabled: field(enrichmentShape.enabled, { access: "open", column: bool }),
    description: field(enrichmentShape.description, { access: "open", column: longText }),
  },
  indexes: [["server", "id"]],
});
export type EnrichmentRuleRow = RowType<typeof enrichmentRule>;
