import type { Scope } from "@sallyport/core/ports";
import { Inputs } from "../statements/inputs.js";
import type { Statements } from "../statements/statements.js";

/** What every verb works with, for the length of one transaction. */
export interface Context {
  readonly statements: Statements;
  /** The database's clock as an expression, or null for the process's. */
  readonly clock: string | null;
  readonly nowMs: number;
}
/** A unit's writes also have its scope. */
export interface UnitContext extends Context {
  readonly scope: Scope;
}

export const begin = (statements: Statements, nowMs: number): Context => ({ statements, clock: statements.dialect.clock, nowMs });
export const inputsOf = (c: Context): Inputs => new Inputs(c.nowMs, c.clock);
