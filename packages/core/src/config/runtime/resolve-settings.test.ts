import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadConfig, type ConfigSources } from "../load-config.js";
import { isPinned, resolveSettings, type StoredSetting } from "./resolve-settings.js";
import { changeableSetting, settingKeys, startKeys } from "./setting-keys.js";
import { sourceOf } from "../layers.js";

let clock = 0;
const row = (key: string, value: unknown, o: Partial<StoredSetting> = {}): StoredSetting => ({
  id: key.replaceAll(".", "-"),
  key,
  value,
  version: 1,
  updatedAtMs: ++clock,
  ...o,
});
const file = (value: unknown) => ({ path: "sallyport.config.json", text: JSON.stringify(value) });
const resolved = (sources: ConfigSources, rows: readonly StoredSetting[], before: Parameters<typeof resolveSettings>[2] = new Map()) => {
  const base = loadConfig(sources);
  const { loaded, standings, good } = resolveSettings(base, rows, before);
  const states = Object.fromEntries([...standings].map(([key, { state }]) => [key, state]));
  return { base, loaded, config: loaded.config, standings, states, good };
};

describe("stored settings", () => {
  it("stand over default, file and environment, and below code", () => {
    const rows = [row("limits.per_key.requests_per_minute", 30), row("logging.level", "warn"), row("server.docs", false)];
    const { config, states, loaded } = resolved(
      {
        file: file({ limits: { perKey: { requestsPerMinute: 10 } }, server: { docs: true } }),
        env: { RATE_LIMIT_DEFAULT_RPM: "20" },
        code: { logging: { level: "error" } },
      },
      rows,
    );
    expect([config.limits.perKey.requestsPerMinute, config.logging.level, config.server.docs]).toEqual([30, "error", false]);
    expect(states).toEqual({ "limits.per_key.requests_per_minute": "applied", "logging.level": "overridden", "server.docs": "applied" });
    expect(sourceOf(loaded.merged, ["server", "docs"])).toEqual({ kind: "database", key: "server.docs" });
    expect(isPinned(loaded, changeableSetting("logging.level"))).toBe(true);
  });

  it("say how long conversations last by seconds before hours before days, whichever was stored first", () => {
    const seconds = row("sessions.ttl_seconds", 90);
    const hours = row("sessions.ttl_hours", 5);
    const days = row("sessions.ttl_days", 2);
    const ttl = (...rows: StoredSetting[]): number => resolved({}, rows).config.sessions.ttlSeconds;
    expect([ttl(), ttl(days), ttl(days, hours), ttl(hours, days), ttl(days, seconds, hours)]).toEqual([
      604_800, 172_800, 18_000, 18_000, 90,
    ]);
    expect(resolved({}, [days, seconds, hours]).states).toEqual({
      "sessions.ttl_days": "overridden",
      "sessions.ttl_seconds": "applied",
      "sessions.ttl_hours": "overridden",
    });
    // What is not valid says nothing: the next exact one counts.
    expect(ttl(days, row("sessions.ttl_seconds", "soon"), hours)).toBe(18_000);
    expect(ttl(row("sessions.ttl_hours", 0), days)).toBe(172_800);
  });

  it("that are not valid leave what was good before, or nothing, and say why", () => {
    const first = resolved({}, [row("limits.per_key.concurrency", 4), row("retention.audit_days", 10)]);
    const rows = [
      row("limits.per_key.concurrency", "many"),
      row("retention.audit_days", 20),
      row("server.max_body_bytes", -1),
      row("server.allowed_origins", ["https://app.example.com/path"]),
      row("server.port", 80),
      row("no.such_setting", 1),
    ];
    const { config, states, standings, good } = resolved({}, rows, first.good);
    expect(config.limits.perKey.concurrency).toBe(4);
    expect([config.retention.auditDays, config.server.maxBodyBytes, config.server.allowedOrigins]).toEqual([20, 20_971_520, []]);
    expect(states).toEqual({
      "limits.per_key.concurrency": "refused",
      "retention.audit_days": "applied",
      "server.max_body_bytes": "refused",
      "server.allowed_origins": "refused",
      "server.port": "refused",
      "no.such_setting": "refused",
    });
    expect(standings.get("limits.per_key.concurrency")?.problem).toBe(
      "Found text, expected a whole number from 1 to 1000000000. Write a whole number from 1 to 1000000000.",
    );
    expect(standings.get("server.allowed_origins")?.problem).toMatch(/^server\.allowedOrigins\[0\] is not an origin/);
    expect(standings.get("server.port")?.problem).toContain("the address is bound at the start");
    expect(good).toEqual(
      new Map<string, unknown>([
        ["limits.per_key.concurrency", 4],
        ["retention.audit_days", 20],
      ]),
    );
    expect(resolved({}, rows).config.limits.perKey.concurrency).toBeUndefined();
  });

  it("that do not fit each other: the one that was there first counts, and the same on every node", () => {
    const max = row("access.sessions.max_ms", 60_000);
    const idle = row("access.sessions.idle_ms", 70_000);
    for (const rows of [
      [max, idle],
      [idle, max],
    ]) {
      const { config, states } = resolved({}, rows);
      expect([config.access.sessions.maxMs, config.access.sessions.idleMs]).toEqual([60_000, 43_200_000]);
      expect(states).toEqual({ "access.sessions.max_ms": "applied", "access.sessions.idle_ms": "refused" });
    }
    // The value of before fits: it stays.
    const before = new Map([["access.sessions.idle_ms", 50_000]]);
    expect(resolved({}, [max, idle], before).config.access.sessions.idleMs).toBe(50_000);
  });

  it("leave everything else the object that it was", () => {
    const { base, config } = resolved({ code: { providers: { openai: { apiKey: "sk-1" } } } }, [row("logging.level", "warn")]);
    expect(config.providers).toBe(base.config.providers);
    expect(config.server).toBe(base.config.server);
    expect(config.logging).toEqual({ level: "warn", format: "text" });
    expect(Object.isFrozen(config) && Object.isFrozen(config.logging)).toBe(true);
    expect(resolved({}, [row("logging.level", "info")]).config).not.toBeUndefined();
  });

  it("of any kind never throw, and never make a configuration that is not valid", () => {
    const keys = fc.oneof(fc.constantFrom(...[...settingKeys, ...startKeys].map(({ key }) => key)), fc.string());
    const rows = fc.array(
      fc.record({ key: keys, value: fc.oneof(fc.jsonValue(), fc.integer({ min: 1, max: 90_000_000 }), fc.array(fc.string())) }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(rows, rows, (one, two) => {
        const base = loadConfig({});
        const first = resolveSettings(
          base,
          one.map(({ key, value }) => row(key, value)),
          new Map(),
        );
        const { loaded, standings } = resolveSettings(
          base,
          two.map(({ key, value }) => row(key, value)),
          first.good,
        );
        expect(() => loadConfig({ code: loaded.config })).not.toThrow();
        expect([...standings.keys()].sort()).toEqual([...new Set(two.map(({ key }) => key))].sort());
      }),
      { numRuns: 80 },
    );
  });
});

describe("the table of settings", () => {
  it("describes each, with a key of its own, and none that is a secret", () => {
    expect(new Set(settingKeys.map(({ key }) => key)).size).toBe(settingKeys.length);
    for (const { key, description, expected, path } of settingKeys) {
      expect(description, key).not.toBe("");
      expect(expected, key).not.toBe("");
      expect(JSON.stringify(path)).not.toMatch(/secret|password|apiKey|allowStdio|allowPrivate/i);
    }
    for (const { key, fixed } of startKeys) expect(fixed, key).not.toBeNull();
  });

  it("names the nearest key, and says why a setting cannot be changed", () => {
    expect(() => changeableSetting("sessions.ttlHours")).toThrow(
      expect.objectContaining({ code: "not_found", hint: "Did you mean sessions.ttl_hours?" }),
    );
    expect(() => changeableSetting("mcp.allow_stdio")).toThrow(expect.objectContaining({ code: "forbidden" }));
  });
});
