import { hasService, privateMariadb, privateRedis, type PrivateMariadb, type PrivateRedis } from "@sallyport/adapter-kit";
import { afterAll } from "vitest";
import { mariadbPlace, sqlitePlace, type Place } from "./places.js";

/** A kind of place that processes can meet at. */
export interface EveryPlace {
  readonly name: string;
  open(): Promise<Place>;
}

// The servers of one test file, started by the first that wants them; each test has a database of its own.
let mariadb: Promise<PrivateMariadb> | null = null;
let redis: Promise<PrivateRedis> | null = null;
afterAll(async () => {
  await (await mariadb)?.dispose();
  await (await redis)?.dispose();
}, 60_000);
const sharedMariadb = (): Promise<PrivateMariadb> => (mariadb ??= privateMariadb());
const sharedRedis = (): Promise<PrivateRedis> => (redis ??= privateRedis());

export const onSqlite: EveryPlace = { name: "SQLite", open: () => Promise.resolve(sqlitePlace()) };
/** Without a Redis: what is due is found by polling. */
const mariadbAlone: EveryPlace = { name: "MariaDB", open: async () => mariadbPlace(await sharedMariadb(), null) };
const mariadbAndRedis: EveryPlace = {
  name: "MariaDB and Redis",
  open: async () => mariadbPlace(await sharedMariadb(), await sharedRedis()),
};

/** None where it is not installed. */
export const onMariadb: readonly EveryPlace[] = hasService("mariadb") ? [mariadbAlone] : [];
export const onBoth: readonly EveryPlace[] = hasService("mariadb") && hasService("redis") ? [mariadbAndRedis] : [];
