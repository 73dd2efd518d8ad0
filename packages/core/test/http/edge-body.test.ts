import { describe, expect, it } from "vitest";
import { edgeHarness, OWNER_KEY } from "./edge-harness.js";

const base = "http://localhost";
const authorization = `Bearer ${OWNER_KEY}`;

async function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}, path = "/api/v1/runs") {
  const { fetch } = await edgeHarness({ server: { maxBodyBytes: 1024 } });
  const response = await fetch(new Request(base + path, { method: "POST", headers: { authorization, ...headers }, body }));
  const answer = (await response.json()) as { error?: { code: string; message: string; hint?: string; details?: unknown } };
  return { status: response.status, ...answer.error };
}

describe("bodies (T41)", () => {
  const good = '{"model":"a/one","input":"hi"}';

  it.each([
    undefined,
    "application/json",
    "application/json; charset=utf-8",
    'Application/JSON;charset="UTF-8"',
    "application/vnd.api+json",
    "text/json",
    "text/plain",
  ])("are read as JSON when their type is %s", async (type) => {
    expect((await post(good, type === undefined ? {} : { "content-type": type })).status).toBe(201);
  });

  it.each([
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/jsonx",
  ])("are refused with the type %s, on every face", async (type) => {
    for (const path of ["/api/v1/runs", "/v1/chat/completions", "/mcp"])
      expect(await post(good, { "content-type": type }, path)).toMatchObject({ status: 415, code: "unsupported_media_type" });
  });

  it.each(["gzip", "br", "deflate", "identity, gzip"])("are refused with the encoding %s, before a byte is inflated", async (encoding) => {
    expect(await post(good, { "content-encoding": encoding })).toMatchObject({ status: 415, code: "unsupported_media_type" });
  });

  it("may be as large as the limit and not larger, whether or not they say their length", async () => {
    const sized = (bytes: number) => `{"model":"a/one","input":"${"x".repeat(bytes - 28)}"}`;
    expect(sized(1024)).toHaveLength(1024);
    expect((await post(sized(1024))).status).toBe(201);
    expect(await post(sized(1025))).toMatchObject({ status: 413, code: "payload_too_large", details: { max_bytes: 1024 } });
    expect(await post(sized(1024), { "content-length": "1025" })).toMatchObject({ status: 413, code: "payload_too_large" });
  });

  it.each([
    ["nothing", ""],
    ["cut off", '{"model":"a'],
    ["two values", `${good}${good}`],
    ["a trailing comma", '{"model":"a/one",}'],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
    ["nested too deep", "[".repeat(201) + "]".repeat(201)],
    ["a number that is none", '{"model":NaN}'],
  ])("that are not JSON are refused: %s", async (_name, body) => {
    const answer = await post(body as string);
    expect(answer).toMatchObject({ status: 400, code: "invalid_json" });
  });

  it("keep brackets in strings apart from nesting", async () => {
    expect((await post(`{"model":"a/one","input":"${'[{\\"'.repeat(150)}"}`)).status).toBe(201);
  });
});

describe("validation", () => {
  it.each<[string, unknown, string]>([
    [
      "an unknown field, with the one that was meant",
      { model: "a/one", inputs: "hi", maxSteps: 3 },
      'unknown field "inputs"; did you mean "input"?',
    ],
    ["another spelling", { model: "a/one", input: "hi", maxSteps: 3 }, 'unknown field "maxSteps"; did you mean "max_steps"?'],
    ["a missing field", { model: "a/one" }, "input: expected string or array"],
    ["a wrong type", { model: "a/one", input: "hi", max_steps: "3" }, "max_steps: "],
    ["a value out of range", { model: "a/one", input: "hi", max_steps: 0 }, "max_steps: "],
    ["neither text nor messages", { model: "a/one", input: 7 }, "input: expected string or array"],
    ["no messages", { model: "a/one", input: [] }, "input: "],
    ["a wrong role", { model: "a/one", input: [{ role: "robot", content: "hi" }] }, "input[0].role: "],
    [
      "a wrong field deep inside",
      { model: "a/one", input: [{ role: "user", content: [{ type: "text", txt: "hi" }] }] },
      "input[0].content[0]",
    ],
    ["a list instead of an object", [], "body: "],
    ["null", null, "body: "],
  ])("names the path of %s", async (_what, body, message) => {
    const answer = await post(JSON.stringify(body));
    expect(answer).toMatchObject({ status: 400, code: "validation_failed" });
    expect(answer.message).toContain(message);
  });

  it("refuses __proto__ like any other unknown field, and pollutes nothing (T43)", async () => {
    const answer = await post('{"model":"a/one","input":"hi","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(answer).toMatchObject({ status: 400, code: "validation_failed" });
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("never shows the values that were sent", async () => {
    const answer = await post('{"model":"a/one","input":{"secret":"hunter2"},"max_steps":"hunter2"}');
    expect(JSON.stringify(answer)).not.toContain("hunter2");
  });
});
