import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import Database from "libsql";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig, type Gateway } from "../../src/index.js";
import { createTestGateway, type TestGatewayOptions } from "../../src/testing/index.js";

const secret = crypto.getRandomValues(new Uint8Array(32));

function ownFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-settings-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "gateway.db");
}
async function node(path: string, options: TestGatewayOptions = {}): Promise<Gateway> {
  const config = loadConfig({ code: { mcpServers: {} } });
  const gateway = await createTestGateway({ storage: sqlite(path), secret, config, log: () => undefined, ...options });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  return gateway;
}
function bySql(path: string, statement: string, ...values: unknown[]): void {
  const database = new Database(path);
  database.prepare(statement).run(...(values as never[]));
  database.close();
}
const spoil = (path: string, key: string, value: string): void =>
  bySql(
    path,
    'insert into config_entries (id, version, created_at_ms, updated_at_ms, "key", value, changed_by) values (?, 1, 1, 1, ?, ?, null)',
    key.replaceAll(".", "-"),
    key,
    value,
  );
const refusedWith = (code: string, o: object = {}) => expect.objectContaining({ code, ...o });

describe("settings of a gateway", () => {
  it("are listed with type, default, value and source, and stand over file and environment once they are stored", async () => {
    const file = { path: "sallyport.config.json", text: '{"limits":{"perKey":{"concurrency":5}},"server":{"docs":false}}' };
    const env = { LOG_LEVEL: "warn" };
    const { configuration } = await createTestGateway({ config: loadConfig({ file, env }), log: () => undefined });
    const shown = async (key: string) => {
      const { type, default: usual, value, source, from, stored } = await configuration.get(key);
      return [type, usual, value, source, from, stored?.version ?? null];
    };
    expect(await shown("limits.per_key.concurrency")).toEqual(["integer", null, 5, "file", "sallyport.config.json", null]);
    expect(await shown("logging.level")).toEqual(["text", "info", "warn", "environment", "the environment variable LOG_LEVEL", null]);
    expect(await shown("sessions.ttl_days")).toEqual(["integer", 7, 7, "default", "default", null]);
    await configuration.set("limits.per_key.concurrency", 9);
    await configuration.set("sessions.ttl_hours", 36);
    expect(await shown("limits.per_key.concurrency")).toEqual([
      ...["integer", null, 9, "database"],
      ...["the stored setting limits.per_key.concurrency", 1],
    ]);
    expect(await shown("sessions.ttl_days")).toEqual(["integer", 7, 1.5, "database", "the stored setting sessions.ttl_hours", null]);
    expect(await shown("sessions.ttl_seconds")).toEqual([
      ...["integer", 604_800, 129_600, "database"],
      ...["the stored setting sessions.ttl_hours", null],
    ]);
    const { layers } = await configuration.explain("limits.per_key.concurrency");
    expect(layers.map(({ source, value, wins }) => [source, value, wins])).toEqual([
      ["default", null, false],
      ["file", 5, false],
      ["environment", null, false],
      ["database", 9, true],
      ["code", null, false],
    ]);
    await configuration.reset("limits.per_key.concurrency");
    await configuration.reset("limits.per_key.concurrency");
    expect(await shown("limits.per_key.concurrency")).toEqual(["integer", null, 5, "file", "sallyport.config.json", null]);
    const listed = await configuration.list();
    expect(listed.filter(({ fixed }) => fixed !== null).map(({ key }) => key)).toEqual(
      expect.arrayContaining(["server.port", "storage.url", "mcp.allow_stdio", "telemetry.langfuse.secret_key"]),
    );
  });

  it("show no secret, whichever source it is of", async () => {
    const file = { path: "f.json", text: '{"telemetry":{"langfuse":{"publicKey":"pk","secretKey":"canary-secret-of-the-file"}}}' };
    const gateway = await createTestGateway({
      ...{ config: loadConfig({ file, env: { REDIS_URL: "" }, code: { storage: { url: "memory:" } } }), log: () => undefined },
    });
    const { configuration } = gateway;
    const said = JSON.stringify([await configuration.list(), await configuration.explain("telemetry.langfuse.secret_key")]);
    expect(said).not.toContain("canary");
    expect(said).toContain("***");
    await gateway.close();
  });

  it("refuse what does not fit, say what would, and `test` says it without storing", async () => {
    const { configuration } = await createTestGateway({ logging: { level: "error" }, server: { docs: false } });
    const refusals: readonly (readonly [string, unknown, string, string])[] = [
      ["limits.per_key.concurrency", "9", "validation_failed", "expected a whole number from 1 to 1000000000"],
      ["limits.per_key.concurrency", 0, "validation_failed", "found 0, expected a whole number"],
      ["money.unknown_price", "alow", "validation_failed", '"alow" is not one of refuse, allow'],
      ["server.allowed_origins", ["https://a.example/x"], "validation_failed", "is not an origin"],
      ["sessions.ttl_hours", 0.5, "validation_failed", "expected a whole number"],
      ["sessions.ttl_seconds", 3, "validation_failed", "expected a whole number of 60 or more"],
      ["server.port", 1, "forbidden", "the address is bound at the start"],
      ["network.allow_private", true, "forbidden", "only whoever starts the gateway"],
      ["server.docs", true, "conflict", "gives server.docs in code"],
      ["server.dosc", true, "not_found", 'no setting "server.dosc"'],
    ];
    for (const [key, value, code, what] of refusals) {
      await expect(configuration.set(key, value as never), key).rejects.toThrow(
        refusedWith(code, { message: expect.stringContaining(what) as string }),
      );
      if (code !== "not_found")
        expect(await configuration.test(key, value as never)).toMatchObject({
          accepted: false,
          problem: expect.stringContaining(what) as string,
        });
    }
    expect((await configuration.list()).filter(({ stored }) => stored !== null)).toEqual([]);
    expect(await configuration.test("sessions.ttl_days", 3)).toEqual({ accepted: true, problem: null, value: 3 });
    await configuration.set("sessions.ttl_hours", 1);
    expect(await configuration.test("sessions.ttl_days", 3)).toEqual({
      accepted: true,
      problem: "sessions.ttl_hours is stored too, which says the same more exactly.",
      value: 1 / 24,
    });
  });

  it("are changed only from the version that the caller saw", async () => {
    const { configuration } = await createTestGateway();
    const first = await configuration.set("retention.audit_days", 10, { ifVersion: 0 });
    expect(first.stored).toMatchObject({ value: 10, version: 1, changedBy: "owner", state: "applied" });
    await expect(configuration.set("retention.audit_days", 11, { ifVersion: 0 })).rejects.toThrow(refusedWith("conflict"));
    expect((await configuration.set("retention.audit_days", 11, { ifVersion: 1 })).stored?.version).toBe(2);
    await expect(configuration.reset("retention.audit_days", { ifVersion: 1 })).rejects.toThrow(refusedWith("conflict"));
    await configuration.reset("retention.audit_days", { ifVersion: 2 });
    expect((await configuration.get("retention.audit_days")).value).toBe(90);
  });

  it("that are each fine and together not cannot both be stored, also when two nodes store them at once", async () => {
    const path = ownFile();
    const [one, two] = [await node(path), await node(path)];
    await one.configuration.set("access.sessions.max_ms", 60_000);
    await expect(two.configuration.set("access.sessions.idle_ms", 61_000)).rejects.toThrow(
      refusedWith("validation_failed", { message: expect.stringContaining("does not fit the other settings") as string }),
    );
    await one.configuration.reset("access.sessions.max_ms");
    for (let i = 0; i < 10; i++) {
      const both = await Promise.allSettled([
        one.configuration.set("access.sessions.max_ms", 60_000),
        two.configuration.set("access.sessions.idle_ms", 61_000),
      ]);
      expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      await one.configuration.reset("access.sessions.idle_ms");
      await two.configuration.reset("access.sessions.max_ms");
    }
    // What was stored over another one cannot be taken away when the rest does not fit what holds then.
    const config = loadConfig({ file: { path: "f", text: '{"access":{"sessions":{"maxMs":1000}}}' } });
    const { configuration } = await createTestGateway({ config, log: () => undefined });
    await configuration.set("access.sessions.max_ms", 9_000);
    await configuration.set("access.sessions.idle_ms", 8_000);
    await expect(configuration.reset("access.sessions.max_ms")).rejects.toThrow(refusedWith("validation_failed"));
  });

  it("are all kept when many are changed at once", async () => {
    const path = ownFile();
    const nodes = [await node(path), await node(path)];
    const keys = ["usage", "audit", "trace", "detection", "auth_event"].map((name) => `retention.${name}_days`);
    await Promise.all(keys.map((key, i) => nodes[i % 2]!.configuration.set(key, i + 1)));
    await expect
      .poll(() => nodes.map(({ config }) => Object.values(config.retention)))
      .toEqual([
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5],
      ]);
  });
});

