import {
  auditEntry,
  detection,
  toolPin,
  type AlertRuleRow,
  type AuditRow,
  type DetectionRow,
  type ToolPinRow,
  type UsageRow,
} from "../../entities/index.js";
import type { Scope, Where } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { callStats } from "../traces/call-stats.js";

type Deps = Pick<Services, "store" | "clock">;
export interface Measured {
  /** null: there was nothing to measure, and the rule says nothing. */
  readonly value: number | null;
  /** Calls, or events, that it was measured by. */
  readonly count: number;
}

const WITHIN_MS = 15_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const NANO = 1e-9;

/**
 * What a rule measures now, of all nodes: parts of one, milliseconds, calls a minute, US dollars, or how many times. Costs are of the last hour or day, all else of the rule's window.
 * Read from the ledgers; percentiles are of the newest 10,000 calls.
 */
export async function measure(deps: Deps, rule: AlertRuleRow, nowMs: number): Promise<Measured> {
  const windowMs = rule.windowMinutes * MINUTE_MS;
  switch (rule.metric) {
    case "error_rate":
      return ofCalls(deps, rule, { fromMs: nowMs - windowMs, value: (stats) => stats.errorRate });
    case "latency_p50":
      return ofCalls(deps, rule, { fromMs: nowMs - windowMs, value: (stats) => stats.p50Ms });
    case "latency_p95":
      return ofCalls(deps, rule, { fromMs: nowMs - windowMs, value: (stats) => stats.p95Ms });
    case "latency_p99":
      return ofCalls(deps, rule, { fromMs: nowMs - windowMs, value: (stats) => stats.p99Ms });
    case "request_rate":
      return always(await ofCalls(deps, rule, { fromMs: nowMs - windowMs, value: ({ total }) => total / rule.windowMinutes }));
    case "cost_per_hour":
      return always(await ofCalls(deps, rule, { fromMs: nowMs - HOUR_MS, value: ({ costNanoUsd }) => Number(costNanoUsd) * NANO }));
    case "cost_per_day":
      return always(await ofCalls(deps, rule, { fromMs: nowMs - DAY_MS, value: ({ costNanoUsd }) => Number(costNanoUsd) * NANO }));
    case "rate_limit_hit":
      return ofAudit(deps, rule, { fromMs: nowMs - windowMs, counts: ({ code }) => code === "rate_limited" });
    case "budget_event":
      return ofAudit(deps, rule, {
        fromMs: nowMs - windowMs,
        counts: ({ action, code }) => action === BUDGET_THRESHOLD || code === "budget_exceeded",
      });
    case "injection_detected":
      return ofDetections(deps, rule, nowMs - windowMs);
    case "tools_waiting":
      return ofPins(deps, rule);
  }
}

/** The audit's row for a threshold of a budget that was passed. */
export const BUDGET_THRESHOLD = "budget.threshold";

export function holds(rule: Pick<AlertRuleRow, "condition" | "threshold">, value: number): boolean {
  const { threshold } = rule;
  switch (rule.condition) {
    case "gt":
      return value > threshold;
    case "gte":
      return value >= threshold;
    case "lt":
      return value < threshold;
    case "lte":
      return value <= threshold;
    case "eq":
      return value === threshold;
    case "neq":
      return value !== threshold;
  }
}

type Stats = Awaited<ReturnType<typeof callStats>>;

async function ofCalls(
  deps: Deps,
  rule: AlertRuleRow,
  o: { readonly fromMs: number; readonly value: (stats: Stats) => number | null },
): Promise<Measured> {
  const { kind, names, keys, providers } = rule.filters;
  const where: Where<UsageRow> = {
    atMs: { gte: o.fromMs },
    ...(kind === undefined ? {} : { kind }),
    ...(names === undefined ? {} : { name: { in: names } }),
    ...(keys === undefined ? {} : { callerId: { in: keys } }),
  };
  const matches =
    providers === undefined ? () => true : (row: Pick<UsageRow, "provider">) => row.provider !== null && providers.includes(row.provider);
  const stats = await callStats(deps, { where, matches, scope: scopeOf(rule) });
  return { value: stats.total === 0 ? null : o.value(stats), count: stats.total };
}

/** Tools of MCP servers whose definition waits for a person now, whenever it changed; they are of no project. */
async function ofPins(deps: Deps, { filters }: AlertRuleRow): Promise<Measured> {
  const where: Where<ToolPinRow> = { status: { in: ["new", "changed"] } };
  const rows = await deps.store.sum(toolPin, { where, by: ["server"], sum: [] }, { system: "alerts on tools that wait" }, within(deps));
  const { providers } = filters;
  let count = 0;
  for (const row of rows) if (providers === undefined || providers.includes(String(row.by["server"]))) count += row.count;
  return { value: count, count };
}

/** No calls are a rate and a cost of zero. */
function always({ value, count }: Measured): Measured {
  return { value: value ?? 0, count };
}

async function ofAudit(
  deps: Deps,
  rule: AlertRuleRow,
  o: { readonly fromMs: number; readonly counts: (row: Pick<AuditRow, "action" | "code">) => boolean },
): Promise<Measured> {
  const { keys, names, kind } = rule.filters;
  const where: Where<AuditRow> = { atMs: { gte: o.fromMs }, ...(keys === undefined ? {} : { callerId: { in: keys } }) };
  const rows = await deps.store.sum(auditEntry, { where, by: ["action", "code", "target"], sum: [] }, scopeOf(rule), within(deps));
  let count = 0;
  for (const row of rows) {
    const by = row.by as unknown as Pick<AuditRow, "action" | "code" | "target">;
    if (!o.counts(by) || (kind !== undefined && by.action !== `${kind}.call`) || (names !== undefined && !names.includes(by.target)))
      continue;
    count += row.count;
  }
  return { value: count, count };
}

async function ofDetections(deps: Deps, rule: AlertRuleRow, fromMs: number): Promise<Measured> {
  const { keys, providers } = rule.filters;
  const where: Where<DetectionRow> = {
    type: "prompt_injection",
    atMs: { gte: fromMs },
    ...(keys === undefined ? {} : { callerId: { in: keys } }),
    ...(providers === undefined ? {} : { server: { in: providers } }),
  };
  const rows = await deps.store.sum(detection, { where, by: [], sum: [] }, scopeOf(rule), within(deps));
  const count = rows.reduce((sum, row) => sum + row.count, 0);
  return { value: count, count };
}

function scopeOf({ id, filters }: AlertRuleRow): Scope {
  return filters.project === undefined ? { system: `the alert rule ${id}` } : { projects: [filters.project] };
}

function within({ clock }: Deps) {
  return { deadlineMs: clock.now() + WITHIN_MS };
}
