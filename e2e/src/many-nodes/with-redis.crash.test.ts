import { hasService, privateMariadb, privateRedis, type PrivateMariadb, type PrivateRedis } from "@sallyport/adapter-kit";
import { afterAll, beforeAll, describe } from "vitest";
import { asOne } from "./as-one.js";

let mariadb: PrivateMariadb;
let redis: PrivateRedis;

// Four programs and two servers of its own: too much for the step that runs files side by side.
describe.runIf(hasService("mariadb") && hasService("redis"))("nodes on one MariaDB and one Redis", () => {
  beforeAll(async () => {
    [mariadb, redis] = await Promise.all([privateMariadb(), privateRedis()]);
  }, 120_000);
  afterAll(() => Promise.all([mariadb?.dispose(), redis?.dispose()]));
  asOne(3, { mariadb: () => mariadb, redis: () => redis.url });
});
