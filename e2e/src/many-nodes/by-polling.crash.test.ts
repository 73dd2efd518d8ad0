import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { afterAll, beforeAll, describe } from "vitest";
import { asOne } from "./as-one.js";

let mariadb: PrivateMariadb;

// Beside the killing, since it waits for polls.
describe.runIf(hasService("mariadb"))("nodes on one MariaDB without Redis", () => {
  beforeAll(async () => {
    mariadb = await privateMariadb();
  }, 120_000);
  afterAll(() => mariadb?.dispose());
  asOne(2, { mariadb: () => mariadb, redis: null });
});
