import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../test/wire/chunks.js";
import type { Headers } from "../../calls/index.js";
import { codes, GatewayError, type ErrorCode } from "../../errors/index.js";
import { anthropicMessages as codec } from "./anthropic-messages.js";

const vendor = (status: number, body: unknown, headers: Headers = []) =>
  codec.decodeError(status, headers, bytesOf(typeof body === "string" ? body : JSON.stringify(body)));
const said = (type: string, message: string, details?: object) => ({
  type: "error",
  error: { type, message, ...(details === undefined ? {} : { details }) },
  request_id: "req_1",
});
const shown = (error: GatewayError) => {
  const { status, headers, bytes } = codec.encodeError(error, "req_ours");
  return {
    status,
    headers: Object.fromEntries(headers),
    body: JSON.parse(textOf(bytes)) as { error: { type: string; message: string; details: object } },
  };
};

describe("a vendor's error", () => {
  it.each([
    [400, said("invalid_request_error", "max_tokens: Field required"), "upstream_rejected", { status: 400, type: "invalid_request_error" }],
    [401, said("authentication_error", "invalid x-api-key"), "upstream_credential", { status: 401 }],
    [402, said("billing_error", "no credit"), "upstream_rate_limited", { reason: "insufficient_quota", retryable: false }],
    [404, said("not_found_error", "model: x"), "upstream_rejected", { status: 404 }],
    [413, said("request_too_large", "too large"), "upstream_rejected", { status: 413 }],
    [429, said("rate_limit_error", "slow down"), "upstream_rate_limited", { status: 429 }],
    [
      429,
      said("rate_limit_error", "limit", { error_code: "enforced_spend_limit_reached" }),
      "upstream_rate_limited",
      { reason: "insufficient_quota", code: "enforced_spend_limit_reached" },
    ],
    [500, said("api_error", "Internal server error"), "upstream_unavailable", { status: 500 }],
    [529, said("overloaded_error", "Overloaded"), "upstream_unavailable", { status: 529, type: "overloaded_error" }],
  ])("%d is read by its shape", (status, body, code, details) => {
    const error = vendor(status, body);
    expect(error).toMatchObject({ code, details });
    if (status !== 401) expect(error.message).toBe(body.error.message);
  });

  it("102: a conversation that is too long is known", () => {
    const error = vendor(400, said("invalid_request_error", "prompt is too long: 205000 tokens > 200000 maximum"));
    expect(error.details).toMatchObject({ reason: "context_length_exceeded" });
  });

  it("103: pages, texts, other shapes and nothing at all are errors too", () => {
    expect(vendor(502, "<html>Bad gateway</html>").message).toBe("A web page with status 502 came instead of the vendor's answer.");
    expect(vendor(503, "try later").message).toBe("try later");
    expect(vendor(500, "").message).toMatch(/status 500 and no message/);
    expect(vendor(400, { error: "bad" }).message).toBe("bad");
    expect(vendor(400, { message: "worse" }).message).toBe("worse");
    expect(vendor(400, { detail: [{ msg: "x" }] }).message).toContain("msg");
    expect(vendor(400, "[]").code).toBe("upstream_rejected");
  });

  it("99: says when to come back", () => {
    expect(vendor(429, said("rate_limit_error", "x"), [["retry-after", "7"]]).retryAfterMs).toBe(7000);
  });

  it("never tells a credential", () => {
    expect(JSON.stringify(vendor(400, said("invalid_request_error", "bad key sk-ant-api03-abcdefgh")))).not.toContain("abcdefgh");
  });
});

describe("our error for a caller", () => {
  const upstream = (code: ErrorCode, details: object, message = "x") => new GatewayError(code, message, { details: { ...details } });

  it("98, 101: has the status and the type that make the SDK throw the right class", () => {
    const cases: [GatewayError, number, string][] = [
      [new GatewayError("unauthenticated", "x"), 401, "authentication_error"],
      [new GatewayError("budget_exceeded", "x"), 402, "billing_error"],
      [new GatewayError("forbidden", "x"), 403, "permission_error"],
      [new GatewayError("model_not_found", "x"), 404, "not_found_error"],
      [new GatewayError("conflict", "x"), 409, "conflict_error"],
      [new GatewayError("payload_too_large", "x"), 413, "request_too_large"],
      [new GatewayError("unsupported_feature", "x"), 422, "invalid_request_error"],
      [new GatewayError("rate_limited", "x"), 429, "rate_limit_error"],
      [new GatewayError("internal", "x"), 500, "api_error"],
      [new GatewayError("upstream_credential", "x"), 502, "api_error"],
      [new GatewayError("deadline_exceeded", "x"), 504, "timeout_error"],
      [new GatewayError("overloaded", "x"), 529, "overloaded_error"],
      [upstream("upstream_unavailable", { status: 529 }), 529, "overloaded_error"],
      [upstream("upstream_unavailable", { status: 503 }), 529, "overloaded_error"],
      [upstream("upstream_unavailable", { status: 500 }), 502, "api_error"],
      [upstream("upstream_rejected", { status: 404, type: "not_found_error" }), 404, "not_found_error"],
      [upstream("upstream_rejected", { status: 400, type: "server_error" }), 400, "invalid_request_error"],
      [upstream("upstream_rejected", { status: 418 }), 400, "invalid_request_error"],
    ];
    for (const [error, status, type] of cases) expect([shown(error).status, shown(error).body.error.type]).toEqual([status, type]);
  });

  it("has a status, a type, our code and the request's id whatever it is", () => {
    for (const code of Object.keys(codes) as ErrorCode[]) {
      const { status, headers, body } = shown(new GatewayError(code, "what", { hint: "how" }));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(headers).toMatchObject({ "request-id": "req_ours", "x-request-id": "req_ours" });
      expect(body).toMatchObject({ type: "error", error: { message: "what how", details: { error_code: code } }, request_id: "req_ours" });
    }
  });

  it("99, 104: says when to come back, and that a repetition is of no use", () => {
    const { headers } = shown(new GatewayError("rate_limited", "x", { retryAfterMs: 1500 }));
    expect(headers).toMatchObject({ "retry-after": "2", "retry-after-ms": "1500" });
    expect(headers).not.toHaveProperty("x-should-retry");
    expect(shown(new GatewayError("validation_failed", "x", { details: { param: "n" } }))).toMatchObject({
      headers: { "x-should-retry": "false" },
      body: { error: { details: { error_code: "validation_failed", param: "n" } } },
    });
    expect(shown(upstream("upstream_unavailable", { retryable: false })).headers).toMatchObject({ "x-should-retry": "false" });
  });

  it("102: says that the conversation is too long in the words that clients look for", () => {
    const details = { status: 400, reason: "context_length_exceeded" };
    expect(shown(upstream("upstream_rejected", details, "maximum context length is 8")).body.error.message).toBe(
      "prompt is too long: maximum context length is 8",
    );
    expect(shown(upstream("upstream_rejected", details, "prompt is too long: 9 > 8")).body.error.message).toBe("prompt is too long: 9 > 8");
  });
});
