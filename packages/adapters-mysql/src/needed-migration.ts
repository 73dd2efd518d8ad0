import { allEntities } from "@sallyport/core/entities";
import { derivedMigration, schemaDrift, type Drift, type Migration, type SqlDialect, type Work } from "@sallyport/sql";
import driver, { type RowDataPacket } from "mysql2";
import { mysqlDialect } from "./dialect.js";
import { mysql } from "./mysql.js";

/** The text that makes every table of an empty database: the first migration, which is made anew as long as nothing is released. */
export function initialMigration(): string {
  return derivedMigration(mysqlDialect(), allEntities).text;
}

/** What differs between the declarations and a database. */
export async function driftOf(url: string, dialect: SqlDialect = mysqlDialect()): Promise<readonly Drift[]> {
  const connection = driver.createConnection(url).promise();
  const answer = async <T>(work: Work<T>): Promise<T> => {
    let step = work.next();
    while (step.done !== true) {
      const { statement, parameters } = step.value;
      const [rows] = await connection.execute<RowDataPacket[]>({ sql: statement.sql, values: [...parameters], rowsAsArray: true });
      step = work.next({ rows: rows as unknown as unknown[][], changes: rows.length, taken: false, orphan: false });
    }
    return step.value;
  };
  try {
    return await answer(schemaDrift(dialect, allEntities));
  } finally {
    await connection.end();
  }
}

/** What the declarations want beyond the migrations given, seen on an empty database: for the tool that prints the next one, and the test that none is missing. */
export async function neededMigration(migrations: readonly Migration[], url: string): Promise<readonly Drift[]> {
  await mysql(url, { migrations }).migrate();
  return driftOf(url);
}
