import type { Caller } from "../../calls/index.js";
import { detection, type DetectionRow } from "../../entities/index.js";
import type { Clock, RecordStore, Scope, Where } from "../../ports/index.js";
import type { DetectionQuery, DetectionSummary } from "../../seams/index.js";

const WITHIN_MS = 10_000;
const SUMMARY_MS = 7 * 86_400_000;
const TOP = 10;

/** What guardrails found, as callers may read it: of their own projects. Errors: those of the store. */
export class Detections {
  readonly #store: RecordStore;
  readonly #clock: Clock;

  constructor(services: { readonly store: RecordStore; readonly clock: Clock }) {
    this.#store = services.store;
    this.#clock = services.clock;
  }

  async find(
    query: DetectionQuery,
    page: { readonly limit: number; readonly cursor?: string | undefined },
    caller: Caller,
  ): Promise<{ readonly rows: readonly DetectionRow[]; readonly next: string | null }> {
    const { limit, cursor } = page;
    return this.#store.find(
      detection,
      { where: whereOf(query), orderBy: "atMs", desc: true, limit, cursor },
      scopeOf(caller),
      this.#within(),
    );
  }

  async summary(query: DetectionQuery, caller: Caller): Promise<DetectionSummary> {
    const toMs = query.toMs ?? this.#clock.now();
    const fromMs = query.fromMs ?? toMs - SUMMARY_MS;
    const where = whereOf({ ...query, fromMs, toMs });
    const counted = async (by: "type" | "severity" | "action" | "pattern"): Promise<Record<string, number>> => {
      const groups = await this.#store.sum(detection, { where, by: [by], sum: [] }, scopeOf(caller), this.#within());
      return Object.fromEntries(groups.map((group) => [String(group.by[by]), group.count]));
    };
    const byType = await counted("type");
    const bySeverity = await counted("severity");
    const byAction = await counted("action");
    const byPattern = Object.entries(await counted("pattern")).map(([pattern, count]) => ({ pattern, count }));
    return {
      ...{ byType, bySeverity, byAction, fromMs, toMs },
      total: Object.values(byType).reduce((sum, count) => sum + count, 0),
      topPatterns: byPattern.sort((a, b) => b.count - a.count || (a.pattern < b.pattern ? -1 : 1)).slice(0, TOP),
    };
  }

  #within() {
    return { deadlineMs: this.#clock.now() + WITHIN_MS };
  }
}

function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}

function whereOf(query: DetectionQuery): Where<DetectionRow> {
  const { types, severities, actions, guardrail, server, requestId, callerId, fromMs, toMs } = query;
  const where: Record<string, unknown> = {};
  if (types !== undefined) where["type"] = { in: types };
  if (severities !== undefined) where["severity"] = { in: severities };
  if (actions !== undefined) where["action"] = { in: actions };
  for (const [name, value] of Object.entries({ guardrail, server, requestId, callerId })) if (value !== undefined) where[name] = value;
  if (fromMs !== undefined) where["atMs"] = { gte: fromMs };
  // One test a field: the other bound is an alternative of its own.
  if (toMs !== undefined) where["any"] = [{ atMs: { lt: toMs } }];
  return where as Where<DetectionRow>;
}
