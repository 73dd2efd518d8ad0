import driver, { type RowDataPacket } from "mysql2";

const HEAD = `-- Every table of Sallyport 0.1 as a migrated MySQL or MariaDB has it. Made by tools/database-sql.mjs; read it, do not run it: \`sallyport migrate\` makes the tables.
-- Instants are Unix ms, booleans 0 or 1, sums of money nano-US-dollars. Text is utf8mb4 and compares by code point; tables are InnoDB.
`;

/** The tables of a database as statements, without what differs from server to server and from one day to the next. */
export async function databaseSql(url: string): Promise<string> {
  const connection = driver.createConnection(url).promise();
  const ask = async (sql: string): Promise<string[][]> =>
    (await connection.query<RowDataPacket[]>({ sql, rowsAsArray: true }))[0] as unknown as string[][];
  try {
    const tables = await ask("select table_name from information_schema.tables where table_schema = database()");
    const names = tables.map(([name]) => name as string).sort();
    const texts: string[] = [];
    for (const table of names) texts.push(normalised((await ask(`show create table \`${table}\``))[0]?.[1] as string));
    return `${HEAD}\n${texts.map((text) => `${text};\n`).join("\n")}`;
  } finally {
    await connection.end();
  }
}

function normalised(text: string): string {
  const lines = text.split("\n").map((line) =>
    line
      // MariaDB's json is a longtext with a check.
      .replace(/longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin(.*?) CHECK \(json_valid\(`\w+`\)\)/, "json$1")
      .replace(/\bbigint\(\d+\)/, "bigint")
      .replace(/ CHARACTER SET utf8mb4\b| COLLATE utf8mb4_(?:nopad_bin|0900_bin)\b/g, "")
      .replace(/^\).*$/, ")"),
  );
  return lines.join("\n");
}
