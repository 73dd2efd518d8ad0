import { hasService, kitEntities, privateMariadb, recordStoreContract, type StoreSubject } from "@sallyport/adapter-kit";
import { derivedMigration } from "@sallyport/sql";
import driver from "mysql2";
import { afterAll, beforeAll, describe, test } from "vitest";
import { mysqlDialect } from "./dialect.js";
import { mysql, type MysqlOptions } from "./mysql.js";

/** A server, and an empty database on it. */
interface Server {
  readonly url: string;
  dispose(): Promise<void>;
}

async function ourMariadb(): Promise<Server> {
  const db = await privateMariadb({ settings: ["--innodb-flush-log-at-trx-commit=0"] });
  return { url: db.url(await db.database()), dispose: () => db.dispose() };
}

/** A server that was given: a database of it is made and dropped. */
async function givenMysql(given: string): Promise<Server> {
  const url = new URL(given);
  url.pathname = "";
  const admin = driver.createConnection({ uri: url.href, multipleStatements: true }).promise();
  const name = `sallyport_kit_${process.pid}`;
  await admin.query(`drop database if exists ${name}; create database ${name}`);
  url.pathname = name;
  return {
    url: url.href,
    dispose: async () => {
      await admin.query(`drop database ${name}`);
      await admin.end();
    },
  };
}

const migrations = [derivedMigration(mysqlDialect(), kitEntities)];
/** Emptied between cases: tables take longer to make than most cases to run. */
const tables = [...kitEntities.map(({ table }) => table).reverse(), "sallyport_changes", "sallyport_log_heads"];

function contract(start: () => Promise<Server>, tablePrefix = ""): void {
  let server: Server;
  let admin: driver.Pool;
  const options: MysqlOptions = { migrations, tablePrefix };
  beforeAll(async () => {
    server = await start();
    admin = driver.createPool({ uri: server.url, connectionLimit: 1, multipleStatements: true });
    await mysql(server.url, options).migrate();
    await (await mysql(server.url, { ...options, migrate: "check" }).open({ entities: kitEntities })).close();
  });
  afterAll(async () => {
    await admin.promise().end();
    await server.dispose();
  });

  recordStoreContract({
    test,
    make: async () => {
      await admin.promise().query(tables.map((table) => `delete from ${tablePrefix}${table};`).join(" "));
      const adapter = mysql(server.url, { ...options, migrate: "off" });
      const store = await adapter.open({ entities: kitEntities });
      const subject: StoreSubject = { store, another: () => adapter.open({ entities: kitEntities }) };
      return { subject, dispose: () => store.close() };
    },
  });
}

describe.skipIf(!hasService("mariadb"))("the record store in MariaDB, its tables with a prefix, with a second pool to it", () => {
  contract(ourMariadb, "ai_");
});

// A MySQL that is there already: mysql://user:password@host:3306, a user that may create databases.
const given = process.env["SALLYPORT_TEST_MYSQL_URL"];
describe.skipIf(given === undefined)("the record store in the MySQL of SALLYPORT_TEST_MYSQL_URL", () => {
  contract(() => givenMysql(given as string));
});
