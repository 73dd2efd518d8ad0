import { afterEach, describe, expect, it } from "vitest";
import { clock } from "#platform";
import { fileChunk, vendorObject } from "../../src/entities/index.js";
import type { Caller } from "../../src/calls/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { contentWrites } from "../../src/routing/objects/file-contents.js";
import { ObjectRecords } from "../../src/routing/objects/object-records.js";
import { closeAll, gatewayTo, KEY, sendJson, stubVendor } from "./stub-vendor.js";

afterEach(closeAll);
const caller: Caller = { kind: "key", id: "k", name: "k", projects: ["red"], grants: ["*"] };
const file = (id: string, bytes: Uint8Array, expiresAtMs: number | null) => ({
  ...{ id, projectId: "red", kind: "file" as const, purpose: "user_data", status: "succeeded" as const, expiresAtMs },
  data: { bytes: bytes.length },
});

describe("the rows of films, files and batches", () => {
  it("go when they are out of date, with their content, and not before", async () => {
    const store = memoryStore();
    const records = new ObjectRecords({ store, clock });
    const bytes = new Uint8Array(600_000);
    await records.create(file("file_old", bytes, Date.now() - 1), contentWrites("file_old", bytes, "red"));
    await records.create(file("file_new", bytes, Date.now() + 60_000), contentWrites("file_new", bytes, "red"));
    await records.create(file("file_kept", bytes, null), contentWrites("file_kept", bytes, "red"));
    await expect(records.get("file_old", "file", caller)).rejects.toMatchObject({ code: "not_found" });
    await records.sweep();
    const all = { system: "a test" };
    const left = await store.find(vendorObject, { orderBy: "createdAtMs", limit: 10 }, all, records.within());
    expect(left.rows.map(({ id }) => id).sort()).toEqual(["file_kept", "file_new"]);
    expect(await store.get(fileChunk, "file_old_1", all, records.within())).toBeNull();
    expect(await store.get(fileChunk, "file_new_1", all, records.within())).not.toBeNull();
  });

  it("are taken by one of many at once, and only when they are due", async () => {
    const store = memoryStore();
    const records = new ObjectRecords({ store, clock });
    const film = (id: string, readyAtMs: number) => ({
      ...{ id, projectId: "red", kind: "video" as const, purpose: "video", readyAtMs },
      data: {},
    });
    await records.create(film("video_due", Date.now() - 1));
    await records.create(film("video_later", Date.now() + 60_000));
    const taken = await Promise.all([1, 2, 3].map(() => records.take("video", { limit: 5, leaseMs: 1_000 })));
    expect(taken.flat().map(({ id, attempt }) => [id, attempt])).toEqual([["video_due", 1]]);
  });
});

describe("counting tokens", () => {
  const count = async (gateway: ReturnType<typeof gatewayTo>, model: string) => {
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "x".repeat(400) }] });
    const headers = { "content-type": "application/json", "x-api-key": "media-owner-key-4c1d8f0b7a2e9635-xyz" };
    return gateway.fetch(new Request("http://localhost/v1/messages/count_tokens", { method: "POST", body, headers }));
  };

  it("115: asks the vendor that can count, and estimates for one that cannot, saying so", async () => {
    const { base, got } = await stubVendor((_got, answer) => sendJson(answer, { input_tokens: 123 }));
    const gateway = gatewayTo({
      anthropic: { baseUrl: base, apiKey: KEY },
      lab: { vendor: "openai-compatible", baseUrl: `${base}/v1`, apiKey: KEY },
    });
    const counted = await count(gateway, "anthropic/claude-sonnet-5");
    expect(await counted.json()).toEqual({ input_tokens: 123 });
    expect(counted.headers.get("x-sallyport-estimated")).toBeNull();
    expect(got[0]!.path).toBe("/v1/messages/count_tokens");
    const estimated = await count(gateway, "lab/any");
    expect(await estimated.json()).toEqual({ input_tokens: 100 });
    expect(estimated.headers.get("x-sallyport-estimated")).toBe("true");
    expect(got).toHaveLength(1);
  });
});
