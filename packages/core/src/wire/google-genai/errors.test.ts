import { describe, expect, it } from "vitest";
import { bytesOf, textOf } from "../../../test/wire/chunks.js";
import type { Headers } from "../../calls/index.js";
import { codes, GatewayError, type ErrorCode } from "../../errors/index.js";
import { googleGenai } from "./google-genai.js";

const decode = (status: number, body: unknown, headers: Headers = []) =>
  googleGenai.decodeError(status, headers, bytesOf(typeof body === "string" ? body : JSON.stringify(body)));
const google = (code: number, status: string, message: string, details: unknown[] = []) => ({ error: { code, message, status, details } });
const rpc = (type: string, fields: object) => ({ "@type": `type.googleapis.com/google.rpc.${type}`, ...fields });

describe("what Google says of a failure", () => {
  it.each([
    [400, "INVALID_ARGUMENT", "upstream_rejected"],
    [400, "FAILED_PRECONDITION", "upstream_rejected"],
    [401, "UNAUTHENTICATED", "upstream_credential"],
    [403, "PERMISSION_DENIED", "upstream_credential"],
    [404, "NOT_FOUND", "upstream_rejected"],
    [409, "ABORTED", "upstream_rejected"],
    [429, "RESOURCE_EXHAUSTED", "upstream_rate_limited"],
    [500, "INTERNAL", "upstream_unavailable"],
    [503, "UNAVAILABLE", "upstream_unavailable"],
    [504, "DEADLINE_EXCEEDED", "upstream_unavailable"],
  ] as const)("%i %s is %s", (status, word, code) => {
    expect(decode(status, google(status, word, "x"))).toMatchObject({ code, details: { status } });
  });

  it("99: the wait is in the details, and a header goes before it", () => {
    const body = google(429, "RESOURCE_EXHAUSTED", "slow", [rpc("RetryInfo", { retryDelay: "34s" })]);
    expect(decode(429, body).retryAfterMs).toBe(34_000);
    expect(decode(429, body, [["retry-after", "2"]]).retryAfterMs).toBe(2000);
    expect(decode(429, google(429, "RESOURCE_EXHAUSTED", "slow", [rpc("RetryInfo", { retryDelay: "6m0.5s" })])).retryAfterMs).toBe(360_500);
  });

  it("a key that is wrong is an invalid argument to Google, and the operator's to mend here", () => {
    const error = decode(
      400,
      google(400, "INVALID_ARGUMENT", "API key not valid: AIzaSyD-secret-secret", [rpc("ErrorInfo", { reason: "API_KEY_INVALID" })]),
    );
    expect(error).toMatchObject({ code: "upstream_credential" });
    expect(JSON.stringify(error)).not.toContain("AIza");
  });

  it("the field that is wrong", () => {
    const body = google(400, "INVALID_ARGUMENT", "bad", [
      rpc("BadRequest", { fieldViolations: [{ field: "contents[0]", description: "d" }] }),
    ]);
    expect(decode(400, body)).toMatchObject({ message: "bad", details: { param: "contents[0]", type: "INVALID_ARGUMENT" } });
  });

  it("102: a prompt that is too long", () => {
    const said = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).";
    expect(decode(400, google(400, "INVALID_ARGUMENT", said)).details).toMatchObject({ reason: "context_length_exceeded" });
  });

  it("100: quota that is used up for good is told from a limit by the minute", () => {
    const used = google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.");
    expect(decode(429, used).details).toMatchObject({ reason: "insufficient_quota", retryable: false });
  });

  it("103: a list of one, a text, a web page, nothing", () => {
    expect(decode(429, [google(429, "RESOURCE_EXHAUSTED", "slow")])).toMatchObject({ code: "upstream_rate_limited", message: "slow" });
    expect(decode(400, { error: "text" })).toMatchObject({ code: "upstream_rejected", message: "text" });
    expect(decode(502, "<html>secret</html>").message).toBe("A web page with status 502 came instead of the vendor's answer.");
    expect(decode(503, "busy")).toMatchObject({ code: "upstream_unavailable", message: "busy" });
    expect(decode(500, "")).toMatchObject({ code: "upstream_unavailable" });
  });
});

