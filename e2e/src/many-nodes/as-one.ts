import { randomUUID } from "node:crypto";
import type { PrivateMariadb } from "@sallyport/adapter-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type Fleet } from "./fleet.js";
import { McpClient } from "./mcp-client.js";
import { McpWorld } from "./mcp-world.js";
import { World } from "./world.js";

const chat = (text: string, more: object = {}) => ({
  ...{ model: "v/m", max_tokens: 10, messages: [{ role: "user", content: text }] },
  ...more,
});
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const within = { timeout: 60_000, interval: 30 };
/** Names are taken; one that is tried again takes another. */
const newName = (begin: string): string => `${begin}-${randomUUID().slice(0, 8)}`;
/** Whoever speaks may do so before the listener is known everywhere, and what is said twice in a moment is told once. */
const saidAgain = { timeout: 60_000, interval: 500 };

/** How several gateway processes on one MariaDB behave as one; `redis`: what they share beside it. */
// oxlint-disable-next-line max-lines-per-function -- a suite, as in a file of tests
export function asOne(count: number, services: { readonly mariadb: () => PrivateMariadb; readonly redis: (() => string) | null }): void {
  let world: World;
  let mcp: McpWorld;
  let fleet: Fleet;
  beforeAll(async () => {
    [world, mcp] = await Promise.all([World.open(), McpWorld.open()]);
    const store = { mysql: services.mariadb().url(await services.mariadb().database()) };
    fleet = await startFleet(count, {
      ...{ store, redis: services.redis?.() ?? null },
      ...{ world: world.url, mcp: mcp.url, graceMs: 1_000 },
    });
  }, 120_000);
  afterAll(async () => {
    await fleet?.close();
    await Promise.all([world?.close(), mcp?.close()]);
  });
  const aliveAt = async (node: Fleet["nodes"][number]) => {
    const text = (await node.call("GET /metrics")).text;
    return Number(/^sallyport_nodes (\d+)$/m.exec(text)?.[1] ?? 0);
  };
  /** No node was kept from Redis: one that waits 50 ms for it, on a busy machine, goes on alone. */
  const isShared = () => !fleet.nodes.some(({ errors }) => errors().includes("do not answer") || errors().includes("does not answer"));
  const newKey = async (more: object = {}) => {
    const made = await fleet.call("POST /api/v1/keys", { name: "k", scopes: ["models:*", "mcp:*", "operations:*"], ...more });
    expect([made.status, made.text.slice(0, 200)]).toMatchObject([201, expect.any(String)]);
    const { id, key } = made.json as { id: string; key: string };
    // Valid at every node before it is used.
    await everywhere(async (node) => (await node.call("GET /v1/models", undefined, bearer(key))).status, 200);
    return { id, key };
  };
  const everywhere = <T>(at: (node: Fleet["nodes"][number]) => Promise<T>, expected: T) =>
    expect.poll(() => Promise.all(fleet.nodes.map(at)), within).toEqual(fleet.nodes.map(() => expected));

  it("know of each other, and are listed by each", async () => {
    await expect.poll(() => Promise.all(fleet.nodes.map(aliveAt)), within).toEqual(fleet.nodes.map(() => count));
    const { json } = await fleet.call("GET /api/v1/nodes");
    const data = json["data"] as { state: string; offers: object }[];
    expect(data).toHaveLength(count);
    expect(data[0]).toMatchObject({ state: "ready", offers: { tasks: ["effect"], servers: [{ name: "story", connected: true }] } });
  });

  it("refuse a key that was revoked at one of them, and end its calls", async () => {
    const { id, key } = await newKey();
    world.model = (text) => (text === "long" ? new Promise(() => undefined) : { text: "hello" });
    const begun = world.models.length;
    const calls = fleet.nodes.map((node) => node.call("POST /v1/chat/completions", chat("long"), bearer(key)));
    await expect.poll(() => world.models.length, within).toBe(begun + count);
    expect((await fleet.nodes[0]!.call(`POST /api/v1/keys/${id}/revoke`)).status).toBe(200);
    await everywhere(async (node) => (await node.call("GET /v1/models", undefined, bearer(key))).status, 401);
    for (const call of calls) expect((await call).status).toBe(401);
  });

  it("know a route, a guardrail and a limit that were made at another", async () => {
    world.model = () => ({ text: "hello" });
    const name = newName("shared");
    const made = await fleet.nodes[0]!.call("POST /api/v1/routes", { name, targets: [{ model: "v/m" }] });
    expect([made.status, made.text.slice(0, 300)]).toMatchObject([201, expect.any(String)]);
    await everywhere(async (node) => (await node.call("POST /v1/chat/completions", chat("x", { model: `route/${name}` }))).status, 200);
    const guard = { name: newName("no-plums"), kind: "words", action: "block", stages: ["input"], settings: { words: ["plum"] } };
    const guarded = await fleet.nodes[1]!.call("POST /api/v1/guardrails", guard);
    expect([guarded.status, guarded.text.slice(0, 300)]).toMatchObject([201, expect.any(String)]);
    await everywhere(async (node) => (await node.call("POST /v1/chat/completions", chat("a plum"))).status, 403);
  });

  it("never spend more than a budget has, all together", async () => {
    world.model = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { text: "hello", tokens: 10 };
    };
    const { id, key } = await newKey();
    // A call may write 10 tokens, a thousandth of a dollar each: twenty fit.
    const made = await fleet.call("POST /api/v1/budgets", {
      ...{ name: "b", scope: "key", scope_id: id, amount_usd: "0.2" },
      period: "total",
      hard: true,
    });
    expect([made.status, made.text.slice(0, 300)]).toMatchObject([201, expect.any(String)]);
    // A budget made after it, too small for any call: who heeds that one knows the first too.
    const small = await newKey();
    const later = { name: "later", scope: "key", scope_id: small.id, amount_usd: "0.001", period: "total", hard: true };
    expect((await fleet.call("POST /api/v1/budgets", later)).status).toBe(201);
    await everywhere(async (node) => (await node.call("POST /v1/chat/completions", chat("small"), bearer(small.key))).status, 429);
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => (await fleet.call("POST /v1/chat/completions", chat("spend"), bearer(key))).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const shown = async () => {
      const { data } = (await fleet.call("GET /api/v1/budgets")).json as {
        data: { scope_id: string; spent_usd: string; reserved_usd: string }[];
      };
      const { spent_usd, reserved_usd } = data.find(({ scope_id }) => scope_id === id)!;
      return [Number(spent_usd), Number(reserved_usd)];
    };
    await expect.poll(shown, within).toEqual([0.2, 0]);
  });

  it("create once what all of them are asked for with one key", async () => {
    const [key, name] = [randomUUID(), newName("one")];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => fleet.nodes[i % count]!.call("POST /api/v1/teams", { name }, { "idempotency-key": key })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ json }) => json["id"])).size).toBe(1);
  });

  describe("and MCP clients", () => {
    it("go on with a session at every node, and nobody else's", async () => {
      const { key } = await newKey();
      const client = await McpClient.open(fleet.call, bearer(key));
      for (let i = 0; i < 2 * count; i++) expect((await client.request("ping")).json).toMatchObject({ result: {} });
      const other = await newKey();
      for (const node of fleet.nodes) {
        const stolen = await node.call("POST /mcp", { jsonrpc: "2.0", id: 1, method: "ping" }, { ...client.headers, ...bearer(other.key) });
        expect(stolen.status).toBe(404);
      }
      expect((await fleet.nodes[0]!.call("DELETE /mcp", undefined, client.headers)).status).toBe(204);
      await everywhere(async (node) => (await client.at(node.call).request("ping")).status, 404);
    });

    it("hear at their node what a server said to another", async () => {
      const { key } = await newKey();
      const client = await McpClient.open(fleet.nodes[0]!.call, bearer(key));
      const stream = await client.listen(fleet.nodes[0]!.url);
      // Subscribed at another node than the stream hangs at.
      const subscribed = await client.at(fleet.nodes[1]!.call).request("resources/subscribe", { uri: "sallyport:story/story://one" });
      expect(subscribed.json).toMatchObject({ result: {} });
      for (let each = 0; each < mcp.connections; each++) {
        const before = stream.said("resources/updated").length;
        const heard = async () => {
          await mcp.touch(each);
          await new Promise((resolve) => setTimeout(resolve, 100));
          return stream.said("resources/updated").length;
        };
        await expect.poll(heard, saidAgain).toBeGreaterThan(before);
        await new Promise((resolve) => setTimeout(resolve, 400));
      }
      expect(stream.said("resources/updated")[0]).toMatchObject({ params: { uri: "sallyport:story/story://one" } });
      const grown = await mcp.grow(mcp.connections - 1);
      await expect.poll(() => stream.said("tools/list_changed").length, within).toBeGreaterThan(0);
      await everywhere(async (node) => (await client.at(node.call).request("tools/list")).text.includes(grown), true);
      await stream.close();
    });

    it("cancel a call that runs at another node", async () => {
      const { key } = await newKey();
      const client = await McpClient.open(fleet.call, bearer(key));
      const begun = mcp.slow;
      const call = client.at(fleet.nodes[0]!.call).request("tools/call", { name: "story__slow", arguments: {} }, "slow-1");
      await expect.poll(() => mcp.slow, within).toBe(begun + 1);
      await client.at(fleet.nodes[1]!.call).notify("notifications/cancelled", { requestId: "slow-1" });
      expect((await call).text).toContain("cancelled");
    });
  });

  it("wake a run of one of them when a person decides at another", async () => {
    world.model = (_text, messages) =>
      messages.some(({ role }) => role === "tool") ? { text: "paid it" } : { tool: { name: "story__pay", arguments: { amount: 3 } } };
    const before = mcp.paid.length;
    const id = await fleet.nodes[0]!.ask<string>("run", { model: "v/m", input: "pay", tools: ["story__*"] });
    const pending = async () =>
      ((await fleet.nodes[1]!.call("GET /api/v1/inbox?status=pending")).json["data"] as { id: string; run_id: string }[] | undefined)?.find(
        ({ run_id }) => run_id === id,
      )?.id ?? null;
    await expect.poll(pending, within).not.toBeNull();
    expect((await fleet.nodes[1]!.call(`POST /api/v1/inbox/${await pending()}/approve`, {})).status).toBe(200);
    await everywhere(async (node) => (await node.call(`GET /api/v1/runs/${id}`)).json["status"], "succeeded");
    expect(mcp.paid.length).toBe(before + 1);
  });

  it.runIf(services.redis !== null)("ask a model once for what all of them are asked at once", async () => {
    const name = newName("kept");
    const route = { name, targets: [{ model: "v/m" }], cache: { ttl_ms: 60_000 } };
    const made = await fleet.call("POST /api/v1/routes", route);
    expect([made.status, made.text.slice(0, 300)]).toMatchObject([201, expect.any(String)]);
    const first = chat("another", { model: `route/${name}` });
    await everywhere(async (node) => (await node.call("POST /v1/chat/completions", first)).status, 200);
    world.model = async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      return { text: "once" };
    };
    const before = world.models.length;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => fleet.call("POST /v1/chat/completions", chat("the same", { model: `route/${name}` }))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    if (!isShared()) return; // every call is made, by stated policy
    expect(world.models.length).toBe(before + 1);
  });

  it.runIf(services.redis !== null)("hold a key to its limit, all together", async () => {
    world.model = () => ({ text: "hello" });
    const { key } = await newKey({ rate_limit: { requests_per_minute: 12 } });
    const used = fleet.nodes.length; // the look at the models does not count; if it did, fewer would pass
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => (await fleet.call("POST /v1/chat/completions", chat("x"), bearer(key))).status),
    );
    const passed = statuses.filter((status) => status === 200).length;
    expect(passed).toBeLessThanOrEqual(isShared() ? 12 : 12 * count);
    expect(passed).toBeGreaterThanOrEqual(12 - used);
  });
}
