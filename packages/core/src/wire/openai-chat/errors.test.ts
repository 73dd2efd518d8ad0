import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytesOf } from "../../../test/wire/chunks.js";
import type { Headers } from "../../calls/index.js";
import { codes, GatewayError, type ErrorCode, type GatewayErrorOptions } from "../../errors/index.js";
import { openaiChat } from "./openai-chat.js";

const encode = (code: ErrorCode, o: GatewayErrorOptions = {}) => {
  const { status, headers, bytes } = openaiChat.encodeError(new GatewayError(code, "It went wrong.", o), "req_1");
  const body = JSON.parse(new TextDecoder().decode(bytes)) as {
    error: { message: string; type: string; param: string | null; code: string | null };
  };
  return { status, headers: Object.fromEntries(headers), error: body.error, body };
};
const decode = (status: number, body: string | object = "", headers: Headers = []) =>
  openaiChat.decodeError(status, headers, bytesOf(typeof body === "string" ? body : JSON.stringify(body)));

describe("an error for a caller of Chat", () => {
  const all = Object.keys(codes) as ErrorCode[];

  it.each(all)("%s has OpenAI's shape, an honest status, and a request id", (code) => {
    const { status, headers, body } = encode(code);
    expect(status).toBe(code === "budget_exceeded" ? 429 : codes[code].status);
    expect(Object.keys(body)).toEqual(["error"]);
    expect(Object.keys(body.error).sort()).toEqual(["code", "message", "param", "type"]);
    expect(body.error.message).toBe("It went wrong.");
    expect(body.error.type).toMatch(
      /^(invalid_request_error|authentication_error|permission_error|rate_limit_error|insufficient_quota|server_error)$/,
    );
    expect(body.error.type === "server_error").toBe(status >= 500);
    expect(headers["x-request-id"]).toBe("req_1");
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["x-should-retry"]).toBe(codes[code].retryable ? undefined : "false");
  });

  it.each<[ErrorCode, number, string, string | null]>([
    ["validation_failed", 400, "invalid_request_error", "validation_failed"],
    ["unauthenticated", 401, "authentication_error", "invalid_api_key"],
    ["forbidden", 403, "permission_error", "forbidden"],
    ["model_not_found", 404, "invalid_request_error", "model_not_found"],
    ["unsupported_feature", 422, "invalid_request_error", "unsupported_feature"],
    ["rate_limited", 429, "rate_limit_error", "rate_limit_exceeded"],
    ["budget_exceeded", 429, "insufficient_quota", "insufficient_quota"],
    ["upstream_credential", 502, "server_error", "upstream_credential"],
    ["upstream_rejected", 400, "invalid_request_error", null],
  ])("%s is told as %i %s %s", (code, status, ...[type, word]) => {
    expect(encode(code)).toMatchObject({ status, error: { type, code: word } });
  });

  it("names the field and adds the hint", () => {
    const { error } = encode("validation_failed", { details: { param: "messages[0].role" }, hint: "Use a known role." });
    expect(error).toMatchObject({ param: "messages[0].role", message: "It went wrong. Use a known role." });
  });

  it("says when to come back, in seconds and exactly", () => {
    expect(encode("rate_limited", { retryAfterMs: 1234.2 }).headers).toMatchObject({ "retry-after": "2", "retry-after-ms": "1235" });
    expect(encode("rate_limited").headers).not.toHaveProperty("retry-after");
  });

  it("keeps a client from repeating what was repeated already", () => {
    expect(encode("upstream_unavailable", { details: { retryable: false } }).headers["x-should-retry"]).toBe("false");
  });

  it("shows a vendor's refusal as the vendor said it, but not every status", () => {
    const details = { status: 404, type: "invalid_request_error", code: "model_gone", param: "model" };
    expect(encode("upstream_rejected", { details })).toMatchObject({ status: 404, error: { code: "model_gone", param: "model" } });
    for (const status of [200, 401, 403, 407, 499, 500, "404"])
      expect(encode("upstream_rejected", { details: { status } }).status).toBe(400);
  });

  it("shows no cause and no other detail", () => {
    const { body, headers } = encode("internal", { cause: new Error("secret"), details: { stack: "secret" } });
    expect(JSON.stringify([body, headers])).not.toContain("secret");
  });
});

