import { GatewayError } from "../errors/index.js";
import { mayDo } from "../access/grants.js";
import type { Step } from "./step.js";

/** Refuses with `forbidden` what the caller's grants do not name: `models:<name>` or `mcp:<server__tool>`. */
export const authorise: Step = {
  name: "authorise",
  enter(call) {
    const what = call.head.kind === "model" ? "models" : "mcp";
    if (mayDo(call.caller, what, call.head.name)) return;
    throw new GatewayError("forbidden", `This key may not use the ${call.head.kind} "${call.head.name}".`, {
      hint: `Grant it ${what}:${call.head.name}, or a pattern that covers it.`,
      details: { missing: `${what}:${call.head.name}` },
    });
  },
};
