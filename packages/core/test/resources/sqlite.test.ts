import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { callerOf, restGateway, type RestGateway } from "./harness.js";

const targets = [{ model: "demo/echo" }];
let folder: string;
let file: string;
const secret = crypto.getRandomValues(new Uint8Array(32));
let rest: RestGateway;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sallyport-rest-"));
  file = join(folder, "rest.db");
  rest = await restGateway([callerOf("owner")], { storage: sqlite(file), secret });
});
afterEach(async () => {
  await rest.gateway.close();
  rmSync(folder, { recursive: true, force: true });
});

it("the resource API keeps its promises on a database: one row of 64 at once, no change lost, a stable list, and all of it after a restart (F12, F13)", async () => {
  const headers = { "idempotency-key": "sqlite-key" };
  const create = () => rest.call("POST", "/api/v1/routes", { body: { name: "once", targets }, headers });
  const answers = await Promise.all(Array.from({ length: 64 }, create));
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]!.status).toBe(201);
  const path = `/api/v1/routes/${String(answers[0]!.body["id"])}`;
  const fields = ["attempt_ms", "first_token_ms", "idle_ms", "total_ms"];
  await Promise.all(fields.map((field, i) => rest.call("PATCH", path, { body: { timeouts: { [field]: i + 1 } } })));
  expect((await rest.call("GET", path)).body["timeouts"]).toEqual({ attempt_ms: 1, first_token_ms: 2, idle_ms: 3, total_ms: 4 });
  const late = await rest.call("PATCH", path, { body: { sticky: "none" }, headers: { "if-match": '"1"' } });
  expect([late.status, late.text.includes('"version":5')]).toEqual([412, true]);

  for (let i = 0; i < 9; i++) await rest.call("POST", "/api/v1/routes", { body: { name: `row-${i}`, targets } });
  const seen: string[] = [];
  let cursor = "";
  do {
    const { body } = await rest.call("GET", `/api/v1/routes?sort=-name&limit=4${cursor}`);
    seen.push(...(body["data"] as { name: string }[]).map(({ name }) => name));
    cursor = body["next_cursor"] === null ? "" : `&cursor=${encodeURIComponent(String(body["next_cursor"]))}`;
  } while (cursor !== "");
  expect(seen).toEqual(["row-8", "row-7", "row-6", "row-5", "row-4", "row-3", "row-2", "row-1", "row-0", "once"]);

  await rest.gateway.close();
  rest = await restGateway([callerOf("owner")], { storage: sqlite(file), secret });
  const again = await create();
  expect([again.text, again.headers.get("idempotency-replayed")]).toEqual([answers[0]!.text, "true"]);
  expect((await rest.call("DELETE", path)).status).toBe(200);
});
