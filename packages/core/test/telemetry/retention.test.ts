import { expect, it } from "vitest";
import { allEntities, auditEntry, usageEntry, type AnyEntity, type AuditRow } from "../../src/entities/index.js";
import { insert } from "../../src/ports/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { auditChange } from "../../src/policy/audit-change.js";
import { configSchema } from "../../src/config/schema.js";
import { SYSTEM_CALLER } from "../../src/calls/index.js";
import { Retention } from "../../src/telemetry/retention.js";
import { FakeClock } from "../../src/testing/index.js";
import { Log } from "../../src/util/log.js";
import { scope, usageRow, within } from "./harness.js";

const DAY_MS = 86_400_000;
const log = new Log("silent", () => undefined);

async function filled(days: object) {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  const nowMs = clock.now();
  const writes = Array.from({ length: 1_200 }, (_, i) =>
    auditChange({ caller: SYSTEM_CALLER, action: "a", target: "t" }, nowMs - (i < 1_100 ? 40 : 10) * DAY_MS),
  );
  const used = insert(usageEntry, usageRow({ id: "call_old", atMs: nowMs - 20 * DAY_MS }));
  await store.commit([{ scope, writes: [...writes, used] }], within());
  const retention = new Retention({ store, clock, log }, () => configSchema.parse({ retention: days }).retention);
  const left = async () => {
    const rows: AuditRow[] = (await store.find(auditEntry, { orderBy: "atMs", limit: 1000 }, scope, within())).rows;
    return rows.length;
  };
  return { clock, store, retention, left };
}

it("deletes what is older than it says, a batch at a time, and nothing else", async () => {
  const { retention, left } = await filled({ auditDays: 30 });
  expect(await retention.sweep()).toMatchObject({ audit: 1_100, usage: 0, trace: 0 });
  expect(await left()).toBe(100);
  const other = await filled({ usageDays: 10 });
  expect(await other.retention.sweep()).toMatchObject({ audit: 0, usage: 1 });
});

it("keeps 90 days when nobody says otherwise", async () => {
  const { retention } = await filled({});
  expect(await retention.sweep()).toMatchObject({ audit: 0 });
});

it("sweeps every ledger there is", async () => {
  const { retention } = await filled({});
  const ledgers = allEntities.filter((entity): entity is AnyEntity => entity.kind === "ledger").map(({ name }) => name);
  expect(Object.keys(await retention.sweep()).sort()).toEqual(ledgers.sort());
});

it("sweeps by itself, a minute after the start and each hour", async () => {
  const { clock, retention, left } = await filled({ auditDays: 30 });
  retention.start();
  await clock.advance(30_000);
  expect(await left()).toBe(1_000);
  await clock.advance(40_000);
  for (let i = 0; i < 50; i++) await Promise.resolve();
  await retention.close();
  expect(await left()).toBe(100);
});

it("has a number for each ledger that the configuration names", () => {
  const names = allEntities.filter(({ kind }) => kind === "ledger").map(({ name }) => `${name}Days`);
  for (const key of Object.keys(configSchema.parse({}).retention)) expect(names).toContain(key);
});
