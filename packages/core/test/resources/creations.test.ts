import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { alertChannel, auditEntry, idempotencyKey, type AnyEntity } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { Idempotency, keyedHandler } from "../../src/http/resources/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { insert, update, type RecordStore } from "../../src/ports/index.js";
import { resources, type RestRoute } from "../../src/routes/index.js";
import type { Exchange } from "../../src/http/exchange.js";
import { sealing } from "../own-vault.js";
import { callerOf, codeOf, restGateway, type RestGateway } from "./harness.js";
import { examplesOf } from "./mutations.js";

const CANARY = "canary-7f3a91c2-must-not-be-seen";
const system = { system: "test" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

describe("a creation that shows something once, under an Idempotency-Key", () => {
  const store = memoryStore({ clock });
  const idempotency = new Idempotency({ store, ...sealing() });
  const route = {
    face: "rest",
    name: "things.create",
    method: "POST",
    path: "/api/v1/things",
    summary: "Creates a thing.",
    permission: null,
    body: z.strictObject({ name: z.string() }),
    output: { status: 201, kind: "json", schema: z.object({ id: z.string(), key: z.string() }) },
    errors: [],
  } as const satisfies RestRoute;
  let created = 0;
  let fails: GatewayError | null = null;
  const handler = keyedHandler(route, { idempotency, showOnce: ["key"] }, async ({ body }) => {
    await new Promise((resolve) => setImmediate(resolve));
    if (fails !== null) throw fails;
    return { id: `${body.name}_${++created}`, key: CANARY };
  });

  async function ask(name: string, key: string | undefined, who = "owner") {
    const bytes = new TextEncoder().encode(JSON.stringify({ name }));
    const signal = new AbortController().signal;
    const header = (wanted: string): string | undefined => (wanted === "idempotency-key" ? key : undefined);
    const inbound = { method: "POST", path: route.path, query: "", basePath: "", header, body: () => Promise.resolve(bytes), signal };
    const exchange = {
      inbound,
      params: {},
      caller: callerOf(who),
      requestId: "req_test",
      deadlineMs: clock.now() + 10_000,
      maxBodyBytes: 1_000,
    };
    const answer = await handler(exchange as unknown as Exchange);
    if (answer.body.kind !== "bytes") throw new Error("not whole");
    return {
      status: answer.status,
      headers: new Map(answer.headers),
      body: JSON.parse(new TextDecoder().decode(answer.body.bytes)) as Record<string, unknown>,
    };
  }
  const kept = async () => (await store.find(idempotencyKey, { orderBy: "id", limit: 100 }, system, within)).rows;

  it("is made once for 64 at once; the repetitions say what is not shown again, and nothing keeps it (F12)", async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask("a", "same")));
    expect(created).toBe(1);
    const first = answers.filter(({ body }) => body["key"] === CANARY);
    expect(first).toHaveLength(1);
    for (const { status, headers, body } of answers.filter((answer) => answer !== first[0])) {
      expect([status, headers.get("idempotency-replayed")]).toEqual([201, "true"]);
      expect(body).toEqual({ id: "a_1", not_shown_again: ["key"] });
    }
    expect(JSON.stringify(await kept())).not.toContain(CANARY);
  });

  it("is another one for another payload, caller or key (F13)", async () => {
    await expect(ask("b", "same")).rejects.toMatchObject({ code: "idempotency_key_reuse" });
    expect((await ask("a", "same", "somebody else")).body["id"]).toBe("a_2");
    expect((await ask("a", "other")).body["id"]).toBe("a_3");
    expect((await ask("a", undefined)).body["id"]).toBe("a_4");
  });

  it("takes no key that is cut, empty or not plain text: two that begin alike stay two", async () => {
    const long = "k".repeat(200);
    for (const key of [`${long}x`, "", "two words", "schlüssel"])
      await expect(ask("a", key)).rejects.toMatchObject({ code: "validation_failed" });
    expect(await kept()).toHaveLength(3);
  });

  it("that waits for another one leaves nothing behind on its request's signal", async () => {
    const waiting = new Idempotency({ store: memoryStore({ clock }), ...sealing() });
    const { signal } = new AbortController();
    const exchange = { caller: callerOf("owner"), inbound: { signal }, deadlineMs: clock.now() + 10_000 } as unknown as Exchange;
    const keyed = waiting.keyed(exchange, { key: "k", route: "r", payload: {} });
    let finish = (): void => undefined;
    const create = () => new Promise<{ id: string }>((resolve) => (finish = () => resolve({ id: "x" })));
    const once = () => waiting.run(keyed, { status: 201, showOnce: () => false, create });
    const both = [once(), once()];
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(getEventListeners(signal, "abort").length).toBeLessThanOrEqual(1);
    finish();
    expect((await Promise.all(both)).map(({ replayed }) => replayed).sort()).toEqual([false, true]);
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("that failed may be tried again with its key", async () => {
    fails = new GatewayError("conflict", "the name is taken");
    await expect(ask("c", "retried")).rejects.toMatchObject({ code: "conflict" });
    fails = null;
    expect((await ask("c", "retried")).body["id"]).toBe("c_5");
  });

  it("of which the store does not say whether it was made is not made a second time", async () => {
    fails = new GatewayError("store_unavailable", "The connection broke.", { details: { outcome: "unknown" } });
    await expect(ask("unsure", "unsure")).rejects.toMatchObject({ code: "store_unavailable" });
    fails = null;
    const before = created;
    await expect(ask("unsure", "unsure")).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(created).toBe(before);
  });

  it("whose process died is told of, and not made a second time", async () => {
    fails = new GatewayError("outcome_unknown", "the connection died");
    await expect(ask("d", "died")).rejects.toMatchObject({ code: "outcome_unknown" });
    fails = null;
    const row = (await kept()).find(({ key }) => key === "died")!;
    await store.commit([{ scope: system, writes: [update(idempotencyKey, row.id, { change: { set: { leaseUntilMs: 1 } } })] }], within);
    await expect(ask("d", "died")).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(created).toBe(5);
  });

  it("is forgotten after its day: expired keys are swept beside later ones", async () => {
    const old = { ...(await kept())[0]!, id: "idem_old", key: "old", expiresAtMs: 1 };
    const { version: _v, createdAtMs: _c, updatedAtMs: _u, ...fresh } = old;
    await store.commit([{ scope: system, writes: [insert(idempotencyKey, fresh)] }], within);
    const sweeping = new Idempotency({ store, ...sealing() });
    const caller = callerOf("owner");
    const inbound = { signal: undefined };
    const keyed = sweeping.keyed({ caller, inbound, deadlineMs: clock.now() + 5_000 } as unknown as Exchange, {
      key: "k",
      route: "r",
      payload: {},
    });
    await sweeping.run(keyed, { status: 201, showOnce: () => false, create: () => Promise.resolve({ id: "x" }) });
    await expect.poll(async () => (await kept()).some(({ id }) => id === "idem_old")).toBe(false);
  });
});

