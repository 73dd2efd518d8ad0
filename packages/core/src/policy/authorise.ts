import { GatewayError } from "../errors/index.js";
import { mayDo } from "../access/grants.js";
import type { Caller } from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { Step } from "./step.js";

/** Refuses with `forbidden` what the caller's grants do not name: `models:<name>` or `mcp:<server__tool>`. */
export const authorise: Step = {
  name: "authorise",
  enter(call) {
    // A request ends with its key; a run outlives the request that began it, and asks again at every step whether its key is still there.
    if (call.runId !== null && !isStillThere(call.caller, call.snapshot.keys))
      throw new GatewayError("unauthenticated", "The key that this run was started with is no longer valid.", {
        hint: "Start it again with another.",
      });
    const what = call.head.kind === "model" ? "models" : "mcp";
    if (mayDo(call.caller, what, call.head.name)) return;
    throw new GatewayError("forbidden", `This key may not use the ${call.head.kind} "${call.head.name}".`, {
      hint: `Grant it ${what}:${call.head.name}, or a pattern that covers it.`,
      details: { missing: `${what}:${call.head.name}` },
    });
  },
};

/** Whether the key of the caller, and each that it was made from, is among the enabled ones. */
function isStillThere({ keyId, madeFrom = [] }: Caller, keys: Snapshot["keys"]): boolean {
  return keyId === undefined || (keys.has(keyId) && madeFrom.every((id) => keys.has(id)));
}
