import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import Database from "libsql";
import { allEntities, storedColumns, type AnyEntity } from "../../src/entities/index.js";
import { GatewayError } from "../../src/errors/index.js";
import type { Gateway } from "../../src/gateway.js";
import { memoryCache } from "../../src/memory/index.js";
import { toView } from "../../src/routes/resources/view.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { ownFolder } from "./whole-gateway.js";

const secret = crypto.getRandomValues(new Uint8Array(32));

async function started(path: string): Promise<Gateway> {
  const gateway = await createTestGateway({ storage: sqlite(path), secret, mcpServers: {} });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return gateway;
}
async function ask(gateway: Gateway, line: string, o: { key?: string; body?: object } = {}) {
  const [method = "", path = ""] = line.split(" ");
  const response = await gateway.fetch(
    new Request(`http://localhost${path}`, {
      method,
      headers: { authorization: `Bearer ${o.key ?? TEST_OWNER_KEY}`, "content-type": "application/json" },
      ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
    }),
  );
  const text = await response.text();
  return { status: response.status, text, json: (text.startsWith("{") ? JSON.parse(text) : {}) as Record<string, string> };
}

/** What somebody who can write to the database would put into a column, by its kind. */
const spoilt = {
  int: ["'not a number'", "1e300", "-9223372036854775808", "x'00ff'"],
  bool: ["7", "'yes'"],
  json: ["'{'", "'null'", "'\"*\"'", "'[[\"*\"]]'", '\'{"scopes":["*"],"__proto__":{"x":1}}\'', "'[1,2'"],
  text: ["''", "'*'", "x'ff00fe'", "'../../etc/passwd'"],
  "long-text": ["x'ff'", "printf('%.*c', 3000000, 'x')", "'v1.k1.AAAA'"],
} as const;

it("rows of every kind that somebody spoilt crash nothing, widen nobody's rights, and are told as what they are (T47)", async () => {
  const folder = ownFolder();
  const good = join(folder, "good.db");
  const first = await started(good);
  const narrow = await ask(first, "POST /api/v1/add/gateway-api-key", { body: { name: "narrow", scopes: ["models:demo/*"] } });
  const key = narrow.json["key"]!;
  const made: [string, object][] = [
    ["user", { username: "ada", password: "correct horse battery", role: "viewer" }],
    ["role", { name: "own", scopes: ["runs:read"] }],
    ["team", { name: "team" }],
    ["route", { name: "r", targets: [{ model: "demo/echo" }] }],
    ["provider", { name: "stored", vendor: "openai-compatible", base_url: "https://api.example.com/v1", api_key: "sk-of-the-stored" }],
    ["provider-key", { provider: "stored", value: "sk-more-of-the-stored" }],
    ["model", { provider: "stored", code: "m" }],
    ["alert-channel", { name: "hook", kind: "webhook", settings: { url: "https://example.com" }, secret: "a-secret-of-the-hook" }],
    ["guardrail", { name: "g", kind: "words", stages: ["input"], settings: { words: ["nothing"] } }],
    ["gateway-config", { key: "retention.audit_days", value: 30 }],
  ];
  for (const [type, body] of made) {
    const answer = await ask(first, `POST /api/v1/add/${type}`, { body });
    expect([type, answer.status, answer.text.slice(0, 200)]).toEqual([type, 201, expect.anything()]);
  }
  await ask(first, "POST /v1/responses", { body: { model: "demo/echo", input: "hi" } });
  await ask(first, "POST /api/v1/budgets", {
    body: { scope: "project", scope_id: "default", amount_usd: "100", period: "day", hard: true },
  });
  await first.close({ graceMs: 0 });

  const codes = new Map<string, number>();
  const unnamed: string[] = [];
  let poisonings = 0;
  for (const entity of allEntities) {
    const columns = storedColumns(entity);
    const look = new Database(good);
    const { n } = look.prepare(`select count(*) as n from "${entity.table}"`).get() as { n: number };
    const names = new Set((look.prepare(`pragma table_info("${entity.table}")`).all() as { name: string }[]).map(({ name }) => name));
    look.close();
    if (n === 0) continue;
    for (const [kind, values] of Object.entries(spoilt)) {
      const hit = columns.filter(({ column, name }) => column.kind === kind && name !== "id");
      if (hit.length === 0) continue;
      const value = values[poisonings % values.length]!;
      const path = join(folder, `p${poisonings++}.db`);
      copyFileSync(good, path);
      const db = new Database(path);
      for (const { name } of hit) {
        const column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
        if (!names.has(column)) continue;
        try {
          db.exec(`update "${entity.table}" set "${column}" = ${value}`);
        } catch {
          // What the table's own constraints refuse, nobody can put there.
        }
      }
      db.close();
      const where = `${entity.name}: ${kind} = ${value.slice(0, 40)}`;
      let gateway: Gateway;
      try {
        gateway = await started(path);
      } catch (error) {
        // Refused as a whole, with a name for it.
        expect([where, GatewayError.is(error)]).toEqual([where, true]);
        codes.set((error as GatewayError).code, (codes.get((error as GatewayError).code) ?? 0) + 1);
        continue;
      }
      for (const line of ["GET /api/v1/keys", "GET /api/v1/list/users", "GET /api/v1/audit-logs", "POST /api/v1/add/user"]) {
        const answer = await ask(gateway, line, {
          key,
          ...(line.startsWith("POST") ? { body: { username: "x", password: "correct horse battery", role: "owner" } } : {}),
        });
        expect([where, line, answer.status >= 400]).toEqual([where, line, true]);
      }
      for (const who of ["spk_live_aaaaaaaaaaaaaaaaaaaaaaaa_0000000000000000000000000000000000000000000000000", "*", ""])
        expect([where, who, (await ask(gateway, "GET /v1/models", { key: who })).status >= 400]).toEqual([where, who, true]);
      for (const line of [
        "GET /api/v1/keys",
        "GET /api/v1/list/users",
        "GET /api/v1/routes",
        "GET /api/v1/providers",
        "GET /api/v1/alert-channels",
        "GET /api/v1/guardrails",
        "GET /api/v1/budgets",
        "GET /api/v1/audit-logs",
        "GET /health",
        "POST /v1/chat/completions",
      ]) {
        const chat = { body: { model: "demo/echo", messages: [{ role: "user", content: "hi" }] } };
        const answer = await ask(gateway, line, line.startsWith("POST") ? chat : {});
        if (answer.status < 400) continue;
        const code = /"code":"([a-z_]+)"/.exec(answer.text)?.[1] ?? answer.text.slice(0, 100);
        codes.set(code, (codes.get(code) ?? 0) + 1);
        if (code === "internal") unnamed.push(`${where} ${line} ${answer.text}`);
      }
      await gateway.close({ graceMs: 0 });
    }
  }
  expect(unnamed).toEqual([]);

  expect(poisonings).toBeGreaterThan(30);
  expect(codes.get("state_corrupt") ?? 0).toBeGreaterThan(2);
}, 120_000);