describe("every node", () => {
  it("goes by a setting that another one changed, its calls too, and says so", async () => {
    const path = ownFile();
    const lines: string[] = [];
    const [one, two] = [await node(path), await node(path, { log: (level, message) => void lines.push(`${level} ${message}`) })];
    const heard: (readonly string[])[] = [];
    two.on("config.changed", ({ keys }) => void heard.push(keys));
    const ask = (gateway: Gateway) =>
      gateway.fetch(
        new Request("http://localhost/v1/models", { headers: { authorization: "Bearer sallyport-testing-owner-7b1f93c2e08d4a65" } }),
      );
    expect((await two.fetch(new Request("http://localhost/docs"))).status).toBe(200);
    await one.configuration.set("server.docs", false);
    await one.configuration.set("logging.level", "debug");
    expect((await one.fetch(new Request("http://localhost/docs"))).status).toBe(404);
    await expect
      .poll(async () => (await two.fetch(new Request("http://localhost/docs"))).status, { timeout: 30_000, interval: 10 })
      .toBe(404);
    await expect.poll(() => heard.flat()).toEqual(["server.docs", "logging.level"]);
    two.log.debug("said now");
    expect(lines).toContain("debug said now");
    await one.configuration.set("server.allowed_hosts", ["ai.example.com"]);
    const foreign = () => two.fetch(new Request("http://ai.example.com/health"));
    await expect.poll(async () => (await foreign()).status, { timeout: 30_000 }).toBe(200);
    expect((await ask(one)).status).toBe(200);
  });

  it("limits calls by a limit that was set meanwhile", async () => {
    const path = ownFile();
    const [one, two] = [await node(path), await node(path)];
    const key = await one.keys.create({ name: "k", scopes: ["models:*"] });
    const call = async () => {
      const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "hi" }] });
      const headers = { authorization: `Bearer ${key.key}`, "content-type": "application/json" };
      return (await two.fetch(new Request("http://localhost/v1/chat/completions", { method: "POST", headers, body }))).status;
    };
    await expect.poll(call, { timeout: 30_000 }).toBe(200);
    expect([await call(), await call()]).toEqual([200, 200]);
    await one.configuration.set("limits.per_key.requests_per_minute", 1);
    await expect.poll(call, { timeout: 30_000 }).toBe(429);
    await one.configuration.reset("limits.per_key.requests_per_minute");
    await expect.poll(call, { timeout: 30_000 }).toBe(200);
  });

  it("keeps the last good value when somebody spoils a row, tells it once, and starts with it (F93)", async () => {
    const path = ownFile();
    const told: object[] = [];
    const gateway = await node(path);
    gateway.on("config.refused", (e) => void told.push(e));
    await gateway.configuration.set("retention.audit_days", 10);
    bySql(path, "update config_entries set value = ?, version = 2 where id = 'retention-audit_days'", '"for ever"');
    spoil(path, "limits.per_key.concurrency", "-3");
    spoil(path, "of.the_future", "{}");
    spoil(path, "server.docs", "{not json");
    // Written by hand it is in no log of changes: the next change of anything shows it.
    await gateway.configuration.set("retention.usage_days", 20);
    const states = async (of: Gateway) =>
      (await of.configuration.list()).filter(({ stored }) => stored !== null).map(({ key, value, stored }) => [key, value, stored!.state]);
    const expected = [
      ["server.docs", true, "refused"],
      ["limits.per_key.concurrency", null, "refused"],
      ["retention.usage_days", 20, "applied"],
      ["retention.audit_days", 10, "refused"],
      ["of.the_future", null, "refused"],
    ];
    expect(await states(gateway)).toEqual(expected);
    expect(told).toEqual(
      expect.arrayContaining([
        { key: "retention.audit_days", version: 2 },
        { key: "limits.per_key.concurrency", version: 1 },
        { key: "of.the_future", version: 1 },
        { key: "server.docs", version: 1 },
      ]),
    );
    await gateway.configuration.set("retention.usage_days", 21);
    expect(told).toHaveLength(4);
    // A process that starts now never knew the good value.
    const lines: unknown[] = [];
    const late = await node(path, { log: (level, message, fields) => void lines.push([level, message, fields["key"], fields["problem"]]) });
    expect(await states(late)).toEqual(
      expected.map((row) =>
        row[0] === "retention.audit_days" ? [row[0], 90, row[2]] : row[0] === "retention.usage_days" ? [row[0], 21, row[2]] : row,
      ),
    );
    expect(lines).toContainEqual([
      ...["error", "a stored setting is not valid and does not count", "retention.audit_days"],
      "Found text, expected a whole number from 1 to 3650. Write a whole number from 1 to 3650.",
    ]);
    // What is spoilt is mended by setting it, or by taking it away, also what this version does not know.
    await late.configuration.set("retention.audit_days", 30);
    await late.configuration.reset("of.the_future");
    await late.configuration.reset("server.docs");
    await expect
      .poll(() => states(gateway), { timeout: 30_000 })
      .toEqual([
        ["limits.per_key.concurrency", null, "refused"],
        ["retention.usage_days", 21, "applied"],
        ["retention.audit_days", 30, "applied"],
      ]);
  });
});
