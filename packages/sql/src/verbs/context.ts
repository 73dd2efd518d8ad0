import type { EncodedInsert, Scope } from "@sallyport/core/ports";
import { Inputs } from "../statements/inputs.js";
import type { Statements } from "../statements/statements.js";

/** A change of a watched row, to be written to the change log by this transaction. */
export interface NotedChange {
  readonly entity: string;
  readonly id: string;
  readonly version: number;
}

/** Rows that were accepted and are not written yet: those of many units go together. */
export interface PendingInserts {
  rows: EncodedInsert[];
  /** How often they were written. */
  flushes: number;
}

/** What every verb works with, for the length of one transaction. */
export interface Context {
  readonly statements: Statements;
  /** The database's clock as an expression, or null for the process's. */
  readonly clock: string | null;
  readonly nowMs: number;
  /** Written before the verb ends, in a few statements. */
  readonly noted: NotedChange[];
  /** Whether what may have to be taken back is marked beforehand; otherwise all is begun again when it has to. */
  readonly marks: boolean;
  /** null: each row is written by itself. */
  readonly pending: PendingInserts | null;
}
/** A unit's writes also have its scope. */
export interface UnitContext extends Context {
  readonly scope: Scope;
}

export const begin = (statements: Statements, nowMs: number, marks = true): Context => ({
  statements,
  clock: statements.dialect.clock,
  nowMs,
  noted: [],
  marks,
  pending: marks ? null : { rows: [], flushes: 0 },
});
export const inputsOf = (c: Context): Inputs => new Inputs(c.nowMs, c.clock);