it("the view of a row with any JSON where another belongs is still a view (T47)", () => {
  const entities = allEntities.filter((entity): entity is AnyEntity => entity.kind !== "log");
  fc.assert(
    fc.property(fc.constantFrom(...entities), fc.oneof(fc.jsonValue(), fc.constant([null]), fc.constant({ a: null })), (entity, value) => {
      const row = Object.fromEntries(storedColumns(entity).map(({ name, column }) => [name, column.kind === "json" ? value : "x"]));
      const view = toView(entity, row);
      expect(view).toMatchObject({ id: "x" });
    }),
    { numRuns: 3_000 },
  );
});

it("an answer that somebody spoilt in the cache is asked for again, and never told (T47)", async () => {
  const cache = memoryCache();
  let spoil: ((value: Uint8Array) => Uint8Array) | null = null;
  let reads = 0;
  const poisoned = new Proxy(cache, {
    get: (target, name) => {
      const value = target[name as keyof typeof cache] as unknown;
      if (typeof value !== "function") return value;
      const bound = (value as (...args: unknown[]) => unknown).bind(target);
      if (name !== "get") return bound;
      return async (...args: unknown[]) => {
        const found = (await bound(...args)) as Uint8Array | null;
        if (found === null || spoil === null) return found;
        reads++;
        return spoil(found);
      };
    },
  });
  const gateway = await createTestGateway({
    cache: poisoned,
    routes: { kept: { targets: [{ model: "demo/echo" }], cache: { ttlMs: 60_000 } } },
  });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const chat = () =>
    ask(gateway, "POST /v1/chat/completions", { body: { model: "route/kept", messages: [{ role: "user", content: "hello" }] } });
  const right = await chat();
  expect([right.status, right.text.includes("hello")]).toEqual([200, true]);
  const text = (value: string) => () => new TextEncoder().encode(value);
  const spoils: ((value: Uint8Array) => Uint8Array)[] = [
    text(""),
    text("{"),
    text("null"),
    text('{"candidates":[{"content":[{"type":"text","text":"POISON"}]}]}'),
    (value) => value.subarray(0, value.length >> 1),
    ...[0, 0.3, 0.6, 0.9].map(
      (at) => (value: Uint8Array) => value.map((byte, i) => (i === Math.floor(value.length * at) ? byte ^ 0x55 : byte)),
    ),
  ];
  for (spoil of spoils) {
    const answer = await chat();
    expect([answer.status, answer.text.includes("POISON"), answer.text.includes("hello")]).toEqual([200, false, true]);
  }
  expect(reads).toBeGreaterThan(0);
});
