import type { Caller } from "../../../calls/index.js";
import { usageEntry, type UsageRow } from "../../../entities/index.js";
import type { Clock, RecordStore, Scope, SumRow, Where, Within } from "../../../ports/index.js";
import { periodAt } from "../period.js";

/** By what usage can be reported. A tool, an operation and a model are what the call named or reached. */
export const usageDimensions = {
  key: "keyId",
  user: "userId",
  team: "teamId",
  project: "projectId",
  agent: "agentId",
  caller: "callerId",
  provider: "provider",
  model: "model",
  server: "server",
  tool: "name",
  operation: "operation",
} as const satisfies Record<string, keyof UsageRow>;
export type UsageDimension = keyof typeof usageDimensions;

export interface UsageQuery {
  /** Unix ms. */
  readonly fromMs?: number | undefined;
  /** Unix ms, exclusive. */
  readonly toMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly runId?: string | undefined;
  readonly callerId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly kind?: "model" | "tool" | undefined;
  /** What the caller asked for: a model, a route, or `server__tool`. */
  readonly name?: string | undefined;
  readonly server?: string | undefined;
}

/** Nano-US-dollars are exact: sums of many rows may be larger than a safe integer. */
export interface UsageTotals {
  readonly calls: number;
  readonly costNanoUsd: bigint;
  /** Calls whose cost nobody knows: they are in none of the sums of money. */
  readonly unpricedCalls: number;
  readonly inputTokens: bigint;
  readonly cacheReadTokens: bigint;
  readonly outputTokens: bigint;
  readonly reasoningTokens: bigint;
  /** What answers out of the cache would have cost. */
  readonly savedNanoUsd: bigint;
}
export interface UsageGroup extends UsageTotals {
  /** null: calls that belong to none. */
  readonly id: string | null;
}
export interface UsageDay extends UsageTotals {
  /** The day in UTC, `2026-11-21`. */
  readonly date: string;
}
export interface UsageForecast {
  readonly startMs: number;
  /** Unix ms, exclusive. */
  readonly endMs: number;
  readonly spentNanoUsd: bigint;
  /** What will have been spent at the end if it goes on as it did; null: too little time has passed to say. */
  readonly forecastNanoUsd: bigint | null;
  /** How it was come to: by the part of the period that has passed. */
  readonly basis: { readonly method: "linear"; readonly elapsedMs: number; readonly calls: number };
}
export type ReportPeriod = "day" | "week" | "month";

const DAY_MS = 86_400_000;
const WITHIN_MS = 30_000;
const SUMMED = ["costNanoUsd", "inputTokens", "cacheReadTokens", "outputTokens", "reasoningTokens", "savedNanoUsd", "unpriced"] as const;
const PAGE = 500;
/** Less of a period says nothing of the rest. */
const LEAST_ELAPSED_MS = 3_600_000;

/**
 * What calls used and cost, read from the ledger: only of the caller's projects. Sums are made by the store. What nobody knows is counted and never taken for zero.
 * Concurrency: any number of callers; a report sees what is written when it is made.
 */
export class UsageReports {
  readonly #store: RecordStore;
  readonly #clock: Clock;

  constructor(services: { readonly store: RecordStore; readonly clock: Clock }) {
    this.#store = services.store;
    this.#clock = services.clock;
  }

  nowMs(): number {
    return this.#clock.now();
  }

  /** Rows of calls, newest first. Errors: `bad_request` for a cursor of another list; those of the store. */
  find(
    query: UsageQuery,
    o: { readonly caller: Caller; readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ rows: UsageRow[]; next: string | null }> {
    const { limit, cursor } = o;
    return this.#store.find(
      usageEntry,
      { where: whereOf(query), orderBy: "atMs", desc: true, limit, cursor },
      scopeOf(o.caller),
      this.#within(),
    );
  }

