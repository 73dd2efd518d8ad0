import type { Caller } from "../../calls/index.js";
import type { Records } from "../../config/records.js";
import { budget, type BudgetRow, type BudgetScope } from "../../entities/index.js";
import { nanoUsd } from "../../util/encoding/decimal-usd.js";
import { periodAt, type Period } from "./period.js";

/** One enabled budget, read once. */
export class Budget {
  readonly row: BudgetRow;
  readonly limitNanoUsd: number;
  /** Ascending percentages. */
  readonly thresholds: readonly number[];
  #period: Period | null = null;

  constructor(row: BudgetRow) {
    this.row = row;
    this.limitNanoUsd = nanoUsd(row.amountUsd);
    this.thresholds = [...row.thresholds].sort((a, b) => a - b);
  }

  /** The period that an instant lies in. */
  period(atMs: number): Period {
    const known = this.#period;
    if (known !== null && atMs >= known.startMs && (known.endMs === null || atMs < known.endMs)) return known;
    return (this.#period = periodAt(atMs, this.row.period, this.row.timezone));
  }
}

/** The enabled budgets of one set of rows, by whose calls they count. Immutable. */
export class BudgetSet {
  readonly #all = new Map<string, Budget[]>();
  readonly isEmpty: boolean;

  constructor(rows: readonly BudgetRow[]) {
    for (const row of rows) {
      if (!row.enabled) continue;
      const key = keyOf(row.scope, row.allProjects === true ? null : row.projectId, row.scopeId);
      this.#all.set(key, [...(this.#all.get(key) ?? []), new Budget(row)]);
    }
    this.isEmpty = this.#all.size === 0;
  }

  /** Those that pay for a call of this caller at this provider; `provider` null: whatever it is asked of, so without those of providers. */
  of(caller: Caller, provider: string | null): readonly Budget[] {
    const found: Budget[] = [];
    const project = caller.projects[0];
    const add = (scope: BudgetScope, id: string | null | undefined): void => {
      if (id === undefined) return;
      const budgets = this.#all.get(keyOf(scope, project, id));
      if (budgets !== undefined) found.push(...budgets);
      const everywhere = isOfProject(scope) ? this.#all.get(keyOf(scope, null, id)) : undefined;
      if (everywhere !== undefined) found.push(...everywhere);
    };
    add("global", null);
    add("project", project);
    add("key", keyIdOf(caller));
    for (const id of caller.madeFrom ?? NOBODY) add("key", id);
    add("user", caller.userId);
    add("team", caller.teamId);
    add("agent", caller.agentId);
    if (provider !== null) add("provider", provider);
    return found;
  }
}

const NOBODY: readonly string[] = [];

/** Users, teams and agents count in a project, or in all (null); all else, keys too, wherever the budget stands. */
function keyOf(scope: BudgetScope, projectId: string | null, id: string | null): string {
  return isOfProject(scope) ? `${scope} ${projectId ?? "*"} ${id ?? ""}` : `${scope} ${id ?? ""}`;
}

function isOfProject(scope: BudgetScope): boolean {
  return scope === "user" || scope === "team" || scope === "agent";
}

export function keyIdOf(caller: Caller): string | undefined {
  return caller.keyId ?? (caller.kind === "key" ? caller.id : undefined);
}

const sets = new WeakMap<readonly BudgetRow[], BudgetSet>();

/** Compiled once for each set of rows. */
export function budgetSet(rows: readonly BudgetRow[]): BudgetSet {
  let set = sets.get(rows);
  if (set === undefined) sets.set(rows, (set = new BudgetSet(rows)));
  return set;
}

/** Whether a budget may refuse this caller's calls there. */
export function hasHardBudget(records: Records, caller: Caller, provider: string): boolean {
  const rows = records.of(budget);
  return (
    rows.length > 0 &&
    budgetSet(rows)
      .of(caller, provider)
      .some(({ row }) => row.hard)
  );
}

/** At most 64 characters: a budget's id has 28. */
export function windowId({ row }: Budget, { startMs }: Period): string {
  return `${row.id}-${startMs.toString(36)}`;
}
