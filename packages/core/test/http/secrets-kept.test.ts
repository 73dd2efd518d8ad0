import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { gatewayKey } from "../../src/entities/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { Gateway } from "../../src/gateway.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { FakeClock, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { Secret } from "../../src/util/secret.js";

// Secrets of a whole gateway: under a changed master secret, in its errors, and in what it logs.

const OLD = Buffer.from("8f1c22d07be94a6531f09ad2e4c7b85a", "utf8");
const NEW = Buffer.from("b2e47d91c0635fa84d1e7c3a920f86de", "utf8");

async function gatewayOn(storage: GatewayOptions["storage"], o: GatewayOptions = {}) {
  const lines: string[] = [];
  const gateway = new Gateway({
    ...{ env: {}, storage, ownerKey: TEST_OWNER_KEY, mcpServers: {}, logging: { level: "debug" } },
    log: (level, message, fields) => lines.push(JSON.stringify([level, message, fields])),
    ...o,
  });
  await gateway.start();
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const status = async (key = TEST_OWNER_KEY) =>
    (await fetch(`${serving.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status;
  return { gateway, serving, lines, status };
}

it("keys of callers stay good under a new secret that comes with the old one, and the old one alone is refused then", async () => {
  const store = memoryStore({ clock: new FakeClock(Date.now()) });
  const storage = { name: "shared", open: () => Promise.resolve(store) };
  const first = await gatewayOn(storage, { secret: OLD });
  const before = await store.get(gatewayKey, "key_owner", { system: "test" }, { deadlineMs: Number.MAX_SAFE_INTEGER });
  expect(await first.status()).toBe(200);
  const second = await gatewayOn(storage, { secret: NEW, previousSecrets: [OLD] });
  expect(await second.status()).toBe(200);
  const third = await gatewayOn(storage, { secret: NEW, ownerKey: undefined });
  expect(await third.status()).toBe(200);
  const after = await store.get(gatewayKey, "key_owner", { system: "test" }, { deadlineMs: Number.MAX_SAFE_INTEGER });
  expect(after?.digest).toBe(before?.digest);
  await expect(gatewayOn(storage, { secret: OLD })).rejects.toMatchObject({ code: "misconfigured" });
});

it("what an upstream quotes of our credential reaches neither the caller nor the log (T26)", async () => {
  const upstream = createServer((request, response) => {
    request.resume();
    response.writeHead(400, { "content-type": "application/json" });
    const key = String(request.headers.authorization).slice("Bearer ".length);
    const message = `Bad key ${key}, or ${Buffer.from(key).toString("base64")}, or ${encodeURIComponent("sk-of-another/vendor")}`;
    response.end(JSON.stringify({ error: { message, type: "invalid_request_error" } }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void upstream.close());
  const { port } = upstream.address() as { port: number };
  const providers = {
    lab: { vendor: "openai-compatible" as const, baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: "env:LAB_KEY" },
    other: { vendor: "openai-compatible" as const, baseUrl: "http://127.0.0.1:9/v1", apiKey: new Secret("sk-of-another/vendor") },
  };
  const { serving, lines } = await gatewayOn(undefined, { providers, env: { LAB_KEY: "sk-canary-of-the-lab" } });
  const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
  const faces: [string, unknown][] = [
    ["/v1/chat/completions", { model: "lab/m", messages: [{ role: "user", content: "hi" }] }],
    ["/v1/messages", { model: "lab/m", max_tokens: 9, messages: [{ role: "user", content: "hi" }] }],
    ["/v1/responses", { model: "lab/m", input: "hi" }],
    ["/v1beta/models/lab/m:generateContent", { contents: [{ parts: [{ text: "hi" }] }] }],
  ];
  for (const [path, body] of faces) {
    const answer = await fetch(serving.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    const text = await answer.text();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    for (const form of ["canary", "sk-of-another", Buffer.from("canary-of").toString("base64")])
      expect(text + lines.join("\n")).not.toContain(form);
  }
});
