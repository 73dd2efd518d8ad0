import type { Duplex } from "node:stream";
import { GatewayError } from "@sallyport/core/ports";
import type { Answer, Query, SqlValue, Statement, Work } from "@sallyport/sql";
import driver, { type ExecuteValues, type PoolConnection, type FieldPacket, type QueryOptions, type ResultSetHeader } from "mysql2";
import { givenJson } from "../json-text.js";
import { isAnswer, isOrphan, isTaken, unavailable } from "../mysql-errors.js";

type Row = unknown[];
type Fields = readonly (FieldPacket & { readonly extendedFormat?: string })[];
type Callback = (error: Error | null, result: unknown, fields: unknown) => void;

const none: Answer = { rows: [], changes: 0, taken: false, orphan: false };
const taken: Answer = { ...none, taken: true };
const orphan: Answer = { ...none, orphan: true };

const JSON_TYPE = 245;

/** How results are read: rows by position, json as its text, whole numbers as numbers. */
export type Shape = Pick<QueryOptions, "rowsAsArray" | "typeCast" | "nestTables" | "namedPlaceholders">;
/** For connections that were made with `jsonStrings` and `supportBigNumbers`. */
export const ownShape: Shape = { rowsAsArray: true };

/** For the host's connections, whatever their options are: they are not ours to change, and a function here goes before them. */
export const hostShape: Shape = {
  rowsAsArray: true,
  nestTables: false,
  namedPlaceholders: false,
  typeCast: (field, next) => {
    const { type, extendedFormat } = field as { readonly type: string; readonly extendedFormat?: string };
    if (type === "JSON" || extendedFormat === "json") return field.string("utf8");
    const value: unknown = next();
    return type === "LONGLONG" && typeof value === "string" ? Number(value) : value;
  },
};

const limited = new WeakMap<Statement, boolean>();

/**
 * Numbers go as the driver sends them by itself, as doubles, which hold every safe integer exactly. After `limit` MySQL refuses those: such a statement's go as 64 bits, which cost
 * the driver 15 µs each, more than most rows (measured, mysql2 3).
 */
function bind({ statement, parameters }: Query): ExecuteValues {
  let isLimited = limited.get(statement);
  if (isLimited === undefined) limited.set(statement, (isLimited = statement.sql.includes("limit ?")));
  if (!isLimited) return parameters as ExecuteValues;
  return parameters.map((value) => (typeof value === "number" ? driver.TypedParameter.BIGINT(value) : value));
}

const tooSlow = (): GatewayError =>
  unavailable("The database did not answer in time.", {
    outcome: "none",
    hint: "Look whether it runs, can be reached from here, and has time.",
  });

const LONG = 1024 * 1024;
/** What the statement is beside its parameters. */
const SPARE = 64 * 1024;

/** The server would close the connection. */
function assertFits(parameters: readonly SqlValue[], maxPacketBytes: number): void {
  let bytes = SPARE;
  for (const value of parameters)
    if (typeof value === "string") bytes += value.length < LONG / 64 ? value.length * 3 : Buffer.byteLength(value);
  if (bytes <= maxPacketBytes || bytes < LONG) return;
  throw new GatewayError(
    "validation_failed",
    `A row of ${bytes} bytes is larger than the database takes (max_allowed_packet is ${maxPacketBytes}).`,
    {
      hint: "Write less at once, or raise max_allowed_packet on the database.",
      details: { setting: "max_allowed_packet", outcome: "none" },
    },
  );
}

/** The columns of a result that are json; MariaDB says so in what it adds to a column's type. */
function jsonColumns(fields: Fields): readonly number[] {
  return fields.flatMap((field, i) => (field.columnType === JSON_TYPE || field.extendedFormat === "json" ? [i] : []));
}

const columnsByStatement = new WeakMap<Statement, readonly number[]>();

