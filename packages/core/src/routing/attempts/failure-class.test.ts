import { expect, it } from "vitest";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import { failureClass } from "./failure-class.js";

const of = (code: ErrorCode, message = "No.", details = {}) => failureClass(new GatewayError(code, message, { details }));

it.each([
  ["upstream_rate_limited", "rate-limit"],
  ["upstream_unavailable", "unavailable"],
  ["upstream_interrupted", "unavailable"],
  ["upstream_timeout", "timeout"],
  ["upstream_credential", "credential"],
  ["upstream_protocol", "protocol"],
  ["upstream_rejected", null],
  ["deadline_exceeded", null],
  ["cancelled", null],
  ["internal", null],
] as const)("%s is %s", (code, kind) => expect(of(code)).toBe(kind));

it("knows what does not fit, and what a vendor did not want to read or write", () => {
  expect(of("upstream_rejected", "Too long.", { reason: "context_length_exceeded" })).toBe("context-overflow");
  for (const code of ["content_filter", "content_policy_violation", "invalid_prompt", "bio_policy"])
    expect(of("upstream_rejected", "No.", { code })).toBe("content-filter");
  expect(of("upstream_rejected", "Output blocked by content filtering policy")).toBe("content-filter");
  expect(of("upstream_rejected", "The response was filtered due to the prompt triggering our content management policy")).toBe(
    "content-filter",
  );
  expect(of("upstream_rejected", "'content' must be a string", { code: "invalid_type", param: "messages[0].content" })).toBeNull();
});
