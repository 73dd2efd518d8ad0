import { z } from "zod";
import { bool, defineEntity, field, json, longText, text, type RowType } from "../../define-entity.js";
import { nameSchema } from "../../route.js";

/** Macros go through a list; one in another would take as long as the square of what a caller sends. */
const MACRO = /\.(?:all|exists|exists_one|map|filter)\s*\(/g;
const expression = z
  .string()
  .min(1)
  .max(2_000)
  .refine(
    (said) => !/\bmatches\s*\(/.test(said),
    "matches() is not taken: a pattern may take as long as a caller likes; use startsWith, endsWith or contains",
  )
  .refine((said) => [...said.matchAll(MACRO)].length <= 1, "only one of all, exists, exists_one, map and filter may stand in it");

const shape = {
  tools: z.array(z.string().min(1).max(560)).min(1).max(200).describe("globs over server__tool"),
  when: expression.describe("CEL over args, tool, server, project and user (id, name, kind, team), such as args.path.startsWith('/etc')"),
  effect: z
    .enum(["deny", "approve", "allow"])
    .describe("where it holds: the call is refused; a person has to approve it; or nobody is asked, whatever the tool's class"),
};
const message = z.string().min(1).max(500).describe("told to whoever is refused");

/** A rule as the configuration writes it. */
export const argumentRuleSchema = z.strictObject({ ...shape, message: message.optional() });
export type ArgumentRuleConfig = z.output<typeof argumentRuleSchema>;

/** What calls of some tools may say. One of the configuration with the same name counts instead. */
export const argumentRule = defineEntity({
  name: "argumentRule",
  table: "argument_rules",
  kind: "record",
  scope: null,
  watched: true,
  rest: {
    type: "argument-rule",
    plural: "argument-rules",
    permission: "servers",
    readers: "everywhere",
    verbs: ["list", "get", "create", "update", "delete"],
  },
  fields: {
    name: field(nameSchema, { access: "create-only", column: text(40), filter: true, sort: true }),
    description: field(z.string().max(2_000).nullable(), { access: "open", column: longText }),
    tools: field(shape.tools, { access: "open", column: json }),
    when: field(shape.when, { access: "open", column: longText }),
    effect: field(shape.effect, { access: "open", column: text(16) }),
    message: field(message.nullable(), { access: "open", column: text(500) }),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
  },
  unique: [["name"]],
});
export type ArgumentRuleRow = RowType<typeof argumentRule>;
