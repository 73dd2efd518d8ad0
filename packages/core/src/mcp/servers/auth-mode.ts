import type { ServerAuthMode } from "../../seams/index.js";
import type { ServerTarget } from "../server-target.js";

/** How a server is told who we are, as far as that is configured. */
export function authModeOf(target: ServerTarget): ServerAuthMode {
  if (target.kind === "http" && target.oauth !== undefined) return "oauth";
  if (!("headers" in target)) return "none";
  const authorization = target.headers.find(([name]) => name === "authorization");
  if (authorization !== undefined) return "bearer";
  return target.headers.some(([name]) => /key|token|auth|secret/.test(name)) ? "api_key" : "none";
}
