// `node tools/database-sql.mjs` writes docs/reference/database.sql: the tables as a MariaDB has them after the migrations. It starts one of its own, which has to be installed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundled, onMariadb, reviewedMigrations } from "./make-migration.mjs";

const place = join(fileURLToPath(new URL("..", import.meta.url)), "docs/reference/database.sql");
const { mysql } = await bundled("packages/adapters-mysql/src/mysql.ts");
const { databaseSql } = await bundled("packages/adapters-mysql/src/schema-reference.ts");

await onMariadb(async (url) => {
  await mysql(url, { migrations: reviewedMigrations("mysql") }).migrate();
  writeFileSync(place, await databaseSql(url));
});
