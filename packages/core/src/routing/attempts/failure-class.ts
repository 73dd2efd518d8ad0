import type { FailureClass } from "../../entities/index.js";
import type { GatewayError } from "../../errors/index.js";

/** Vendors' words for content that they did not want, in codes and types, and in prose. */
const filterWords = /content_?(?:filter|policy|moderation)|policy_violation|invalid_prompt|bio_policy|responsible_?ai|safety/i;
const filterProse =
  /content (?:filter|filtering|management|policy|moderation)|(?:blocked|flagged|rejected) (?:by|as|due to) .{0,60}(?:policy|filter|safety|moderation)/i;

/** What kind of failure this is, of a vendor or of a limit of ours that only this target has; null: none that another target would mend. */
export function failureClass(failure: GatewayError): FailureClass | null {
  switch (failure.code) {
    case "upstream_rate_limited":
    case "rate_limited":
      return "rate-limit";
    case "upstream_unavailable":
    case "upstream_interrupted":
      return "unavailable";
    case "upstream_timeout":
      return "timeout";
    case "upstream_credential":
      return "credential";
    case "upstream_protocol":
      return "protocol";
    case "upstream_rejected":
      return rejectedFor(failure);
    default:
      return null;
  }
}

function rejectedFor({ details = {}, message }: GatewayError): FailureClass | null {
  if (details["reason"] === "context_length_exceeded") return "context-overflow";
  const words = [details["reason"], details["code"], details["type"]].filter((word) => typeof word === "string");
  return words.some((word) => filterWords.test(word)) || filterProse.test(message) ? "content-filter" : null;
}
