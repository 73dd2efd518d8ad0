import type { Answer, Query, SqlValue, Statement } from "@sallyport/sql";
import type Database from "libsql";
import { isOrphan, isTaken } from "./sqlite-errors.js";
import { fromStored, isEscaped, needsEscape, toStored } from "./stored-text.js";

type Prepared = Database.Statement<[readonly SqlValue[]]>;

const MAX_PREPARED = 1000;
const none: Answer = { rows: [], changes: 0, taken: false, orphan: false };
const taken: Answer = { rows: [], changes: 0, taken: true, orphan: false };
const orphan: Answer = { rows: [], changes: 0, taken: false, orphan: true };

/** The driver ends the process when it is given a value of another type. */
function bind(parameters: readonly SqlValue[]): readonly SqlValue[] {
  let plain = true;
  for (const value of parameters)
    if (typeof value === "string") plain &&= !needsEscape(value);
    else if (value !== null && typeof value !== "number") throw new TypeError(`A SQL parameter is a ${typeof value}.`);
  return plain ? parameters : parameters.map((value) => (typeof value === "string" ? toStored(value) : value));
}

function read(row: readonly unknown[]): readonly unknown[] {
  const plain = row.every((value) => typeof value !== "string" || !isEscaped(value));
  return plain ? row : row.map((value) => (typeof value === "string" ? fromStored(value) : value));
}

/** Runs queries on one connection, each text prepared once. */
export class PreparedStatements {
  readonly #db: Database.Database;
  readonly #prepared = new Map<Statement, Prepared>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  run(query: Query): Answer {
    const { statement } = query;
    const prepared = this.#prepared.get(statement) ?? this.#prepare(statement);
    const parameters = bind(query.parameters);
    try {
      switch (statement.gives) {
        case "nothing": {
          const { changes } = prepared.run(parameters);
          return changes === 0 ? none : { rows: [], changes, taken: false, orphan: false };
        }
        case "one": {
          const row = prepared.get(parameters) as readonly unknown[] | undefined;
          return row === undefined ? none : { rows: [read(row)], changes: 1, taken: false, orphan: false };
        }
        case "many": {
          const rows = prepared.all(parameters) as (readonly unknown[])[];
          return { rows: rows.map(read), changes: rows.length, taken: false, orphan: false };
        }
      }
    } catch (error) {
      // The driver's next use of a statement that failed reports the failure again.
      this.#prepared.delete(statement);
      if (isTaken(error)) return taken;
      if (isOrphan(error)) return orphan;
      throw error;
    }
  }

  forget(): void {
    this.#prepared.clear();
  }

  #prepare(statement: Statement): Prepared {
    if (this.#prepared.size >= MAX_PREPARED) this.#prepared.clear();
    const prepared = this.#db.prepare<[readonly SqlValue[]]>(statement.sql);
    if (statement.gives !== "nothing") prepared.raw(true);
    this.#prepared.set(statement, prepared);
    return prepared;
  }
}
