import OpenAI from "openai";
import { expect, it } from "vitest";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

it("108: what only a vendor could keep or open is refused, and says what to do instead", async () => {
  const gateway = await createTestGateway();
  const openai = new OpenAI({
    ...{ baseURL: "http://localhost/v1", apiKey: TEST_OWNER_KEY, maxRetries: 0 },
    fetch: (url, init) => gateway.fetch(new Request(url, init as RequestInit)),
  });
  const refused = { status: 422, code: "unsupported_feature", message: expect.stringContaining("previous_response_id") };
  await expect(openai.responses.compact({ model: "demo/echo", input: "hi" })).rejects.toMatchObject(refused);
  const conversation = { model: "demo/echo", input: "hi", conversation: "conv_1" };
  await expect(openai.responses.create(conversation)).rejects.toMatchObject({ ...refused, param: "conversation" });
  await gateway.close({ graceMs: 0 });
});
