import { z } from "zod";
import { name } from "./values.js";

/** Macros go through a list; one in another would take as long as the square of what a caller sends. */
const MACRO = /\.(?:all|exists|exists_one|map|filter)\s*\(/g;
const expression = z
  .string()
  .min(1)
  .max(2_000)
  .refine(
    (text) => !/\bmatches\s*\(/.test(text),
    "matches() is not taken: a pattern may take as long as a caller likes; use startsWith, endsWith or contains",
  )
  .refine((text) => [...text.matchAll(MACRO)].length <= 1, "only one of all, exists, exists_one, map and filter may stand in it");

export const argumentRuleSchema = z.strictObject({
  tools: z.array(z.string().min(1).max(560)).min(1).max(200).describe("globs over server__tool"),
  when: expression.describe("CEL over args, tool, server, project and user (id, name, kind, team), such as args.path.startsWith('/etc')"),
  effect: z
    .enum(["deny", "approve", "allow"])
    .describe("where it holds: the call is refused; a person has to approve it; or nobody is asked, whatever the tool's class"),
  message: z.string().min(1).max(500).optional().describe("told to whoever is refused"),
});
export type ArgumentRule = z.output<typeof argumentRuleSchema>;

/** What calls of tools may say, by the name of the rule. */
export const mcpRulesSection = z.record(name, argumentRuleSchema).default({});
