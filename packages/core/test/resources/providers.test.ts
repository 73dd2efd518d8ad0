import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { storedProvider, storedProviderKey } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { createTestGateway, FakeClock, TEST_OWNER_KEY } from "../../src/testing/index.js";

const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };

/** A server of OpenAI's dialect that says which keys it was called with. */
async function vendor() {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    keys.push(String(request.headers.authorization));
    response.writeHead(200, { "content-type": "application/json" });
    const message = { role: "assistant", content: "hello" };
    const usage = { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 };
    response.end(
      JSON.stringify({
        id: "x",
        object: "chat.completion",
        created: 1,
        model: "m",
        choices: [{ index: 0, message, finish_reason: "stop" }],
        usage,
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { keys, url: `http://127.0.0.1:${(server.address() as { port: number }).port}/v1` };
}

async function served(o: Parameters<typeof createTestGateway>[0] = {}) {
  const store = memoryStore({ clock: new FakeClock(Date.now()) });
  const gateway = await createTestGateway({
    storage: { name: "shared", open: () => Promise.resolve(store) },
    network: { allowPrivate: true },
    ...o,
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close();
  });
  const send = async (line: string, body?: unknown) => {
    const [method = "", path = ""] = line.split(" ");
    const response = await fetch(serving.url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> & { id: string },
    };
  };
  // A conversation keeps its key: so each is another one.
  let said = 0;
  const chat = (model: string) => send("POST /v1/chat/completions", { model, messages: [{ role: "user", content: `hi ${said++}` }] });
  const soon = (model: string, status: number) => expect.poll(async () => (await chat(model)).status, { timeout: 30_000 }).toBe(status);
  return { gateway, store, send, chat, soon };
}

it("a provider that is added over REST is called with its keys, priced as its model says, changed, and taken away, while the gateway runs", async () => {
  const { keys, url } = await vendor();
  const { send, chat, soon, store } = await served();
  expect((await chat("lab/m")).status).toBe(404);
  const added = await send("POST /api/v1/add/provider", {
    name: "lab",
    vendor: "openai-compatible",
    base_url: url,
    api_key: "sk-canary-one",
  });
  expect(added).toMatchObject({ status: 201, body: { name: "lab", api_key: { set: true } } });
  expect(JSON.stringify(added.body)).not.toContain("canary");
  await soon("lab/m", 200);
  expect(new Set(keys)).toEqual(new Set(["Bearer sk-canary-one"]));
  expect((await chat("lab/m")).headers.get("x-sallyport-cost-usd")).toBeNull();
  await send("POST /api/v1/add/model", { provider: "lab", code: "m", prices: { input: "2.5", output: 10 } });
  await expect.poll(async () => (await chat("lab/m")).headers.get("x-sallyport-cost-usd"), { timeout: 30_000 }).toBe("2.5");

  // A second key: all of them are used.
  await send("POST /api/v1/provider-keys", { provider: "lab", value: "sk-canary-two" });
  await expect
    .poll(
      async () => {
        await chat("lab/m");
        return new Set(keys).size;
      },
      { timeout: 30_000 },
    )
    .toBe(2);

  const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
  const rows = [
    await store.find(storedProvider, { orderBy: "id", limit: 10 }, { system: "test" }, within),
    await store.find(storedProviderKey, { orderBy: "id", limit: 10 }, { system: "test" }, within),
  ];
  expect(JSON.stringify(rows)).not.toContain("canary");

  await send(`PATCH /api/v1/providers/${added.body.id}`, { enabled: false });
  await soon("lab/m", 404);
  await send(`PATCH /api/v1/providers/${added.body.id}`, { enabled: true });
  await soon("lab/m", 200);
  expect((await send(`DELETE /api/v1/del/provider/${added.body.id}`)).status).toBe(200);
  await soon("lab/m", 404);
});

it("one that cannot work is refused with the field, and one of the configuration counts instead", async () => {
  const { url } = await vendor();
  const { send } = await served({ providers: { taken: { vendor: "openai-compatible", baseUrl: url } } });
  const refused = async (body: unknown) => {
    const answer = await send("POST /api/v1/providers", body);
    return [answer.status, (answer.body["error"] as { code: string }).code];
  };
  expect(await refused({ name: "taken", vendor: "openai" })).toEqual([409, "conflict"]);
  expect(await refused({ name: "demo" })).toEqual([409, "conflict"]);
  expect(await refused({ name: "x", vendor: "nobody" })).toEqual([400, "validation_failed"]);
  expect(await refused({ name: "x", vendor: "openai-compatible" })).toEqual([400, "validation_failed"]);
  expect(await refused({ name: "x", vendor: "openai", quirks: { nothing: 1 } })).toEqual([400, "validation_failed"]);
  expect(await refused({ name: "x", vendor: "openai", base_url: "file:///etc/passwd" })).toEqual([400, "validation_failed"]);
  expect(await refused({ name: "x", vendor: "openai", id: "mine" })).toEqual([400, "validation_failed"]);
});

it("its address is dialled only when it is public, unless the operator allows private ones (T11)", async () => {
  const { keys, url } = await vendor();
  const { send, chat, soon } = await served({ network: { allowPrivate: false } });
  await send("POST /api/v1/providers", { name: "lab", vendor: "openai-compatible", base_url: url, api_key: "sk-1" });
  await soon("lab/m", 403);
  expect((await chat("lab/m")).body["error"]).toMatchObject({ message: expect.stringMatching(/private|address/i) });
  expect(keys).toEqual([]);
});

it("a key that was given for one address goes to no other, unless it is given again (P10)", async () => {
  const { keys, url } = await vendor();
  const mine = await vendor();
  const { send, chat, soon } = await served();
  const { id } = (await send("POST /api/v1/providers", { name: "lab", vendor: "openai-compatible", base_url: url, api_key: "sk-theirs" }))
    .body;
  const extra = (await send("POST /api/v1/provider-keys", { provider: "lab", value: "sk-theirs-too" })).body.id;
  await soon("lab/m", 200);
  const move = (body: object) => send(`PATCH /api/v1/providers/${id}`, { base_url: mine.url, ...body });
  expect((await move({})).status).toBe(400);
  expect((await send(`PATCH /api/v1/providers/${id}`, { auth: { header: "x-mine" } })).status).toBe(400);
  expect((await move({ api_key: "sk-mine" })).status).toBe(400);
  expect((await send(`PATCH /api/v1/provider-keys/${extra}`, { enabled: false })).status).toBe(200);
  expect((await move({ api_key: "sk-mine" })).status).toBe(200);
  expect((await send(`PATCH /api/v1/provider-keys/${extra}`, { enabled: true })).status).toBe(400);
  await expect.poll(async () => (await chat("lab/m"), mine.keys.length), { timeout: 30_000 }).toBeGreaterThan(0);
  expect(new Set(mine.keys)).toEqual(new Set(["Bearer sk-mine"]));
  expect(keys.every((key) => key.startsWith("Bearer sk-theirs"))).toBe(true);
});
