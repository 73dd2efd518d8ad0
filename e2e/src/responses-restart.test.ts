import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, expect, it } from "vitest";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { OWNER_KEY } from "./served.js";

const SECRET = crypto.getRandomValues(new Uint8Array(32));
const folder = mkdtempSync(join(tmpdir(), "sallyport-responses-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One process's gateway after the other, over one database, and the SDK before it. */
async function running<T>(use: (client: OpenAI) => Promise<T>): Promise<T> {
  const gateway = new Gateway({
    ...{ env: {}, ownerKey: OWNER_KEY, secret: SECRET, logging: { level: "silent" } },
    storage: sqlite(join(folder, "sallyport.db")),
  });
  gateway.providers.add({
    name: "slow",
    async *answer(_call, { model, signal }) {
      yield { type: "start", id: "answer_1", model, createdAtMs: 0 };
      await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
    },
  });
  const call = (input: string | URL | Request, init?: RequestInit) => gateway.fetch(new Request(input as string, init));
  try {
    return await use(new OpenAI({ baseURL: "http://localhost/v1", apiKey: OWNER_KEY, maxRetries: 0, fetch: call }));
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}

it("responses outlive their process; one that was being made reads as failed, and says why", async () => {
  const { kept, unfinished } = await running(async (client) => ({
    kept: await client.responses.create({ model: "demo/echo", input: "remember me" }),
    unfinished: await client.responses.create({ model: "slow/one", input: "x", background: true }),
  }));
  await running(async (client) => {
    expect((await client.responses.retrieve(kept.id)).output_text).toBe("remember me");
    const next = await client.responses.create({ model: "demo/echo", input: "again", previous_response_id: kept.id });
    expect(next.output_text).toBe("again");
    const failed = await client.responses.retrieve(unfinished.id);
    expect(failed).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: expect.stringContaining("closed") as string },
    });
    const again = await client.responses.retrieve(unfinished.id, { stream: true });
    const reading = (async () => {
      for await (const event of again) expect(event.type).not.toBe("response.completed");
    })();
    await expect(reading).rejects.toThrow("closed");
  });
});
