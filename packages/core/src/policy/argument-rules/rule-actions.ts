import { mayDo } from "../../access/index.js";
import type { Caller } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { ArgumentRuleRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ResourceActions, ResourceActionsTable } from "../../seams/index.js";
import type { ArgumentRules } from "./argument-rules.js";

/** What a stored rule has to be before it is kept, and the rules of the configuration, as rows that nobody changes here. */
export function ruleActions(o: {
  readonly rules: ArgumentRules;
  readonly snapshot: () => Snapshot;
  readonly resources: ResourceActionsTable;
}): ResourceActions {
  const configured = () => o.snapshot().config.mcp.rules;
  const kept = { description: null, enabled: true, version: null, createdAtMs: null, updatedAtMs: null, origin: "configuration" };
  return {
    fixed: () => Object.entries(configured()).map(([name, { message = null, ...rule }]) => ({ id: name, name, ...rule, message, ...kept })),
    async check(given, { caller }) {
      const row = given as unknown as ArgumentRuleRow;
      if (Object.hasOwn(configured(), row.name))
        throw new GatewayError("conflict", `There is a rule "${row.name}" in the configuration, which counts instead.`, {
          hint: "Choose another name, or change it there.",
        });
      // It has nobody asked: who decides that, decides on approvals.
      if (row.effect === "allow") assertDecides(caller, o.resources);
      await o.rules.assertCompiles(row.when);
    },
  };
}

/** Errors: `forbidden`. */
function assertDecides(caller: Caller, resources: ResourceActionsTable): void {
  if (!mayDo(caller, "approvals", "write"))
    throw new GatewayError("forbidden", "A rule that has nobody asked is written by who has approvals:write as well.", {
      hint: "Ask somebody who has it, or have it given to you.",
      details: { missing: "approvals:write" },
    });
  resources.assertEverywhere(caller, "approvals:write");
}
