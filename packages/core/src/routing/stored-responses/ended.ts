import type { GatewayError } from "../../errors/index.js";
import { isObject, parseJsonText } from "../../util/json.js";

/** A response as it is kept, in another state. */
export function withStatus(response: string, status: string): string {
  const parsed = parseJsonText(response);
  return JSON.stringify({ ...(isObject(parsed) ? parsed : {}), status });
}

/** A response that failed, and why. Source: OpenAI's `ResponseError`, whose codes beside `rate_limit_exceeded` tell of the vendor's own work. */
export function failedText(response: string, error: Pick<GatewayError, "code" | "message" | "hint">): string {
  const parsed = parseJsonText(response);
  const code = error.code === "rate_limited" || error.code === "upstream_rate_limited" ? "rate_limit_exceeded" : "server_error";
  const message = error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  return JSON.stringify({ ...(isObject(parsed) ? parsed : {}), status: "failed", error: { code, message } });
}
