import { afterEach, describe, expect, it, vi } from "vitest";
import type { AuthHook } from "../../src/access/index.js";
import { clock } from "../../src/platform/node.js";
import { usageEntry } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { namesOwnFile } from "../../src/routing/lanes/prepare/own-files.js";
import type { Gateway } from "../../src/index.js";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor, type Answer } from "./stub-vendor.js";

afterEach(closeAll);

const auth: AuthHook = (request) => {
  const project = request.header("x-project") ?? "one";
  return { kind: "user", id: `user of ${project}`, name: project, projects: [project], grants: ["*"] };
};
const said: Answer = ({ path }, answer) => {
  if (path.endsWith("/input_tokens")) return sendJson(answer, { detail: "Not Found" }, 404);
  if (path === "/v1/messages")
    return sendJson(answer, {
      ...{ id: "msg_1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn", stop_sequence: null },
      ...{ content: [{ type: "text", text: "read" }], usage: { input_tokens: 3, output_tokens: 1 } },
    });
  return sendJson(answer, {
    ...{ id: "resp_1", object: "response", created_at: 1, status: "completed", model: "m", error: null, incomplete_details: null },
    output: [
      {
        id: "msg_1",
        type: "message",
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: "read", annotations: [] }],
      },
    ],
    usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
  });
};
async function setting() {
  const vendor = await stubVendor(said);
  const gateway = gatewayTo(
    {
      lab: { vendor: "openai", protocols: ["openai-responses"], baseUrl: `${vendor.base}/v1`, apiKey: KEY },
      other: { vendor: "anthropic", baseUrl: vendor.base, apiKey: KEY },
    },
    { auth, network: { allowPrivate: true } },
  );
  return { ...vendor, gateway };
}
async function upload(gateway: Gateway, name: string, text: string): Promise<string> {
  const form = new FormData();
  form.set("purpose", "user_data");
  form.set("file", new File([text], name));
  const response = await gateway.fetch(new Request("http://localhost/v1/files", { method: "POST", body: form }));
  return ((await response.json()) as { id: string }).id;
}
const post = (gateway: Gateway, path: string, body: unknown, project = "one") =>
  gateway.fetch(
    new Request(`http://localhost${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-project": project },
      body: JSON.stringify(body),
    }),
  );
const asking = (model: string, fileId: string) => ({
  ...{ model, store: false },
  input: [
    {
      role: "user",
      content: [
        { type: "input_file", file_id: fileId },
        { type: "input_text", text: "Read it." },
      ],
    },
  ],
});
const PDF = Buffer.from("%PDF-1.7").toString("base64");

describe("a file that was uploaded to the gateway", () => {
  it("reaches any vendor as its bytes, also one that speaks the caller's dialect", async () => {
    const { gateway, got } = await setting();
    const id = await upload(gateway, "a.pdf", "%PDF-1.7");
    expect((await post(gateway, "/v1/responses", asking("lab/m", id))).status).toBe(200);
    expect(JSON.stringify(got[0]!.json)).toContain(`data:application/pdf;base64,${PDF}`);
    expect((await post(gateway, "/v1/responses", asking("other/m", id))).status).toBe(200);
    expect(JSON.stringify(got[1]!.json)).toContain(`"media_type":"application/pdf","data":"${PDF}"`);
    for (const { bytes } of got) expect(bytes.toString()).not.toContain(id);
  });

  it("is nothing to another project, and its id is told to no vendor", async () => {
    const { gateway, got } = await setting();
    const id = await upload(gateway, "a.pdf", "%PDF-1.7");
    const response = await post(gateway, "/v1/responses", asking("lab/m", id), "two");
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { param: "messages[0].content[0]" } });
    expect(got).toEqual([]);
  });

  it("leaves a vendor's own ids as they are", async () => {
    const { gateway, got } = await setting();
    await post(gateway, "/v1/responses", asking("lab/m", "file-AbC123"));
    expect(JSON.stringify(got[0]!.json)).toContain('"file_id":"file-AbC123"');
  });

  it("of one vendor does not go to another, which would take the id for something else", async () => {
    const { gateway, got } = await setting();
    const source = { type: "file", file_id: "file_011CNha8iCJcU1wXNR6q4V8w" };
    const messages = [{ role: "user", content: [{ type: "document", source }] }];
    const response = await post(gateway, "/v1/messages", { model: "lab/m", max_tokens: 10, messages });
    expect(response.status).toBe(422);
    expect(await response.text()).toContain("messages[0].content[0]");
    expect(got).toEqual([]);
  });

  it("is known by its id alone", () => {
    const names = (text: string) => namesOwnFile(new TextEncoder().encode(text));
    const id = `file_${"0a".repeat(12)}`;
    expect([names(`{"file_id":"${id}"}`), names(`"file_data" "${id}"`)]).toEqual([true, true]);
    expect([names(`"${id}x"`), names(`${id}"`), names('{"file_id":"file_011CNha8iCJcU1wXNR6q4V8w"}'), names(`"${id}`), names("")]).toEqual([
      ...[false, false, false, false, false],
    ]);
  });
});

it("estimates tokens for a server that speaks a protocol and leaves its counting out", async () => {
  const { gateway, got } = await setting();
  const body = { model: "lab/m", messages: [{ role: "user", content: "x".repeat(400) }] };
  const response = await post(gateway, "/v1/messages/count_tokens", body);
  expect([response.status, await response.json()]).toEqual([200, { input_tokens: 100 }]);
  expect(got[0]!.path).toBe("/v1/responses/input_tokens");
});

it("says that a model is unknown instead of estimating for it", async () => {
  const { base } = await stubVendor((_got, answer) => sendJson(answer, { error: { message: "The model `m` does not exist" } }, 404));
  const lab = { vendor: "openai" as const, protocols: ["openai-responses" as const], baseUrl: `${base}/v1`, apiKey: KEY };
  const gateway = gatewayTo({ lab }, { auth, network: { allowPrivate: true } });
  const response = await post(gateway, "/v1/messages/count_tokens", { model: "lab/m", messages: [{ role: "user", content: "x" }] });
  expect(response.status).toBe(404);
});

it("keeps in its row what the first of several calls for vectors used when a later one fails", async () => {
  const { base } = await stubVendor(({ json }, answer) => {
    const input = (json as { readonly input?: readonly string[] }).input ?? [];
    if (input.length < 2048) return sendJson(answer, { error: { message: "No.", type: "invalid_request_error" } }, 400);
    const data = input.map((_text, index) => ({ object: "embedding", index, embedding: [1] }));
    sendJson(answer, { object: "list", model: "m", data, usage: { prompt_tokens: 2048, total_tokens: 2048 } });
  });
  const store = memoryStore({ clock });
  const gateway = gatewayTo(
    { lab: { vendor: "openai-compatible", baseUrl: `${base}/v1`, apiKey: KEY } },
    { auth, network: { allowPrivate: true }, storage: { name: "memory", open: () => Promise.resolve(store) } },
  );
  const input = Array.from({ length: 2049 }, (_, i) => `text ${i}`);
  expect((await post(gateway, "/v1/embeddings", { model: "lab/m", input })).status).toBe(400);
  const all = { orderBy: "atMs", limit: 9 } as const;
  await vi.waitFor(async () => {
    const { rows } = await store.find(usageEntry, all, { system: "a test" }, { deadlineMs: Date.now() + 5_000 });
    expect(rows.map(({ status, inputTokens }) => ({ status, inputTokens }))).toEqual([{ status: 400, inputTokens: 2048 }]);
  });
});
