import { expect, it } from "vitest";
import { keyPool } from "./key-pool.js";

it("answers every call, and asks a refused key at most once", async () => {
  const { statuses, keys } = await keyPool(8);
  expect(statuses).toEqual(Array.from({ length: 8 }, () => 200));
  expect(keys.filter((key) => key === "key-that-was-revoked").length).toBeLessThanOrEqual(1);
});