describe("a vendor's failure", () => {
  const openai = (message: string, more: object = {}) => ({
    error: { message, type: "invalid_request_error", param: null, code: null, ...more },
  });

  it.each<[string, number, string | object, ErrorCode, object]>([
    ["a wrong key", 401, openai("Incorrect API key provided: sk-abcdef123456"), "upstream_credential", { status: 401 }],
    [
      "a key that may not",
      403,
      openai("no access", { code: "model_not_found" }),
      "upstream_credential",
      { status: 403, code: "model_not_found" },
    ],
    [
      "no money",
      402,
      openai("Insufficient Balance"),
      "upstream_rate_limited",
      { status: 402, reason: "insufficient_quota", retryable: false },
    ],
    [
      "a rate limit",
      429,
      openai("Rate limit reached. Visit /account/billing to add a payment method.", { code: "rate_limit_exceeded" }),
      "upstream_rate_limited",
      { status: 429, code: "rate_limit_exceeded" },
    ],
    [
      "no quota",
      429,
      openai("You exceeded your current quota", { code: "insufficient_quota" }),
      "upstream_rate_limited",
      { reason: "insufficient_quota", retryable: false },
    ],
    ["no quota, in words", 429, { error: "Insufficient balance" }, "upstream_rate_limited", { reason: "insufficient_quota" }],
    [
      "a wrong field",
      400,
      openai("Unsupported parameter", { param: "max_tokens", code: "unsupported_parameter" }),
      "upstream_rejected",
      { status: 400, param: "max_tokens", code: "unsupported_parameter", type: "invalid_request_error" },
    ],
    [
      "an unknown model",
      404,
      openai("no such model", { code: "model_not_found" }),
      "upstream_rejected",
      { status: 404, code: "model_not_found" },
    ],
    ["a conflict", 409, openai("x"), "upstream_rejected", { status: 409 }],
    ["too much", 413, "", "upstream_rejected", { status: 413 }],
    ["bad parameters", 422, { detail: [{ loc: ["body", "n"], msg: "too large" }] }, "upstream_rejected", { status: 422 }],
    [
      "too long, by its code",
      400,
      openai("x", { code: "context_length_exceeded" }),
      "upstream_rejected",
      { reason: "context_length_exceeded" },
    ],
    [
      "too long, in words",
      400,
      openai("This model's maximum context length is 8192 tokens"),
      "upstream_rejected",
      { reason: "context_length_exceeded" },
    ],
    ["its own timeout", 408, "", "upstream_timeout", { status: 408 }],
    ["its own fault", 500, openai("oops"), "upstream_unavailable", { status: 500 }],
    ["overloaded", 529, openai("Overloaded"), "upstream_unavailable", { status: 529 }],
    ["a redirect", 302, "", "upstream_protocol", { status: 302 }],
  ])("%s", (...[, status, body, code, details]) => {
    const error = decode(status, body);
    expect(error.code).toBe(code);
    expect(error.details).toMatchObject(details);
  });

  it.each<[string, string | object, string]>([
    ["OpenAI's shape", openai("bad"), "bad"],
    ["an error that is a text", { error: "bad" }, "bad"],
    ["xAI's shape", { code: "invalid-argument", error: "bad" }, "bad"],
    ["a bare message", { object: "error", message: "bad" }, "bad"],
    ["a detail", { detail: "bad" }, "bad"],
    ["a list of one", [openai("bad")], "bad"],
    [
      "OpenRouter's, with what its provider said",
      { error: { code: 400, message: "Provider returned error", metadata: { raw: "bad" } } },
      "Provider returned error: bad",
    ],
    ["plain text", "bad gateway says no", "bad gateway says no"],
    [
      "a web page",
      "<!DOCTYPE html><html><body>secret page</body></html>",
      "A web page with status 400 came instead of the vendor's answer.",
    ],
    ["nothing", "", "The vendor answered with status 400 and no message."],
    ["white space", " \n", "The vendor answered with status 400 and no message."],
    ["JSON without words", {}, "The vendor answered with status 400 and no message."],
    ["JSON that is no object", "[1]", "[1]"],
  ])("says what the vendor said: %s", (_name, body, message) => {
    expect(decode(400, body).message).toBe(message);
  });

  it("keeps nothing of the text when the credential was refused, and redacts everywhere else", () => {
    const secret = "sk-proj-verysecret1234567890";
    for (const status of [400, 401, 403, 404, 429, 500]) {
      const error = decode(status, {
        error: { message: `key ${secret} and Bearer abcdef0123456789`, code: secret, type: secret, param: secret },
      });
      expect(JSON.stringify([error, error.message, error.details])).not.toMatch(/verysecret|abcdef0123/);
    }
    expect(decode(401, openai("your organization acme")).message).not.toContain("acme");
  });

  it("does not carry megabytes along", () => {
    expect(decode(400, openai("x".repeat(1_000_000))).message.length).toBeLessThan(2100);
    expect(decode(400, "x".repeat(1_000_000)).message.length).toBeLessThan(400);
  });

  it("survives bytes that are no text", () => {
    expect(openaiChat.decodeError(500, [], new Uint8Array([0xff, 0xfe, 0x00]))).toMatchObject({ code: "upstream_unavailable" });
  });

  it("says when to come back", () => {
    expect(decode(429, openai("slow"), [["retry-after", "7"]]).retryAfterMs).toBe(7000);
    expect(decode(503, "", [["retry-after-ms", "250"]]).retryAfterMs).toBe(250);
    expect(
      decode(429, openai("slow"), [
        ["x-ratelimit-remaining-requests", "0"],
        ["x-ratelimit-reset-requests", "6m0s"],
      ]).retryAfterMs,
    ).toBe(360_000);
    expect(decode(429, openai("slow")).retryAfterMs).toBeUndefined();
    // Some say "quota" of a limit by the minute; that they name a wait shows what they mean.
    expect(decode(429, openai("You exceeded your current quota"), [["retry-after", "7"]]).details).not.toHaveProperty("retryable");
  });

  it("goes on to a caller as the vendor said it", () => {
    const error = decode(422, openai("bad n", { param: "n", code: "out_of_range" }));
    expect(encode(error.code, { details: error.details ?? {} })).toMatchObject({
      status: 422,
      error: { type: "invalid_request_error", param: "n", code: "out_of_range" },
    });
    const tooLong = decode(400, openai("prompt is too long"));
    expect(encode(tooLong.code, { details: tooLong.details ?? {} }).error.code).toBe("context_length_exceeded");
    const noMoney = decode(402, openai("pay"));
    expect(encode(noMoney.code, { details: noMoney.details ?? {} })).toMatchObject({
      status: 429,
      error: { code: "insufficient_quota" },
      headers: { "x-should-retry": "false" },
    });
  });
});