function rowsOf(statement: Statement, rows: readonly Row[], fields: Fields): readonly Row[] {
  let columns = columnsByStatement.get(statement);
  if (columns === undefined) columnsByStatement.set(statement, (columns = jsonColumns(fields)));
  if (columns.length > 0)
    for (const row of rows)
      for (const i of columns) {
        const value = row[i];
        if (typeof value === "string") row[i] = givenJson(value);
      }
  return rows;
}

/** At once: a half-open socket would wait for the other side to agree to the end. */
export function destroy(connection: PoolConnection): void {
  connection.destroy();
  (connection as PoolConnection & { readonly stream: Duplex }).stream.destroy();
}

/**
 * One connection for the length of one work. Asked one query after the other. When its time is over, or when the driver fails in any way but by an answer of the server, the
 * connection is destroyed: nobody knows what it would say next.
 */
export class Session {
  readonly connection: PoolConnection;
  readonly #shape: Shape;
  readonly #maxPacketBytes: number;
  #timer: NodeJS.Timeout | null;
  #fail: ((error: Error) => void) | null = null;
  #broken: Error | null = null;

  constructor(connection: PoolConnection, o: { readonly untilMs: number; readonly shape: Shape; readonly maxPacketBytes: number }) {
    this.connection = connection;
    this.#shape = o.shape;
    this.#maxPacketBytes = o.maxPacketBytes;
    this.#timer = setTimeout(() => this.break(tooSlow()), Math.max(0, o.untilMs - Date.now()));
  }

  get isBroken(): boolean {
    return this.#broken !== null;
  }

  /** Destroys the connection; what waits for an answer fails with the error. */
  break(error: Error): void {
    if (this.#broken !== null) return;
    this.#broken = error;
    this.#stopTimer();
    destroy(this.connection);
    this.#fail?.(error);
  }

  /** The work is done, and another may follow on the connection. */
  end(): void {
    this.#stopTimer();
  }

  /** Back to its pool, unless it broke. */
  release(): void {
    this.end();
    if (this.#broken === null) this.connection.release();
  }

  /** A statement without parameters: those of transactions cannot be prepared. */
  text(sql: string): Promise<unknown> {
    return this.#ask((done) => void this.connection.query({ sql, ...this.#shape }, done)).then(({ result }) => result);
  }

  async run(query: Query): Promise<Answer> {
    const { statement, parameters } = query;
    assertFits(parameters, this.#maxPacketBytes);
    try {
      const options = { sql: statement.sql, ...this.#shape };
      const values = bind(query);
      const { result, fields } = await this.#ask((done) => {
        if (parameters.length === 0) this.connection.query(options, done);
        else this.connection.execute(options, values, done);
      });
      if (!Array.isArray(result)) {
        const { affectedRows, insertId } = result as ResultSetHeader;
        return affectedRows === 0 ? none : { ...none, changes: affectedRows, told: Number(insertId) };
      }
      const rows = rowsOf(statement, result as Row[], fields as Fields);
      return { ...none, rows: statement.gives === "one" ? rows.slice(0, 1) : rows, changes: rows.length };
    } catch (error) {
      if (isTaken(error)) return taken;
      if (isOrphan(error)) return orphan;
      throw error;
    }
  }

  async complete<T>(work: Work<T>): Promise<T> {
    let step = work.next();
    while (step.done !== true) {
      let answer: Answer;
      try {
        answer = await this.run(step.value);
      } catch (error) {
        work.return(undefined as T);
        throw error;
      }
      step = work.next(answer);
    }
    return step.value;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #ask(send: (done: Callback) => void): Promise<{ readonly result: unknown; readonly fields: unknown }> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== null) return reject(this.#broken);
      this.#fail = reject;
      try {
        send((error, result, fields) => {
          this.#fail = null;
          if (error === null) return resolve({ result, fields });
          if (!isAnswer(error)) this.break(error);
          reject(error);
        });
      } catch (error) {
        this.break(error as Error);
        reject(error as Error);
      }
    });
  }
}