describe("secrets of a derived resource", () => {
  let store: RecordStore;
  let rest: RestGateway;
  beforeEach(async () => {
    store = memoryStore({ clock });
    rest = await restGateway([callerOf("owner")], { storage: { name: "shared", open: () => Promise.resolve(store) } });
  });
  afterEach(() => rest.gateway.close());
  const stored = async (id: string) => store.get(alertChannel, id, system, within);

  it("are sealed before the store, never shown, and kept, set and cleared by name", async () => {
    const body = { name: "hook", kind: "webhook", settings: { url: "https://example.com/hook" }, secret: CANARY };
    const headers = { "idempotency-key": "with-secret" };
    const made = await rest.call("POST", "/api/v1/alert-channels", { body, headers });
    expect([made.status, made.body["secret"]]).toEqual([201, { set: true }]);
    const id = String(made.body["id"]);
    const path = `/api/v1/alert-channels/${id}`;
    const sealed = (await stored(id))?.secret;
    expect(sealed).not.toBeNull();
    await rest.call("PATCH", path, { body: { enabled: false } });
    await rest.call("PATCH", path, { body: { secret: { set: true } } });
    expect((await stored(id))?.secret).toBe(sealed);
    const changed = await rest.call("PATCH", path, { body: { secret: `${CANARY}-2` } });
    expect((await stored(id))?.secret).not.toBe(sealed);
    const again = await rest.call("POST", "/api/v1/alert-channels", { body, headers });
    const seen = [
      made.text,
      changed.text,
      again.text,
      (await rest.call("GET", path)).text,
      (await rest.call("GET", "/api/v1/alert-channels")).text,
      (await rest.call("GET", "/api/v1/alert-channels?format=csv")).text,
      (await rest.call("GET", "/api/v1/alert-channels?format=json")).text,
      JSON.stringify(await stored(id)),
    ];
    for (const entity of [auditEntry, idempotencyKey])
      seen.push(JSON.stringify(await store.find(entity as AnyEntity, { orderBy: "id" as never, limit: 1_000 }, system, within)));
    for (const text of seen) expect(text).not.toContain("canary");
    expect((await rest.call("PATCH", path, { body: { secret: null } })).body["secret"]).toEqual({ set: false });
    expect((await stored(id))?.secret).toBeNull();
    expect(codeOf(await rest.call("PATCH", path, { body: { secret: { set: false } } }))).toBe("validation_failed");
  });
});

