import { GatewayError } from "../../errors/index.js";

/**
 * A name from a caller as part of a path: slashes part segments, all else is percent-encoded.
 * Errors: `validation_failed` for an empty segment, `.` and `..`: they would lead to another place than the name's. Source: RFC 3986, section 5.2.4.
 */
export function pathSafe(name: string): string {
  const segments = name.split("/");
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    throw new GatewayError("validation_failed", "The name of the model cannot stand in the vendor's path.", {
      hint: "Leave out empty segments, . and .. between its slashes.",
      details: { param: "model" },
    });
  return segments.map(encodeURIComponent).join("/");
}
