import { mayDo } from "../../access/grants.js";
import type { Caller } from "../../calls/index.js";
import { budgetWindow, gatewayKey, type BudgetRow, type BudgetWindowRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, RecordStore } from "../../ports/index.js";
import type { ResourceActions } from "../../seams/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import { Budget, windowId } from "./budget-set.js";

export interface BudgetActionsOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
}

/** What budgets do themselves of the resource API: who may write which, and what of each is spent in the period that runs. */
export function budgetActions({ store, clock }: BudgetActionsOptions): ResourceActions {
  return {
    async check(row, o) {
      const made = row as unknown as BudgetRow;
      if (checkScope(made, o.caller) || made.scope !== "key") return;
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

/** Whether the caller may limit everything. Errors: `validation_failed` for a scope without its id; `forbidden` for calls that are not the caller's to limit. */
function checkScope({ scope, scopeId }: BudgetRow, caller: Caller): boolean {
  if (scope === "global" && scopeId !== null) throw invalid("scope_id: a global budget has none");
  if (scope !== "global" && scopeId === null) throw invalid(`scope_id: says which ${scope}`);
  if (caller.kind === "owner" || mayDo(caller, "project", "*")) return true;
  if (scope === "global" || scope === "provider")
    throw forbidden(`A budget of the scope "${scope}" counts the calls of every project, which you have not.`);
  if (scope === "project" && !caller.projects.includes(scopeId!)) throw forbidden("The project is not one of yours.");
  return false;
}

function invalid(message: string): GatewayError {
  return new GatewayError("validation_failed", message, {
    hint: "Name the key, user, team, agent, project or provider in scope_id; leave it out for the scope global.",
  });
}
function forbidden(message: string): GatewayError {
  return new GatewayError("forbidden", message, { hint: "Ask somebody who has all projects (project:*)." });
}
