import { afterEach, describe, expect, it } from "vitest";
import type { AuthHook } from "../../src/access/index.js";
import { isForVendor } from "../../src/routing/objects/native-batch.js";
import { mayNameHandle } from "../../src/routing/lanes/prepare/vendor-handles.js";
import { openaiResponses } from "../../src/wire/openai-responses/index.js";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor, type Answer } from "./stub-vendor.js";

afterEach(closeAll);

/** Everybody may call every model; who says so may name what lies at vendors. */
const auth: AuthHook = (request) => {
  const grants = ["models:*", ...(request.header("x-raw") === "yes" ? ["files:raw"] : [])];
  return { kind: "user", id: "u", name: "u", projects: ["one"], grants };
};
const said: Answer = ({ path }, answer) => {
  const done = { input_tokens: 3, output_tokens: 1, total_tokens: 4 };
  if (path.endsWith("tokens") || path.endsWith(":countTokens")) return sendJson(answer, { input_tokens: 3, totalTokens: 3 });
  if (path.startsWith("/v1/messages"))
    return sendJson(answer, {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      stop_reason: "end_turn",
      usage: done,
    });
  if (path.startsWith("/v1/responses"))
    return sendJson(answer, { id: "resp_1", object: "response", created_at: 1, status: "completed", model: "m", output: [], usage: done });
  if (path.startsWith("/v1/chat")) {
    const message = { role: "assistant", content: "read" };
    return sendJson(answer, { id: "c", object: "chat.completion", model: "m", choices: [{ index: 0, message, finish_reason: "stop" }] });
  }
  return sendJson(answer, { candidates: [{ content: { role: "model", parts: [{ text: "read" }] }, finishReason: "STOP" }] });
};

async function setting(rawIds?: "allow" | "refuse") {
  const vendor = await stubVendor(said);
  const more = { apiKey: KEY, ...(rawIds === undefined ? {} : { rawIds }) };
  const gateway = gatewayTo(
    {
      chat: { vendor: "openai-compatible", baseUrl: `${vendor.base}/v1`, ...more },
      responses: { vendor: "openai", protocols: ["openai-responses"], baseUrl: `${vendor.base}/v1`, ...more },
      messages: { vendor: "anthropic", baseUrl: vendor.base, ...more },
      google: { vendor: "google", baseUrl: vendor.base, ...more },
    },
    { auth, network: { allowPrivate: true } },
  );
  const post = async (path: string, body: unknown, raw = "no") => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { "content-type": "application/json", "x-raw": raw };
    const response = await gateway.fetch(new Request(`http://localhost${path}`, { method: "POST", headers, body: text }));
    return { status: response.status, text: await response.text() };
  };
  return { ...vendor, gateway, post };
}

const user = (...content: object[]) => [{ role: "user", content }];
const chat = (file: object) => ({ model: "chat/m", messages: user({ type: "text", text: "Read." }, { type: "file", file }) });
const responses = (rest: object) => ({ model: "responses/m", store: false, input: "Read.", ...rest });
const messages = (rest: object) => ({ model: "messages/m", max_tokens: 10, messages: [{ role: "user", content: "Read." }], ...rest });
const google = (part: object, rest: object = {}) => ({ contents: [{ role: "user", parts: [{ text: "Read." }, part] }], ...rest });
const GENERATE = "/v1beta/models/google/m:generateContent";
const source = { type: "file", file_id: "file_011CNha8iCJcU1wXNR6q4V8w" };
const uploaded = (fileUri: string) => google({ fileData: { fileUri, mimeType: "application/pdf" } });

const named: readonly (readonly [string, string, unknown, string])[] = [
  ["a file, in a chat", "/v1/chat/completions", chat({ file_id: "file-AbC123" }), "messages[0].content[1]"],
  [
    "a file, by an escaped name",
    "/v1/chat/completions",
    JSON.stringify(chat({ file_id: "file-AbC123" })).replace("file_id", "file\\u005fid"),
    "",
  ],
  ["a file, in Responses", "/v1/responses", responses({ input: user({ type: "input_file", file_id: "file-AbC123" }) }), ""],
  [
    "a store of vectors",
    "/v1/responses",
    responses({ tools: [{ type: "file_search", vector_store_ids: ["vs_1"] }] }),
    "tools[0].vector_store_ids",
  ],
  [
    "files of a container",
    "/v1/responses",
    responses({ tools: [{ type: "code_interpreter", container: { type: "auto", file_ids: ["file-1"] } }] }),
    "tools[0].container.file_ids",
  ],
  ["a container", "/v1/responses", responses({ tools: [{ type: "code_interpreter", container: "cntr_1" }] }), "tools[0].container"],
  ["a prompt", "/v1/responses", responses({ prompt: { id: "pmpt_1" } }), "prompt"],
  ["a document", "/v1/messages", messages({ messages: user({ type: "document", source }) }), "messages[0].content[0]"],
  ["a container of Anthropic's", "/v1/messages", messages({ container: "container_011" }), "container"],
  [
    "a skill that was uploaded",
    "/v1/messages",
    messages({ container: { skills: [{ type: "custom", skill_id: "skill_01" }] } }),
    "container.skills[0].skill_id",
  ],
  [
    "an upload to a container",
    "/v1/messages",
    messages({ messages: user({ type: "container_upload", file_id: "file_011" }) }),
    "messages[0].content[0].file_id",
  ],
  ["a file of Google's", GENERATE, uploaded("files/abc-123"), "messages[0].content[1]"],
  ["an object in Google's storage", GENERATE, uploaded("gs://bucket/secret.pdf"), "messages[0].content[1]"],
  ["a cache", GENERATE, google({ text: "." }, { cachedContent: "cachedContents/abc" }), "cachedContent"],
  [
    "a file whose tokens are counted",
    "/v1/messages/count_tokens",
    messages({ messages: user({ type: "document", source }) }),
    "messages[0].content[0]",
  ],
];

