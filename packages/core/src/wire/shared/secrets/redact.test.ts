import { describe, expect, it } from "vitest";
import { redact } from "./redact.js";

describe("what looks like a credential", () => {
  it.each([
    "Incorrect API key provided: sk-proj-abc*****wxyz. You can find your key at the dashboard.",
    "invalid key sk-ant-api03-AbCdEf_123456-xyz",
    "Authorization: Bearer abcdef0123456789",
    "basic dXNlcjpwYXNzMTIz",
    "gsk_1234567890abcdef is not valid",
    "hf_aBcDeF123456 was revoked",
    "key AIzaSyA1234567890abcdefgh",
    'got {"api_key":"0123456789"}',
    "x-api-key: verysecretvalue",
    "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def",
    "xai-1234567890abcdef",
  ])("is taken out: %s", (text) => {
    const shown = redact(text);
    expect(shown).toContain("***");
    expect(shown).not.toMatch(/proj-abc|AbCdEf_|abcdef0|dXNlcjpw|1234567890|aBcDeF|0123456789|verysecret|eyJhbG/);
  });

  it.each([
    "The skeleton key is a keyboard shortcut; tokens per minute: 30000.",
    "Missing bearer authentication in header",
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "This model's maximum context length is 8192 tokens.",
  ])("other words stay: %s", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("cuts what is too long", () => {
    expect(redact("x".repeat(50), 10)).toBe(`${"x".repeat(10)}…`);
  });
});