describe("the vendor's own SDK", () => {
  let server: Server;
  let client: OpenAI;
  let requests = 0;
  let failWith = new GatewayError("internal", "unset");
  let mode: "whole" | "stream" = "whole";

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++;
      request.resume();
      if (mode === "whole") {
        const { status, headers, bytes } = openaiChat.encodeError(failWith, "req_7");
        response.writeHead(status, headers.flat()).end(bytes);
        return;
      }
      response.writeHead(200, { "content-type": "text/event-stream" });
      void (async () => {
        const events = (async function* () {
          await Promise.resolve();
          yield { type: "start", id: "c", model: "m", createdAtMs: 1000 } as const;
          throw failWith;
        })();
        for await (const frames of openaiChat.encodeStream(events, { includeUsage: true, onError: () => undefined }))
          response.write(frames);
        response.end();
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new OpenAI({ apiKey: "x", baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, maxRetries: 2 });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const ask = async (error: GatewayError, stream = false): Promise<unknown> => {
    failWith = error;
    requests = 0;
    mode = stream ? "stream" : "whole";
    try {
      const answer = await client.chat.completions.create({ model: "m", messages: [], stream });
      if (Symbol.asyncIterator in answer) for await (const _chunk of answer);
      return null;
    } catch (thrown) {
      return thrown;
    }
  };

  it.each<[ErrorCode, new (...args: never[]) => Error, number]>([
    ["validation_failed", OpenAI.BadRequestError, 400],
    ["unauthenticated", OpenAI.AuthenticationError, 401],
    ["forbidden", OpenAI.PermissionDeniedError, 403],
    ["model_not_found", OpenAI.NotFoundError, 404],
    ["conflict", OpenAI.ConflictError, 409],
    ["unsupported_feature", OpenAI.UnprocessableEntityError, 422],
    ["budget_exceeded", OpenAI.RateLimitError, 429],
    ["internal", OpenAI.InternalServerError, 500],
    ["upstream_credential", OpenAI.InternalServerError, 502],
  ])("throws the right class for %s, with status and request id, and does not repeat", async (code, expected, status) => {
    const thrown = await ask(new GatewayError(code, "It went wrong."));
    expect(thrown).toBeInstanceOf(expected);
    expect(thrown).toMatchObject({ status, requestID: "req_7", message: expect.stringContaining("It went wrong.") });
    expect(requests).toBe(1);
  });

  it("repeats what may succeed, after the wait that it was told", async () => {
    const thrown = await ask(new GatewayError("rate_limited", "Slow down.", { retryAfterMs: 1 }));
    expect(thrown).toBeInstanceOf(OpenAI.RateLimitError);
    expect(thrown).toMatchObject({ code: "rate_limit_exceeded", type: "rate_limit_error" });
    expect(requests).toBe(3);
  });

  it("throws for a failure in the middle of a stream", async () => {
    const thrown = await ask(new GatewayError("upstream_interrupted", "It broke off."), true);
    expect(thrown).toBeInstanceOf(OpenAI.APIError);
    expect(thrown).toMatchObject({ code: "upstream_interrupted", message: "It broke off." });
  });
});
