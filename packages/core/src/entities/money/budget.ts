import { z } from "zod";
import { decimalUsd, nanoUsd } from "../../util/encoding/decimal-usd.js";
import { bool, defineEntity, field, int, json, text, type RowType } from "../define-entity.js";

export const budgetScopes = ["global", "project", "key", "user", "team", "agent", "provider"] as const;
/** Whose calls a budget counts. */
export type BudgetScope = (typeof budgetScopes)[number];
export const budgetPeriods = ["day", "week", "month", "total"] as const;
export type BudgetPeriod = (typeof budgetPeriods)[number];

/** No budget is larger: what is left of it, and what is spent beside it, stay safe integers of nano-dollars. */
const MAX_BUDGET_USD = 4_000_000;

const timezone = z
  .string()
  .max(64)
  .refine(isTimezone, "an IANA time zone such as Europe/Berlin")
  .describe("days, weeks and months begin there");

/** Text or a number, kept as the text that says the same. */
const amount = z
  .union([
    z.string().regex(/^\d{1,7}(?:\.\d{1,9})?$/, "dollars as a decimal with at most 9 places, such as 12.50"),
    z.number().min(0).max(MAX_BUDGET_USD).refine(isNano, "dollars as a decimal with at most 9 places, such as 12.50"),
  ])
  .describe("decimal dollars, exact to a nano-dollar")
  .transform((given) => decimalUsd(nanoUsd(given)))
  .pipe(z.string());

/**
 * How much may be spent, by whom and in which time. A budget of a key counts what that key, and every key that was made from it, spends; one of a user, team or agent its calls in every project if it was written by who holds budgets everywhere (`allProjects`), else in the budget's own; `global` and `provider` count those of every project, so only who
 * has all projects may write them. What is spent stands in `budgetWindow`.
 */
export const budget = defineEntity({
  name: "budget",
  table: "budgets",
  kind: "record",
  scope: "projectId",
  watched: true,
  rest: { type: "budget", plural: "budgets", permission: "budgets", verbs: ["list", "get", "create", "update", "delete"] },
  fields: {
    projectId: field(z.string().min(1).max(64), { access: "create-only", column: text(64), filter: true }),
    name: field(z.string().min(1).max(100).default("budget"), { access: "open", column: text(100) }),
    scope: field(z.enum(budgetScopes), { access: "create-only", column: text(16), filter: true }),
    scopeId: field(
      z.string().min(1).max(100).nullable().default(null).describe("the key, user, team, agent, project or provider; null for global"),
      {
        access: "create-only",
        column: text(100),
        filter: true,
      },
    ),
    amountUsd: field(amount, { access: "open", column: text(20) }),
    period: field(z.enum(budgetPeriods), { access: "create-only", column: text(8) }),
    timezone: field(timezone.default("UTC"), { access: "create-only", column: text(64) }),
    hard: field(z.boolean().default(true).describe("calls beyond it are refused; otherwise it only tells of them"), {
      access: "open",
      column: bool,
    }),
    thresholds: field(
      z.array(z.int().min(1).max(1_000)).max(10).default([50, 80, 100]).describe("percent of the amount at which it tells"),
      {
        access: "open",
        column: json,
      },
    ),
    enabled: field(z.boolean().default(true), { access: "open", column: bool }),
    allProjects: field(
      z
        .boolean()
        .nullable()
        .default(null)
        .describe("of a user, team or agent: calls in every project count; left out: if whoever writes it holds budgets everywhere"),
      { access: "create-only", column: bool },
    ),
  },
  indexes: [
    ["projectId", "createdAtMs"],
    ["scope", "scopeId"],
  ],
});
export type BudgetRow = RowType<typeof budget>;

/** One period of one budget, and what of it is left. `leftNanoUsd` is always the limit less what is spent and what is reserved. */
export const budgetWindow = defineEntity({
  name: "budgetWindow",
  table: "budget_windows",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    budgetId: field(z.string().max(64), { access: "server", column: text(64), filter: true }),
    /** Of the budget when its amount was taken over: a newer one brings its own. */
    budgetVersion: field(z.int(), { access: "server", column: int }),
    startMs: field(z.int(), { access: "server", column: int }),
    /** null: it never ends. */
    endMs: field(z.int().nullable(), { access: "server", column: int }),
    limitNanoUsd: field(z.int(), { access: "server", column: int }),
    leftNanoUsd: field(z.int(), { access: "server", column: int }),
    spentNanoUsd: field(z.int(), { access: "server", column: int }),
    reservedNanoUsd: field(z.int(), { access: "server", column: int }),
    /** The highest percentage that was told of; 0: none. */
    firedPercent: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["budgetId", "startMs"]],
});
export type BudgetWindowRow = RowType<typeof budgetWindow>;

function isNano(given: number): boolean {
  try {
    nanoUsd(given);
    return true;
  } catch {
    return false;
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
