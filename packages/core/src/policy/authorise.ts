import { Directory } from "../access/directory.js";
import { grantedName, mayCallModel, mayDo } from "../access/grants.js";
import { toolForbidden } from "../access/grants/refused.js";
import { callerOfToday } from "../access/grants/of-today.js";
import { GatewayError } from "../errors/index.js";
import type { Clock } from "../ports/index.js";
import type { OpenCall, Step } from "./step.js";

/**
 * Refuses with `forbidden` what the caller's grants do not name: `models:<name>` or `mcp:<server__tool>`, and what a persona keeps from it. A request ends with its key. What outlives the request that began it, a run and a batch, has
 * its caller kept: each of its calls is bound by what that caller's key or user has now, and refused with `unauthenticated` when it is gone (T04).
 */
export function authorise({ clock }: { readonly clock: Clock }): Step {
  const directory = new Directory();
  return {
    name: "authorise",
    enter(call) {
      const caller = outlivesRequest(call) ? callerOfToday(call.caller, directory.of(call.snapshot), clock.now()) : call.caller;
      if (caller === null) throw gone();
      const { head } = call;
      if (head.kind === "tool") {
        if (mayDo(caller, "mcp", head.name)) return;
        throw toolForbidden(caller, head.name);
      }
      if (mayCallModel(caller, head)) return;
      const missing = `models:${grantedName(head)}`;
      throw new GatewayError("forbidden", `This key may not use the model "${head.name}".`, {
        hint: `Grant it ${missing}, or a pattern that covers it.`,
        details: { missing },
      });
    },
  };
}

function outlivesRequest({ runId, purpose }: Pick<OpenCall, "runId" | "purpose">): boolean {
  return runId !== null || purpose === "batch";
}

function gone(): GatewayError {
  return new GatewayError("unauthenticated", "The key or user that this was started with is no longer valid.", {
    hint: "Start it again with another.",
  });
}