describe("T16: what lies at a vendor, named by the vendor's own id", () => {
  it.each(named)("is refused to who may not: %s", async (_what, path, body, field) => {
    const { got, post } = await setting();
    const refused = await post(path, body);
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringContaining(field === "" ? "messages[0].content[" : `\\"${field}\\"`),
    ]);
    expect(refused.text).toContain("rawIds");
    expect(got).toEqual([]);
  });

  it.each(named)("goes to the vendor as it is for who may, and where the provider lets everybody: %s", async (_what, path, body) => {
    const may = await setting();
    expect((await may.post(path, body, "yes")).status).toBe(200);
    const open = await setting("allow");
    expect((await open.post(path, body)).status).toBe(200);
    expect(open.got[0]!.bytes).toEqual(may.got[0]!.bytes);
  });

  it("cannot hide behind another one of the same name", async () => {
    const { got, post } = await setting();
    const text = JSON.stringify(chat({ file_id: "file_000000000000000000000000" }));
    const twice = text.replace(/("file_id":)("[^"]*")/, '$1$2,$1"file-AbC123"');
    expect((await post("/v1/chat/completions", twice)).status).toBe(400);
    expect(got).toEqual([]);
  });

  it("does not reach a vendor by way of a batch of its own", () => {
    const body = { model: "m", store: false, input: user({ type: "input_file", file_id: "file-AbC123" }) };
    const request = { customId: "a", body: body as never };
    expect(isForVendor(request, "/v1/responses", null)).toBe(true);
    expect(isForVendor(request, "/v1/responses", openaiResponses)).toBe(false);
  });
});

describe("a call that only talks of such things", () => {
  it.each([
    [
      "in a text",
      "/v1/chat/completions",
      { model: "chat/m", messages: [{ role: "user", content: '{"file_id":"file-AbC123"} \u00e9 "container": 1' }] },
    ],
    [
      "as a parameter of its tool",
      "/v1/messages",
      messages({ tools: [{ name: "t", input_schema: { type: "object", properties: { file_id: { type: "string" } } } }] }),
    ],
    [
      "in what a tool was asked",
      "/v1/messages",
      messages({
        messages: [
          { role: "user", content: "a" },
          { role: "assistant", content: [{ type: "tool_use", id: "t1", name: "t", input: { file_id: "doc" } }] },
          ...user({ type: "tool_result", tool_use_id: "t1", content: "b" }),
        ],
      }),
    ],
    [
      "in a source that was cited",
      "/v1/responses",
      responses({
        input: [
          { role: "user", content: "a" },
          {
            type: "message",
            role: "assistant",
            content: [
              { type: "output_text", text: "b", annotations: [{ type: "file_citation", index: 0, file_id: "file-1", filename: "a" }] },
            ],
          },
          { role: "user", content: "c" },
        ],
      }),
    ],
    ["of the vendor's own skills", "/v1/messages", messages({ container: { skills: [{ type: "anthropic", skill_id: "pptx" }] } })],
    ["of a film that everybody can see", GENERATE, uploaded("https://www.youtube.com/watch?v=abc")],
  ])("is answered: %s", async (_what, path, body) => {
    const { got, post } = await setting();
    expect(await post(path, body)).toMatchObject({ status: 200 });
    expect(got.length).toBe(1);
  });

  it("is relayed as it is: words in texts are no fields", () => {
    const may = (text: string) => mayNameHandle(new TextEncoder().encode(text), openaiResponses);
    expect([may('{"a":"\\"file_id\\":"}'), may('["file_id","\\\\"]'), may('{"a":"\\u00e9 \\u003c"}'), may("")]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([may('{"file_id" \n: 1}'), may('{"file\\u005fid":1}'), may('{"x":{"container":1}}')]).toEqual([true, true, true]);
  });
});
