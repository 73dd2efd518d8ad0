import { afterEach, expect, it } from "vitest";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor } from "../media/stub-vendor.js";

afterEach(closeAll);

const endpoint = "/v1/chat/completions";

it.each([
  [
    "are made here, one by one, where a guardrail looks into them",
    { words: { kind: "words" as const, settings: { words: ["tangerine"] } } },
    [endpoint],
  ],
  ["are handed to their vendor where none does", {}, ["/v1/files", "/v1/batches"]],
])("batches %s (T21)", async (_what, guardrails, paths) => {
  const { base, got } = await stubVendor(({ path }, answer) => {
    if (path === "/v1/files")
      return sendJson(answer, { id: "file-1", object: "file", bytes: 1, created_at: 1, filename: "in.jsonl", purpose: "batch" });
    if (path === "/v1/batches")
      return sendJson(answer, {
        id: "batch_1",
        object: "batch",
        endpoint,
        input_file_id: "file-1",
        completion_window: "24h",
        status: "in_progress",
        created_at: 1,
      });
    sendJson(answer, {
      ...{ id: "c", object: "chat.completion", created: 1, model: "m" },
      choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
  });
  const gateway = gatewayTo({ lab: { vendor: "openai", baseUrl: `${base}/v1`, apiKey: KEY } }, { guardrails });
  const authorization = "Bearer media-owner-key-4c1d8f0b7a2e9635-xyz";
  const asked = (path: string, init: RequestInit = {}) =>
    gateway.fetch(new Request(`http://localhost${path}`, { ...init, headers: { ...init.headers, authorization } }));
  const line = (custom_id: string, content: string) =>
    JSON.stringify({ custom_id, method: "POST", url: endpoint, body: { model: "lab/m", messages: [{ role: "user", content }] } });
  const form = new FormData();
  form.set("purpose", "batch");
  form.set("file", new File([`${line("a", "plain")}\n${line("b", "a tangerine")}`], "in.jsonl"));
  const file = (await (await asked("/v1/files", { method: "POST", body: form })).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: file.id, endpoint, completion_window: "24h" });
  const begun = (await (await asked("/v1/batches", { method: "POST", body, headers: { "content-type": "application/json" } })).json()) as {
    id: string;
  };
  if (paths.length === 1) {
    const read = async () => (await (await asked(`/v1/batches/${begun.id}`)).json()) as { status: string; error_file_id: string };
    await expect.poll(async () => (await read()).status).toBe("completed");
    const errors = await (await asked(`/v1/files/${(await read()).error_file_id}/content`)).text();
    expect(errors).toContain('"custom_id":"b"');
    expect(errors).toContain("content_blocked");
  }
  expect([...new Set(got.map(({ path }) => path))]).toEqual(paths);
  expect(got.some(({ bytes }) => paths.length === 1 && bytes.includes("tangerine"))).toBe(false);
});
