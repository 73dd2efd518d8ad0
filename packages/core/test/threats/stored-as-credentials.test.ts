import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { expect, it } from "vitest";
import Database from "libsql";
import { Gateway } from "../../src/gateway.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { ownFolder } from "./whole-gateway.js";

it("nothing that stands in the database is a credential: every text of every row, as a key, a cookie and in the address, is refused (T10, T07)", async () => {
  const path = join(ownFolder(), "stored.db");
  const secret = crypto.getRandomValues(new Uint8Array(32));
  const gateway = await createTestGateway({ storage: sqlite(path), secret });
  const ask = async (line: string, headers: Record<string, string>, body?: object) => {
    const [method = "", to = ""] = line.split(" ");
    const init = {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return gateway.fetch(new Request(`http://localhost${to}`, init));
  };
  const owner = { authorization: `Bearer ${TEST_OWNER_KEY}` };
  await ask("POST /api/v1/add/gateway-api-key", { ...owner, "idempotency-key": "one" }, { name: "k" });
  await ask("POST /api/v1/add/user", owner, { username: "ada", password: "correct horse battery", role: "owner" });
  expect((await ask("POST /api/v1/login", {}, { username: "ada", password: "correct horse battery" })).status).toBe(200);
  await ask("POST /api/v1/add/alert-channel", owner, { name: "s", kind: "slack", secret: "https://hooks.example.com/x" });
  await gateway.close({ graceMs: 0 });

  const db = new Database(path);
  const tables = (db.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[]).map(({ name }) => name);
  const texts = new Set<string>();
  for (const table of tables)
    for (const row of db.prepare(`select * from "${table}"`).all() as Record<string, unknown>[])
      for (const value of Object.values(row)) if (typeof value === "string" && /^[\x21-\x7e]{1,8000}$/.test(value)) texts.add(value);
  db.close();
  expect(texts.size).toBeGreaterThan(30);
  const again = await createTestGateway({ storage: sqlite(path), secret: crypto.getRandomValues(new Uint8Array(32)) }).catch(
    (error: unknown) => error,
  );
  // Under another secret it does not even start: what was sealed is not readable.
  expect(again).toMatchObject({ code: "misconfigured" });
  const served = await createTestGateway({ storage: sqlite(path), secret });
  expect((await served.fetch(new Request("http://localhost/v1/models", { headers: owner }))).status).toBe(200);
  for (const text of texts) {
    const shapes: [string, Record<string, string>][] = [
      ["/v1/models", { authorization: `Bearer ${text}` }],
      ["/v1/models", { "x-api-key": text }],
      ["/v1/models", { cookie: `sallyport_session=${text}` }],
      ["/v1/models", { cookie: `__Host-sallyport_session=${text}` }],
      [`/v1beta/models?key=${encodeURIComponent(text)}`, {}],
    ];
    for (const [to, headers] of shapes) {
      const { status } = await served.fetch(new Request(`http://localhost${to}`, { headers }));
      expect([to, Object.keys(headers), status]).toEqual([to, Object.keys(headers), 401]);
    }
  }
  await served.close({ graceMs: 0 });
});

it.each([
  ...[
    "secret",
    "changeme",
    "password",
    "x".repeat(44),
    "A".repeat(44),
    btoa("0".repeat(32)),
    btoa("changemechangemechangemechangeme"),
    btoa("short"),
  ],
  ...[
    btoa("\0".repeat(32)),
    btoa("0123456789abcdef0123456789abcdef"),
    btoa("please-change-this-secret-key-!!"),
    "your-secret-here",
    "<secret>",
    "${SECRET}",
  ],
])("a weak or placeholder secret is refused before anything is opened: %s (T10)", (secret) => {
  expect(() => new Gateway({ env: { SALLYPORT_SECRET: secret }, log: () => undefined })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(invalid_config|misconfigured)$/) }),
  );
});
