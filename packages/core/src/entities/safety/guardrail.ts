import { z } from "zod";
import { bool, defineEntity, field, int, json, text, type RowType } from "../define-entity.js";
import { nameSchema } from "../route.js";
import { guardrailKinds, guardrailSettings as of, type GuardrailKind, type GuardrailSettings } from "./guardrail-settings.js";

/**
 * Where a guardrail looks. `input`: all that a model is given. `output`: all that it answers. `arguments`: those of tool calls, in a model's answer and on their way to a server.
 * `results`: those of tools, on their way back and in a conversation.
 */
export const guardrailStages = ["input", "output", "arguments", "results"] as const;
export type GuardrailStage = (typeof guardrailStages)[number];
export const guardrailActions = ["block", "mask", "warn", "log"] as const;
export type GuardrailAction = (typeof guardrailActions)[number];
export const severities = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

const globs = z.array(z.string().min(1).max(240)).min(1).max(200).optional();
const guardrailApplies = z
  .strictObject({
    models: globs.describe("provider/model or route/name; a route also counts by the models that it leads to"),
    tools: globs.describe("server__tool, or the tool's own name"),
    servers: globs,
    keys: globs.describe("the caller's id, its key's, or one of those that its key was made from"),
    projects: globs,
  })
  .prefault({})
  .describe("globs of what it looks at; what is left out does not narrow it");

const shape = {
  enabled: z.boolean().default(true),
  priority: z.int().min(0).max(10_000).default(100).describe("lower goes first, and what it masks those after it do not see"),
  stages: z
    .array(z.enum(guardrailStages))
    .min(1)
    .default([...guardrailStages]),
  action: z.enum(guardrailActions).default("block"),
  severity: z.enum(severities).optional().describe("left out: what its kind finds serious"),
  unseen: z
    .enum(["refuse", "allow"])
    .optional()
    .describe("what becomes of content that cannot be read, such as a picture; left out: refuse when it blocks, allow otherwise"),
  applies: guardrailApplies,
};

const positional: readonly GuardrailKind[] = ["words", "regex", "secrets", "pii", "injection", "webhook", "code"];
/** A guardrail beside its name, as configuration writes it. */
export const guardrailSchema = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("words"), settings: of.words, ...shape }),
    z.strictObject({ kind: z.literal("regex"), settings: of.regex, ...shape }),
    z.strictObject({ kind: z.literal("secrets"), settings: of.secrets.prefault({}), ...shape }),
    z.strictObject({ kind: z.literal("pii"), settings: of.pii.prefault({}), ...shape }),
    z.strictObject({ kind: z.literal("schema"), settings: of.schema, ...shape }),
    z.strictObject({ kind: z.literal("injection"), settings: of.injection.prefault({}), ...shape }),
    z.strictObject({ kind: z.literal("moderation"), settings: of.moderation, ...shape }),
    z.strictObject({ kind: z.literal("webhook"), settings: of.webhook, ...shape }),
    z.strictObject({ kind: z.literal("code"), settings: of.code, ...shape }),
  ])
  .refine((rules) => rules.action !== "mask" || positional.includes(rules.kind), {
    message: "a guardrail of this kind finds no place in the text that could be masked",
    path: ["action"],
  })
  .refine((rules) => rules.kind !== "schema" || (rules.stages.length === 1 && rules.stages[0] !== "input"), {
    message: "a schema is held against one stage: output, arguments or results",
    path: ["stages"],
  });
type AnyRules = z.output<typeof guardrailSchema>;
/** A guardrail with its defaults filled in. */
export type GuardrailRules<K extends GuardrailKind = GuardrailKind> = Omit<AnyRules, "kind" | "settings"> &
  {
    readonly [Kind in K]: { readonly kind: Kind; readonly settings: GuardrailSettings<Kind> };
  }[K];
export type GuardrailInput = z.input<typeof guardrailSchema>;

/** A guardrail that was stored. One of the configuration with the same name counts instead. */
export const guardrail = defineEntity({
  name: "guardrail",
  table: "guardrails",
  kind: "record",
  scope: null,
  watched: true,
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    enabled: field(shape.enabled, { access: "open", column: bool }),
    priority: field(shape.priority, { access: "open", column: int }),
    stages: field(shape.stages, { access: "open", column: json }),
    kind: field(z.enum(guardrailKinds), { access: "create-only", column: text(16) }),
    /** As in the configuration; held against its kind before it is stored. */
    settings: field(z.record(z.string(), z.json()).default({}), { access: "open", column: json }),
    action: field(shape.action, { access: "open", column: text(8) }),
    severity: field(z.enum(severities).nullable(), { access: "open", column: text(8) }),
    unseen: field(z.enum(["refuse", "allow"]).nullable(), { access: "open", column: text(8) }),
    applies: field(guardrailApplies, { access: "open", column: json }),
  },
  unique: [["name"]],
  rest: {
    type: "guardrail",
    plural: "guardrails",
    permission: "guardrails",
    verbs: ["list", "get", "create", "update", "delete"],
  },
});
export type GuardrailRow = RowType<typeof guardrail>;

/** A row as configuration would write it: what is null was left out, and names of settings may be in snake_case, as all else on the REST face. */
export function guardrailInputOf(row: Omit<GuardrailRow, "id" | "version" | "createdAtMs" | "updatedAtMs">): unknown {
  const { enabled, priority, stages, kind, action, severity, unseen, applies } = row;
  // Null only where somebody else wrote to the database: no settings then, which no kind accepts unless it needs none.
  const settings = Object.fromEntries(
    Object.entries((row.settings as typeof row.settings | null) ?? {}).map(([name, value]) => [camelCase(name), value]),
  );
  return {
    ...{ enabled, priority, stages, kind, settings, action, applies },
    ...(severity === null ? {} : { severity }),
    ...(unseen === null ? {} : { unseen }),
  };
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
}
