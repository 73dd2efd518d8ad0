import { z } from "zod";
import { argumentRuleSchema } from "../../entities/index.js";
import { name } from "./values.js";

/** What calls of tools may say, by the name of the rule. */
export const mcpRulesSection = z.record(name, argumentRuleSchema).default({});
