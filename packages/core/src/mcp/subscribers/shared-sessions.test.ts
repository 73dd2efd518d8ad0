import { expect, it } from "vitest";
import type { Caller } from "../../calls/index.js";
import { mcpNews, mcpSession } from "../../entities/index.js";
import { memoryStore } from "../../memory/index.js";
import { crypto } from "../../platform/node-crypto.js";
import { insert } from "../../ports/index.js";
import { FakeClock } from "../../testing/index.js";
import type { Services } from "../../seams/index.js";
import { Log } from "../../util/log.js";
import type { View } from "../catalogue/view.js";
import { SharedNews } from "./shared-news.js";
import { SharedSessions } from "./shared-sessions.js";

const SYSTEM = { system: "test" };
const soon = { deadlineMs: Infinity };
const MANY = 2_600;
const place = () => {
  const clock = new FakeClock();
  const store = memoryStore({ clock });
  return { clock, store, services: { store, clock, crypto, log: new Log("silent", () => undefined) } as unknown as Services };
};

it("one sweep forgets all MCP sessions that nobody used, however many were opened since the last", async () => {
  const { clock, store, services } = place();
  const shared = new SharedSessions(services);
  const view = { key: "" } as View;
  for (let i = 0; i < MANY; i++) await shared.open({ id: `s${i}`, callerId: "ada", view, version: "2025-11-25" });
  await clock.advance(3_599_000);
  await shared.touch(["s7"]);
  await clock.advance(2_000);
  await shared.sweep();
  const { rows } = await store.find(mcpSession, { orderBy: "id", limit: 10 }, SYSTEM, soon);
  expect(rows.map(({ id }) => id)).toEqual([shared.rowId("s7")]);
});

it("one sweep removes all news that every process has read", async () => {
  const { clock, store, services } = place();
  const units = Array.from({ length: MANY }, (_, i) => ({
    scope: SYSTEM,
    writes: [
      insert(mcpNews, { id: `n${i}`, server: "s", what: "updated" as const, principal: "", uri: `file:///${i}`, movedAtMs: clock.now() }),
    ],
  }));
  await store.commit(units, soon);
  await clock.advance(3_601_000);
  await new SharedNews(services, () => undefined).sweep();
  expect((await store.find(mcpNews, { orderBy: "id", limit: 10 }, SYSTEM, soon)).rows).toEqual([]);
});

it("a session is of the caller that opened it, however long the ids of two callers are the same (T16)", async () => {
  const { services } = place();
  const [one, two] = [new SharedSessions(services), new SharedSessions(services)];
  const view = { key: "team" } as View;
  const callerOf = (id: string): Caller => ({ kind: "user", id, name: "n", projects: ["default"], grants: [] });
  const [ada, eve] = [callerOf(`${"x".repeat(100)}ada`), callerOf(`${"x".repeat(100)}eve`)];
  await one.open({ id: "s1", callerId: ada.id, view, version: "2025-11-25" });
  expect(await two.find("s1", eve, view)).toBeNull();
  expect(await two.find("s1", ada, { key: "" } as View)).toBeNull();
  expect(await two.find("s1", ada, view)).not.toBeNull();
});
