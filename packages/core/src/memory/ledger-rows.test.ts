import { expect, it } from "vitest";
import { auditEntry, type AuditRow } from "../entities/index.js";
import { insert } from "../ports/index.js";
import { memoryStore } from "./index.js";

const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const scope = { projects: ["default"] };
const row = (i: number): AuditRow => ({
  id: `row_${String(i).padStart(6, "0")}`,
  atMs: i,
  projectId: "default",
  callerId: "owner",
  action: "model.call",
  target: "demo/echo",
  requestId: `req_${i}`,
  outcome: "done",
  code: null,
  status: 200,
  durationMs: 1,
  ...{
    actorKind: null,
    keyId: null,
    userId: null,
    teamId: null,
    resourceType: null,
    source: null,
    purpose: null,
    parameters: null,
    changed: null,
  },
});

it("a ledger that may hold so many rows keeps its newest, before and after it was read", async () => {
  const store = memoryStore({ ledgerRows: 100 });
  const rows = async () => (await store.find(auditEntry, { orderBy: "atMs", limit: 1000 }, scope, within)).rows.map(({ atMs }) => atMs);
  for (let i = 0; i < 1000; i++) {
    await store.commit([{ scope, writes: [insert(auditEntry, row(i))] }], within);
    if (i === 500) expect((await rows()).at(-1)).toBe(500);
  }
  const kept = await rows();
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThanOrEqual(111);
  expect(kept).toEqual(kept.map((_, i) => 1000 - kept.length + i));
  expect(await store.get(auditEntry, row(0).id, scope, within)).toBeNull();
});
