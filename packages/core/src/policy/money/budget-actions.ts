import type { Caller } from "../../calls/index.js";
import { budgetWindow, gatewayKey, type BudgetRow, type BudgetWindowRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, RecordStore } from "../../ports/index.js";
import type { ResourceActions, ResourceActionsTable } from "../../seams/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import { Budget, windowId } from "./budget-set.js";

export interface BudgetActionsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  /** Knows who holds what in every project. */
  readonly resources: Pick<ResourceActionsTable, "assertEverywhere">;
}

/** What budgets do themselves of the resource API: who may write which, and what of each is spent in the period that runs. */
export function budgetActions({ store, clock, resources }: BudgetActionsOptions): ResourceActions {
  /** What counts every project is its owner's, or of who holds budgets in all of them. */
  const assertMayBound = ({ scope, scopeId, allProjects }: BudgetRow, caller: Caller): void => {
    if (scope === "global" || scope === "provider" || allProjects === true) resources.assertEverywhere(caller, "budgets:write");
    else if (scope === "project" && caller.kind !== "owner" && !caller.projects.includes(scopeId!))
      throw new GatewayError("forbidden", "The project is not one of yours.", { hint: "Ask somebody whose it is." });
  };
  const holdsEverywhere = (caller: Caller): boolean => {
    try {
      resources.assertEverywhere(caller, "budgets:write");
      return true;
    } catch {
      return false;
    }
  };
  return {
    checkRemoval: (row, { caller }) => assertMayBound(row as unknown as BudgetRow, caller),
    async check(row, o, before) {
      const made = row as unknown as BudgetRow;
      checkScope(made);
      if (before === null) made.allProjects ??= isPersonal(made) && holdsEverywhere(o.caller);
      else if (made.allProjects !== true) assertMayBound(before as unknown as BudgetRow, o.caller);
      assertMayBound(made, o.caller);
      if (made.scope !== "key" || o.caller.kind === "owner") return;
      const within = { deadlineMs: o.deadlineMs, signal: o.signal };
      if ((await store.get(gatewayKey, made.scopeId!, { projects: o.caller.projects }, within)) === null)
        throw invalid("scope_id: your projects have no such key");
    },
    async shown(rows, o) {
      const nowMs = clock.now();
      const open = rows.map((row) => {
        const made = new Budget(row as unknown as BudgetRow);
        const period = made.period(nowMs);
        return { made, period, id: windowId(made, period) };
      });
      const where = { id: { in: open.map(({ id }) => id) } };
      const scope = { system: "what is spent of budgets that the caller sees" };
      const within = { deadlineMs: o.deadlineMs, signal: o.signal };
      const windows = new Map<string, BudgetWindowRow>();
      let cursor: string | undefined;
      do {
        const page = await store.find(budgetWindow, { where, orderBy: "id", limit: 1_000, cursor }, scope, within);
        for (const window of page.rows) windows.set(window.id, window);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return open.map(({ made, period, id }) => {
        const { spentNanoUsd = 0, reservedNanoUsd = 0 } = windows.get(id) ?? {};
        return {
          spent_usd: decimalUsd(spentNanoUsd),
          reserved_usd: decimalUsd(reservedNanoUsd),
          left_usd: decimalUsd(made.limitNanoUsd - spentNanoUsd - reservedNanoUsd),
          resets_at: period.endMs === null ? null : new Date(period.endMs).toISOString(),
        };
      });
    },
  };
}

function isPersonal({ scope }: BudgetRow): boolean {
  return scope === "user" || scope === "team" || scope === "agent";
}

/** Errors: `validation_failed` for a scope without its id. */
function checkScope({ scope, scopeId }: BudgetRow): void {
  if (scope === "global" && scopeId !== null) throw invalid("scope_id: a global budget has none");
  if (scope !== "global" && scopeId === null) throw invalid(`scope_id: says which ${scope}`);
}

function invalid(message: string): GatewayError {
  return new GatewayError("validation_failed", message, {
    hint: "Name the key, user, team, agent, project or provider in scope_id; leave it out for the scope global.",
  });
}
