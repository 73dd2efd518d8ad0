import type { Caller } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { leaves } from "../personas/persona-bound.js";
import { mayDo } from "../grants.js";

/** `forbidden`, for a tool or what is read of a server that `mayDo` refused: it says what is missing, or which persona keeps it back. */
export function toolForbidden(caller: Caller, name: string): GatewayError {
  const shown = name.slice(0, 200);
  const persona = mayDo({ ...caller, personas: undefined }, "mcp", name)
    ? caller.personas?.find((each) => !leaves(each, name))?.name
    : undefined;
  if (persona !== undefined)
    return new GatewayError("forbidden", `The persona "${persona}" keeps "${shown}" from this caller.`, {
      hint: "Whoever administers personas says what it leaves: servers and tools of the persona.",
      details: { persona },
    });
  return new GatewayError("forbidden", `This key may not use "${shown}".`, {
    hint: `Grant it mcp:${shown}, or a pattern that covers it.`,
    details: { missing: `mcp:${name}` },
  });
}
