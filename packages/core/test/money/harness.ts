import { createHash } from "node:crypto";
import { onTestFinished } from "vitest";
import type { ModelEvent } from "../../src/calls/index.js";
import { budget, budgetWindow, openCalls, reservation, usageEntry, type BudgetRow } from "../../src/entities/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { memoryStore } from "../../src/memory/index.js";
import { insert, update, type RecordStore } from "../../src/ports/index.js";
import type { GatewayEvents } from "../../src/seams/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { newId } from "../../src/util/ids.js";

export const scope = { system: "test" };
export const within = () => ({ deadlineMs: Number.MAX_SAFE_INTEGER });
/** A token written costs a thousandth of a dollar, one read nothing. */
export const PRICES = { input: 0, output: 1_000, cacheRead: 0, cacheWrite: 0 };
export const TOKEN = 1_000_000;

/** What the vendor `v` does with a call: how many tokens it says that it wrote, once it may answer. */
export type Vendor = (n: number, signal: AbortSignal) => number | null | Error | Promise<number | null | Error>;

async function* answer(does: ReturnType<Vendor>): AsyncGenerator<ModelEvent> {
  const tokens = await does;
  if (tokens instanceof Error) throw tokens;
  yield { type: "start", id: "a", model: "m", createdAtMs: 0 };
  yield { type: "text-start", index: 0, block: 0 };
  yield { type: "text-delta", index: 0, block: 0, text: "hello you" };
  yield { type: "text-end", index: 0, block: 0 };
  yield { type: "finish", index: 0, reason: "stop" };
  if (tokens !== null) yield { type: "usage", usage: { inputTokens: 3, outputTokens: tokens } };
}

export const budgetRow = (over: Partial<BudgetRow> = {}) => ({
  ...{ id: newId("budget"), projectId: "default", name: "test", scope: "project" as const, scopeId: "default", amountUsd: "0.05" },
  ...{ period: "day" as const, timezone: "UTC", hard: true, thresholds: [50, 80, 100], enabled: true, allProjects: null },
  ...over,
});

export interface Setting {
  readonly store?: RecordStore;
  readonly vendor?: Vendor;
  /** Of further vendors, by name. */
  readonly others?: Readonly<Record<string, { readonly vendor: Vendor; readonly prices?: typeof PRICES | undefined }>>;
  readonly budgets?: readonly Partial<BudgetRow>[];
  readonly options?: GatewayOptions;
  /** The targets of `route/r`. */
  readonly route?: readonly string[];
}

/** A gateway over a store that outlives it, with the vendor `v` in this process, whose model `m` has prices. */
export async function metered({
  store = memoryStore(),
  vendor = () => 5,
  others = {},
  budgets = [],
  options = {},
  route = [],
}: Setting = {}) {
  const rows = budgets.map(budgetRow);
  if (rows.length > 0) await store.commit([{ scope, writes: rows.map((row) => insert(budget, row)) }], within());
  const storage = { name: "shared", open: () => Promise.resolve(unclosable(store)) };
  const gateway = await createTestGateway({ storage, secret: createHash("sha256").update("money").digest(), ...options });
  const counts: Record<string, number> = {};
  for (const [name, { vendor: does, prices }] of Object.entries({ v: { vendor, prices: PRICES }, ...others }))
    gateway.providers.add({
      name,
      models: [{ code: "m", maxOutputTokens: 100, contextTokens: 10_000, ...(prices === undefined ? {} : { prices }) }],
      answer: (_call, { signal }) => answer(does((counts[name] = (counts[name] ?? 0) + 1), signal)),
    });
  if (route.length > 0) await gateway.routes.add("r", { targets: route.map((model) => ({ model })), retries: { max: 0 } });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const heard: { name: string; event: unknown }[] = [];
  for (const name of ["budget.threshold", "budget.exceeded", "usage.clamped", "call.reconciled", "internal.error"] as const)
    gateway.on(name, ((event: unknown) => void heard.push({ name, event })) as GatewayEvents[typeof name]);
  const ask = async (body: Record<string, unknown> = {}, signal?: AbortSignal) => {
    const response = await gateway.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        headers: { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "v/m", messages: [{ role: "user", content: "hi" }], max_tokens: 10, ...body }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, error: errorOf(text) };
  };
  return { gateway, store, ask, heard, counts, budgets: rows, ...seen(store) };
}

function errorOf(text: string): { code?: string; type?: string; message?: string } | null {
  try {
    return (JSON.parse(text) as { error?: { code?: string } }).error ?? null;
  } catch {
    return null;
  }
}

/** What stands in a store. */
export function seen(store: RecordStore) {
  const all = async <R>(entity: Parameters<RecordStore["find"]>[0]) =>
    (await store.find(entity, { orderBy: "id" as never, limit: 1_000 }, scope, within())).rows as R[];
  const read = {
    rows: () => all<import("../../src/entities/index.js").UsageRow>(usageEntry as never),
    windows: () => all<import("../../src/entities/index.js").BudgetWindowRow>(budgetWindow as never),
    reservations: () => all<import("../../src/entities/index.js").ReservationRow>(reservation as never),
    open: () => all<import("../../src/entities/index.js").OpenCallsRow>(openCalls as never),
  };
  /** Once so many calls have their row, and nothing is set aside. */
  const settled = async (calls: number) => {
    for (let i = 0; ; i++) {
      const [rows, held] = [await read.rows(), await read.reservations()];
      if (rows.length >= calls && held.length === 0) return rows;
      if (i > 500) throw new Error(`There are ${rows.length} rows and ${held.length} reservations.`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  return { ...read, settled };
}

export async function change(store: RecordStore, row: { readonly id: string }, set: Partial<BudgetRow>): Promise<void> {
  await store.commit([{ scope, writes: [update(budget, row.id, { change: { set } })] }], within());
}

/** A gateway closes its store; the test looks at it afterwards. */
export function unclosable(store: RecordStore): RecordStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const value = target[name as keyof RecordStore];
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