  /** Every row, in pages, newest first: for exports. */
  async *pages(query: UsageQuery, caller: Caller): AsyncGenerator<readonly UsageRow[], void, undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.find(query, { caller, limit: PAGE, cursor });
      yield page.rows;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
  }

  async summary(query: UsageQuery, caller: Caller): Promise<UsageTotals> {
    return totalsOf(await this.#sum(query, { by: [] }, caller))[0]?.totals ?? NOTHING;
  }

  /** The dearest first; what belongs to none is `null`. */
  async by(dimension: UsageDimension, query: UsageQuery, caller: Caller): Promise<readonly UsageGroup[]> {
    const field = usageDimensions[dimension];
    const kind = dimension === "tool" || dimension === "server" ? "tool" : query.kind;
    const rows = await this.#sum({ ...query, kind }, { by: [field] }, caller);
    return totalsOf(rows)
      .map(({ by, totals }) => ({ id: (by[field] as string | null) ?? null, ...totals }))
      .sort((a, b) => (a.costNanoUsd < b.costNanoUsd ? 1 : a.costNanoUsd > b.costNanoUsd ? -1 : b.calls - a.calls));
  }

  /** One for every day in UTC of the time asked for, also where there was no call. */
  async daily(query: UsageQuery & { readonly fromMs: number; readonly toMs: number }, caller: Caller): Promise<readonly UsageDay[]> {
    const rows = await this.#sum(query, { by: [], bucketMs: DAY_MS }, caller);
    const days = new Map(totalsOf(rows).map(({ by, totals }) => [by["bucketAtMs"] as number, totals]));
    const all: UsageDay[] = [];
    for (let at = Math.floor(query.fromMs / DAY_MS) * DAY_MS; at < query.toMs; at += DAY_MS)
      all.push({ date: new Date(at).toISOString().slice(0, 10), ...(days.get(at) ?? NOTHING) });
    return all;
  }

  /** What the period that runs (UTC) will have cost, if the rest of it is as what has passed. */
  async forecast(period: ReportPeriod, query: UsageQuery, caller: Caller): Promise<UsageForecast> {
    const nowMs = this.#clock.now();
    const { startMs, endMs } = periodAt(nowMs, period, "UTC");
    const { costNanoUsd: spent, calls } = await this.summary({ ...query, fromMs: startMs, toMs: nowMs + 1 }, caller);
    const elapsedMs = nowMs - startMs;
    const end = endMs ?? nowMs;
    const rest = BigInt(Math.max(0, end - nowMs));
    const forecastNanoUsd = elapsedMs < LEAST_ELAPSED_MS ? null : spent + (spent * rest) / BigInt(elapsedMs);
    return { startMs, endMs: end, spentNanoUsd: spent, forecastNanoUsd, basis: { method: "linear", elapsedMs, calls } };
  }

  #sum(
    query: UsageQuery,
    o: { readonly by: readonly (keyof UsageRow & string)[]; readonly bucketMs?: number },
    caller: Caller,
  ): Promise<SumRow[]> {
    const sum = { where: whereOf(query), by: o.by, sum: SUMMED };
    return this.#store.sum(usageEntry, o.bucketMs === undefined ? sum : { ...sum, bucketMs: o.bucketMs }, scopeOf(caller), this.#within());
  }

  #within(): Within {
    return { deadlineMs: this.#clock.now() + WITHIN_MS };
  }
}

const NOTHING: UsageTotals = {
  ...{
    calls: 0,
    costNanoUsd: 0n,
    unpricedCalls: 0,
    inputTokens: 0n,
    cacheReadTokens: 0n,
    outputTokens: 0n,
    reasoningTokens: 0n,
    savedNanoUsd: 0n,
  },
};

function totalsOf(rows: readonly SumRow[]): { readonly by: SumRow["by"]; readonly totals: UsageTotals }[] {
  return rows.map(({ by, count, sums }) => {
    const of = (name: (typeof SUMMED)[number]): bigint => sums[name] ?? 0n;
    const totals = {
      calls: count,
      costNanoUsd: of("costNanoUsd"),
      unpricedCalls: Number(of("unpriced")),
      inputTokens: of("inputTokens"),
      cacheReadTokens: of("cacheReadTokens"),
      outputTokens: of("outputTokens"),
      reasoningTokens: of("reasoningTokens"),
      savedNanoUsd: of("savedNanoUsd"),
    };
    return { by, totals };
  });
}

function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}

function whereOf({ fromMs, toMs, ...fields }: UsageQuery): Where<UsageRow> {
  const where: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) where[name] = value;
  const times: Where<UsageRow>[] = [];
  if (fromMs !== undefined) times.push({ atMs: { gte: fromMs } });
  if (toMs !== undefined) times.push({ atMs: { lt: toMs } });
  if (times.length === 1) Object.assign(where, times[0]);
  // A field has one test; two of them are one beside the other.
  else if (times.length === 2) Object.assign(where, times[0], { any: [times[1]] });
  return where as Where<UsageRow>;
}
