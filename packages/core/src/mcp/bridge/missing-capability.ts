import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";

/** A call that cannot go on with what its client declared; the protocol has a number for it. Source: MCP 2026-07-28, MissingRequiredClientCapabilityError. */
export function missingCapability(requiredCapabilities: JsonObject): GatewayError {
  return new GatewayError("unsupported_feature", "The call needs something that its client did not declare it can be asked.", {
    hint: "Declare the capabilities in data.requiredCapabilities, or call without them.",
    details: { requiredCapabilities },
  });
}
export function requiredCapabilitiesOf(error: GatewayError): JsonObject | null {
  const required = error.details?.["requiredCapabilities"];
  return typeof required === "object" && required !== null ? (required as JsonObject) : null;
}
