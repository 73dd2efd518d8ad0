import { GatewayError } from "../../errors/index.js";
import { decimalUsd } from "../../util/encoding/decimal-usd.js";
import type { Budget } from "./budget-set.js";
import type { Period } from "./period.js";

/** A hard budget has not enough left. Says which, when it begins anew and who can raise it; not how large it is. */
export function budgetExceeded({ row }: Budget, o: { readonly period: Period; readonly amountNanoUsd: number }): GatewayError {
  const resets = o.period.endMs === null ? null : new Date(o.period.endMs).toISOString();
  const whole = row.period === "total" ? "in all" : `of the ${row.period}`;
  return new GatewayError(
    "budget_exceeded",
    `The budget "${row.name}" (${row.scope}, ${whole}) has less left than the $${decimalUsd(o.amountNanoUsd)} that this call may cost.`,
    {
      hint: `${resets === null ? "It does not begin anew" : `It begins anew at ${resets}`}. Ask for fewer output tokens, or have it raised by somebody who may write budgets (budgets:write).`,
      details: { budget: row.id, scope: row.scope, period: row.period, resets_at: resets },
    },
  );
}

/** Unknown is not zero: a hard budget cannot pay for what has no price. */
export function priceUnknown({ row }: Budget, model: string): GatewayError {
  return new GatewayError(
    "budget_exceeded",
    `The price of "${model}" is not known, and the hard budget "${row.name}" pays for no call whose price it does not know.`,
    {
      hint: 'Name its prices in providers.<name>.models, or set money.unknownPrice to "allow".',
      details: { budget: row.id, scope: row.scope, why: "unknown_price" },
    },
  );
}
