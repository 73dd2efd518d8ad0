import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { mysql } from "@sallyport/adapters-mysql";
import { sqlite } from "@sallyport/adapters-sqlite";
import { allEntities, budgetWindow, openCalls, parkedCall, reservation, type Entity } from "@sallyport/core/entities";
import type { RecordStore } from "@sallyport/core/ports";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { askingWorld } from "./asking-world.js";
import { startFleet, type GatewayNode } from "./fleet.js";

const within = { timeout: 180_000, interval: 200 };
const SCOPE = { system: "a test" };
/** A row that nobody comes for goes a minute after its time, at the latest. */
const WAIT_MS = 30_000;

interface Told {
  readonly result?: { resultType: string; requestState: string; inputRequests: object; content?: { text: string }[] };
  readonly error?: { data: { code: string } };
}
type Call = (node: GatewayNode, more?: { name?: string; carried?: object }) => Promise<Told>;

/** Calls of one key, as a client of 2026-07-28 makes them. */
function caller(key: string): Call {
  return async (node, { name = "story__ask", carried = {} } = {}) => {
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
    };
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {}, ...carried, _meta } };
    const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name };
    const answer = await node.call("POST /mcp", body, { ...headers, accept: "application/json", authorization: `Bearer ${key}` });
    return answer.json as Told;
  };
}

/** What the client of such an answer comes with. */
function accepted({ result, error }: Told): { requestState: string; inputResponses: object } {
  expect([result?.resultType, error]).toEqual(["input_required", undefined]);
  const answers = Object.keys(result!.inputRequests).map((question) => [question, { action: "accept", content: {} }] as const);
  return { requestState: result!.requestState, inputResponses: Object.fromEntries(answers) };
}

/** Two gateways on one store before a server that asks, with a key that may make one call at a time, out of a budget. */
async function place(store: { readonly sqlite: string } | { readonly mysql: string }) {
  const world = await askingWorld();
  onTestFinished(() => world.close());
  const settings = {
    mcp: { questions: { waitMs: WAIT_MS } },
    mcpServers: { story: { url: world.url, prices: { perCall: 0.01 } } },
    limits: { perKey: { concurrency: 1 } },
  };
  const fleet = await startFleet(2, { store, redis: null, world: "", mcp: null, graceMs: 1_000, settings });
  onTestFinished(() => fleet.close());
  const [a, b] = fleet.nodes as [GatewayNode, GatewayNode];
  const made = (await a.call("POST /api/v1/keys", { name: "k", scopes: ["mcp:*"] })).json as { id: string; key: string };
  const budget = { name: "b", scope: "key", scope_id: made.id, amount_usd: "1", period: "total", hard: true };
  expect((await a.call("POST /api/v1/budgets", budget)).status).toBe(201);
  const bearer = { authorization: `Bearer ${made.key}` };
  for (const node of [a, b])
    await expect.poll(async () => (await node.call("GET /mcp/tools", undefined, bearer)).text, within).toContain("story__linger");
  const rows = await ("sqlite" in store ? sqlite(store.sqlite) : mysql(store.mysql)).open({ entities: allEntities });
  onTestFinished(() => rows.close());
  return { world, a, b, rows, call: caller(made.key) };
}
async function all<R>(store: RecordStore, entity: Entity<R>): Promise<R[]> {
  const query = { orderBy: "id" as keyof R & string, limit: 100 };
  return (await store.find(entity, query, SCOPE, { deadlineMs: Date.now() + 10_000 })).rows;
}

async function keeperIsKilled(store: { readonly sqlite: string } | { readonly mysql: string }): Promise<void> {
  const { world, a, b, rows, call } = await place(store);
  // A call at B that its person has not answered either: it is not A's.
  const own = accepted(await call(b));
  const thinking = accepted(await call(a));
  const working = accepted(await call(a, { name: "story__linger" }));
  // One was answered by way of B, and is at work when A dies; the other's person still thinks.
  const waiting = call(b, { name: "story__linger", carried: working });
  await expect.poll(() => world.begun, within).toEqual(["ask", "ask", "linger"]);
  a.process.kill("SIGKILL");
  await a.ended;
  expect((await waiting).error?.data.code).toBe("outcome_unknown");
  for (let tries = 0; tries < 2; tries++)
    expect((await call(b, { carried: thinking })).error?.data.code, "the one that waited").toBe("outcome_unknown");
  expect((await call(b, { name: "story__linger", carried: working })).error?.data.code).toBe("outcome_unknown");
  // Nothing was begun again, and the slot of the key is free for what goes on.
  expect(world.begun).toEqual(["ask", "ask", "linger"]);
  expect((await call(b, { carried: own })).result?.content?.[0]?.text).toBe("accept");
  expect((await all(rows, parkedCall)).map(({ state }) => state)).toEqual(["lost", "lost"]);
  await expect.poll(async () => [await all(rows, reservation), await all(rows, openCalls)], within).toEqual([[], []]);
  // The one call that had a result was paid for.
  const windows = await all(rows, budgetWindow);
  expect(windows.map(({ reservedNanoUsd, spentNanoUsd }) => [reservedNanoUsd, spentNanoUsd])).toEqual([[0, 10_000_000]]);
  await expect.poll(() => all(rows, parkedCall), within).toEqual([]);
}

describe("the process that keeps a call is killed while a person thinks: whoever comes elsewhere hears that the outcome is unknown, and nothing is left behind", () => {
  it("on SQLite", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-asked-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    await keeperIsKilled({ sqlite: join(folder, "sallyport.db") });
  });

  describe.runIf(hasService("mariadb"))("on MariaDB", () => {
    let mariadb: PrivateMariadb;
    beforeAll(async () => {
      mariadb = await privateMariadb();
    });
    afterAll(() => mariadb?.dispose());

    it("too", async () => {
      await keeperIsKilled({ mysql: mariadb.url(await mariadb.database()) });
    });
  });
});