describe("98: what our callers are told, in Google's shape", () => {
  const encode = (error: GatewayError) => {
    const { status, headers, bytes } = googleGenai.encodeError(error, "req-1");
    return {
      status,
      headers: Object.fromEntries(headers),
      body: JSON.parse(textOf(bytes)) as { error: { details: Record<string, unknown>[] } },
    };
  };

  it.each(Object.keys(codes) as ErrorCode[])("%s has a word of Google's, the request's id and no stack", (code) => {
    const { status, headers, body } = encode(new GatewayError(code, "what", { hint: "mend" }));
    expect(body.error).toMatchObject({ code: status, message: "what mend", status: expect.stringMatching(/^[A-Z_]+$/) as string });
    expect(body.error.details).toContainEqual(rpc("RequestInfo", { requestId: "req-1" }));
    expect(body.error.details[0]).toEqual(rpc("ErrorInfo", { reason: code.toUpperCase(), domain: "sallyport" }));
    expect(headers).toMatchObject({ "content-type": "application/json", "x-request-id": "req-1" });
  });

  it.each([
    ["validation_failed", 400, "INVALID_ARGUMENT"],
    ["unauthenticated", 401, "UNAUTHENTICATED"],
    ["forbidden", 403, "PERMISSION_DENIED"],
    ["model_not_found", 404, "NOT_FOUND"],
    ["conflict", 409, "ABORTED"],
    ["unsupported_feature", 422, "INVALID_ARGUMENT"],
    ["rate_limited", 429, "RESOURCE_EXHAUSTED"],
    ["budget_exceeded", 429, "RESOURCE_EXHAUSTED"],
    ["cancelled", 499, "CANCELLED"],
    ["internal", 500, "INTERNAL"],
    ["upstream_unavailable", 502, "UNAVAILABLE"],
    ["overloaded", 503, "UNAVAILABLE"],
    ["upstream_timeout", 504, "DEADLINE_EXCEEDED"],
  ] as const)("%s is %i %s", (code, status, word) => {
    const encoded = encode(new GatewayError(code, "x"));
    expect(encoded.status).toBe(status);
    expect(encoded.body.error).toMatchObject({ code: status, status: word });
  });

  it("99, 104: the wait in Google's way and in a header, and no retry of what cannot succeed", () => {
    const waiting = encode(new GatewayError("rate_limited", "x", { retryAfterMs: 1500 }));
    expect(waiting.body.error.details).toContainEqual(rpc("RetryInfo", { retryDelay: "1.5s" }));
    expect(waiting.headers).toMatchObject({ "retry-after": "2" });
    expect(waiting.headers).not.toHaveProperty("x-should-retry");
    expect(encode(new GatewayError("validation_failed", "x")).headers).toMatchObject({ "x-should-retry": "false" });
  });

  it("names the field", () => {
    const { body } = encode(new GatewayError("validation_failed", "bad", { details: { param: "contents[0].role" } }));
    expect(body.error.details).toContainEqual(rpc("BadRequest", { fieldViolations: [{ field: "contents[0].role", description: "bad" }] }));
  });

  it("passes a vendor's refusal on, with its own status and, of Google's, its word", () => {
    const refused = encode(decode(404, google(404, "NOT_FOUND", "models/x is not found")));
    expect(refused).toMatchObject({ status: 404, body: { error: { status: "NOT_FOUND", message: "models/x is not found" } } });
    const precondition = encode(decode(400, google(400, "FAILED_PRECONDITION", "location")));
    expect(precondition.body.error).toMatchObject({ status: "FAILED_PRECONDITION" });
    const other = encode(new GatewayError("upstream_rejected", "x", { details: { status: 400, type: "invalid_request_error" } }));
    expect(other.body.error).toMatchObject({ status: "INVALID_ARGUMENT" });
  });

  it("is read back as what it says", () => {
    const { status, headers, bytes } = googleGenai.encodeError(new GatewayError("rate_limited", "slow", { retryAfterMs: 1500 }), "r");
    expect(googleGenai.decodeError(status, headers, bytes)).toMatchObject({
      code: "upstream_rate_limited",
      message: "slow",
      retryAfterMs: 2000,
    });
  });
});
