import { afterEach, expect, it } from "vitest";
import { ENVELOPE_MARK } from "../../src/routing/opaque/index.js";
import { isForVendor } from "../../src/routing/objects/native-batch.js";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor } from "./stub-vendor.js";

afterEach(closeAll);

const chat = "/v1/chat/completions";
const responses = "/v1/responses";
const own = `file_${"0a".repeat(12)}`;

it.each<[string, string, Record<string, unknown>, boolean]>([
  ["a plain call", chat, { messages: [{ role: "user", content: "hi" }] }, true],
  ["a vendor's own file", chat, { messages: [{ role: "user", content: [{ type: "file", file: { file_id: "file-AbC" } }] }] }, true],
  ["a file that is kept here", chat, { messages: [{ role: "user", content: [{ type: "file", file: { file_id: own } }] }] }, false],
  ["a response that is not to be kept", responses, { input: "hi", store: false }, true],
  ["a response that is to be kept", responses, { input: "hi" }, false],
  ["what goes on from a response", responses, { input: "hi", store: false, previous_response_id: "resp_1" }, false],
  ["a conversation", responses, { input: "hi", store: false, conversation: "conv_1" }, false],
  ["an item by its id", responses, { input: [{ id: "msg_1" }], store: false }, false],
  ["a token in an envelope", responses, { input: [{ type: "reasoning", encrypted_content: `${ENVELOPE_MARK}abc` }], store: false }, false],
])("%s may be handed to a vendor's batch, or not", (_what, endpoint, body, expected) => {
  expect(isForVendor({ customId: "a", body: { model: "lab/m", ...body } as never }, endpoint, null)).toBe(expected);
});

it("makes responses that are to be kept itself, and leaves none at the vendor", async () => {
  const { base, got } = await stubVendor((_got, answer) =>
    sendJson(answer, {
      ...{ id: "resp_theirs", object: "response", created_at: 1, status: "completed", model: "m", error: null, incomplete_details: null },
      ...{ output: [], usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } },
    }),
  );
  const gateway = gatewayTo({ lab: { vendor: "openai", baseUrl: `${base}/v1`, apiKey: KEY } });
  const asked = (path: string, init: RequestInit = {}) =>
    gateway.fetch(
      new Request(`http://localhost${path}`, {
        ...init,
        headers: { ...init.headers, authorization: "Bearer media-owner-key-4c1d8f0b7a2e9635-xyz" },
      }),
    );
  const form = new FormData();
  form.set("purpose", "batch");
  const line = { custom_id: "a", method: "POST", url: responses, body: { model: "lab/m", input: "hi" } };
  form.set("file", new File([JSON.stringify(line)], "in.jsonl"));
  const file = (await (await asked("/v1/files", { method: "POST", body: form })).json()) as { id: string };
  const body = JSON.stringify({ input_file_id: file.id, endpoint: responses, completion_window: "24h" });
  const headers = { "content-type": "application/json" };
  const { id } = (await (await asked("/v1/batches", { method: "POST", body, headers })).json()) as { id: string };
  await expect.poll(async () => ((await (await asked(`/v1/batches/${id}`)).json()) as { status: string }).status).toBe("completed");
  expect(got.map(({ path, json }) => [path, (json as { store?: boolean }).store])).toEqual([["/v1/responses", false]]);
});