describe("tenants", () => {
  const tenants = Array.from({ length: 20 }, (_, i) => callerOf(`tenant-${i}`, { projects: [`project-${i}`] }));
  let rest: RestGateway;
  beforeEach(async () => void (rest = await restGateway(tenants)));
  afterEach(() => rest.gateway.close());

  it("see and change nothing of each other (T06, G11)", async () => {
    const body = { scope: "project", amount_usd: "5", period: "month" };
    const ids = await Promise.all(
      tenants.map(async ({ id: as, projects }) => {
        const made = await rest.call("POST", "/api/v1/budgets", { as, body: { ...body, scope_id: projects[0] } });
        expect([made.status, made.text]).toEqual([201, made.text]);
        return String(made.body["id"]);
      }),
    );
    for (const [i, { id: as }] of tenants.entries()) {
      const own = (await rest.call("GET", "/api/v1/budgets?limit=100", { as })).body["data"] as { id: string }[];
      expect(own.map(({ id }) => id)).toEqual([ids[i]]);
      expect((await rest.call("GET", "/api/v1/budgets?format=csv", { as })).text.trim().split("\r\n")).toHaveLength(2);
      for (const other of [ids[(i + 1) % 20]!, ids[(i + 7) % 20]!]) {
        const path = `/api/v1/budgets/${other}`;
        for (const answer of [
          await rest.call("GET", path, { as }),
          await rest.call("PATCH", path, { as, body: { amount_usd: "0" } }),
          await rest.call("PUT", path, { as, body: { amount_usd: "0" } }),
          await rest.call("DELETE", path, { as }),
        ])
          expect([answer.status, codeOf(answer)]).toEqual([404, "not_found"]);
        const bulk = await rest.call("POST", "/api/v1/budgets/bulk", { as, body: [{ op: "delete", id: other }] });
        expect((bulk.body["data"] as { status: number }[])[0]!.status).toBe(404);
      }
    }
    for (const [i, { id: as }] of tenants.entries())
      expect((await rest.call("GET", `/api/v1/budgets/${ids[i]!}`, { as })).body).toMatchObject({ version: 1 });
  });
});

it("every resource is created: each field that nobody gives has a value, or its domain creates the row itself", async () => {
  const rest = await restGateway([callerOf("owner")]);
  const creating = resources.flatMap(({ routes }) => routes.filter(({ verb }) => verb === "create").map(({ route }) => route));
  const examples = examplesOf(creating);
  for (const route of creating) {
    const { status, text } = await rest.call("POST", route.path, { body: examples.get(route.name) });
    expect([route.name, status < 500, status < 500 ? "" : text]).toEqual([route.name, true, ""]);
  }
  await rest.gateway.close();
});
