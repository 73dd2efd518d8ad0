import { afterEach, expect, it } from "vitest";
import { clock } from "../../src/platform/node.js";
import { usageEntry } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { closeAll, gatewayTo, KEY, stubVendor } from "../media/stub-vendor.js";
import { needsData, readDataText } from "../wire/test-data.js";

afterEach(closeAll);

for (const [lane, path, more] of [
  ["relayed", "/v1/messages", { max_tokens: 100 }],
  ["translated", "/v1/chat/completions", {}],
] as const)
  it(`75: a stream that another model took over is priced by what each of them did, ${lane}`, async (context) => {
    needsData(context);
    const recorded = readDataText("recorded/anthropic/anthropic-fallback.chunks.txt").trim().split("\n");
    const frames = recorded.map((line) => `event: ${(JSON.parse(line) as { type: string }).type}\ndata: ${line}\n\n`).join("");
    const vendor = await stubVendor((_got, answer) => answer.writeHead(200, { "content-type": "text/event-stream" }).end(frames));
    const store = memoryStore({ clock });
    const gateway = gatewayTo(
      { anthropic: { baseUrl: vendor.base, apiKey: KEY } },
      { storage: { name: "memory", open: () => Promise.resolve(store) }, network: { allowPrivate: true } },
    );
    const messages = [{ role: "user", content: "hello" }];
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, {
        ...{ method: "POST", body: JSON.stringify({ model: "anthropic/claude-fable-5", stream: true, messages, ...more }) },
        headers: { "content-type": "application/json", authorization: "Bearer media-owner-key-4c1d8f0b7a2e9635-xyz" },
      }),
    );
    await response.text();
    const within = () => ({ deadlineMs: clock.now() + 5_000 });
    const rows = async () => (await store.find(usageEntry, { orderBy: "atMs", limit: 10 }, { system: "a test" }, within())).rows;
    await expect.poll(async () => (await rows()).length).toBe(1);
    // 408 × 10 of the model asked; 412 × 5 and 264 × 25 of the one that took over; micro-dollars.
    expect((await rows())[0]).toMatchObject({
      ...{ model: "claude-fable-5", inputTokens: 820, outputTokens: 264, costNanoUsd: (4_080 + 2_060 + 6_600) * 1_000 },
      detail: { byModel: "claude-fable-5, claude-opus-4-8" },
    });
  });
