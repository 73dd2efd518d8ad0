import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { auditEntry, idempotencyKey, route } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { clock } from "../../src/platform/node.js";
import { insert, update, type RecordStore } from "../../src/ports/index.js";
import { callerOf, codeOf, restGateway, type Called, type RestGateway } from "./harness.js";

const targets = [{ model: "demo/echo" }];
const system = { system: "test" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
let store: RecordStore;
let rest: RestGateway;
let call: RestGateway["call"];
beforeEach(async () => {
  store = memoryStore({ clock });
  const callers = [callerOf("owner"), callerOf("reader", { grants: ["routing:read"] }), callerOf("nothing", { grants: [] })];
  const storage = { name: "shared", open: () => Promise.resolve(store) };
  rest = await restGateway(callers, { routes: { fixed: { targets } }, storage });
  call = rest.call;
});
afterEach(() => rest.gateway.close());

const create = (name: string, more: object = {}): Promise<Called> => call("POST", "/api/v1/routes", { body: { name, targets, ...more } });
const pathOf = ({ body }: Called): string => `/api/v1/routes/${String(body["id"])}`;
const audited = async () => (await store.find(auditEntry, { orderBy: "atMs", limit: 1_000 }, system, within)).rows;

describe("routes over HTTP, derived from their declaration", () => {
  it("are created with their defaults, read with an ETag, and count for the next call", async () => {
    const made = await create("first", { hedge_after_ms: 5_000 });
    expect(made.status).toBe(201);
    expect(made.headers.get("location")).toBe(pathOf(made));
    expect(made.body).toMatchObject({
      name: "first",
      strategy: "fallback",
      hedge_after_ms: 5_000,
      retries: { base_ms: 250 },
      canary: null,
    });
    const read = await call("GET", pathOf(made));
    expect([read.status, read.headers.get("etag")]).toEqual([200, '"1"']);
    expect(read.body).toEqual(made.body);
    expect((await rest.gateway.run({ model: "route/first", input: "hello" })).text).toBe("hello");
    const unchanged = await call("GET", pathOf(made), { headers: { "if-none-match": '"1"' } });
    expect([unchanged.status, unchanged.text]).toEqual([304, ""]);
  });

  it("answer the generic paths from the same data", async () => {
    const added = await call("POST", "/api/v1/add/route", { body: { name: "generic", targets } });
    expect(added.status).toBe(201);
    const id = String(added.body["id"]);
    expect((await call("PATCH", `/api/v1/update/route/${id}`, { body: { sticky: "none" } })).body).toMatchObject({
      sticky: "none",
      version: 2,
    });
    expect((await call("PUT", `/api/v1/update/route/${id}`, { body: { targets } })).body).toMatchObject({ sticky: "prefix", version: 3 });
    const listed = (await call("GET", "/api/v1/list/routes?limit=100")).body["data"] as { id: string }[];
    expect(listed.map((row) => row.id)).toContain(id);
    expect((await call("DELETE", `/api/v1/del/route/${id}`)).body).toEqual({ id, deleted: true });
    expect(codeOf(await call("DELETE", `/api/v1/del/route/${id}`))).toBe("not_found");
  });

  it("say which type there is not, and which was meant", async () => {
    const wrong = [
      await call("GET", "/api/v1/list/route"),
      await call("POST", "/api/v1/add/rout", { body: {} }),
      await call("PATCH", "/api/v1/update/nothing/x", { body: {} }),
      await call("PUT", "/api/v1/update/nothing/x", { body: {} }),
      await call("DELETE", "/api/v1/del/nothing/x"),
    ];
    for (const answer of wrong) expect([answer.status, codeOf(answer)]).toEqual([404, "unknown_resource_type"]);
    expect(wrong[1]!.text).toContain("Did you mean route?");
    expect(codeOf(await call("GET", "/api/v1/list/route", { as: "" }))).toBe("unauthenticated");
  });

  it("are changed by a merge-patch that resets nothing it does not name (RFC 7396)", async () => {
    const made = await create("patched", {
      sticky: "session",
      retries: { max: 3, base_ms: 100 },
      timeouts: { attempt_ms: 10, total_ms: 20 },
    });
    const patch = { timeouts: { attempt_ms: null, idle_ms: 5 }, retries: { max: 1 } };
    const { body } = await call("PATCH", pathOf(made), { body: patch });
    expect(body).toMatchObject({
      sticky: "session",
      timeouts: { total_ms: 20, idle_ms: 5 },
      retries: { max: 1, base_ms: 100, max_ms: 8_000 },
    });
    expect(body["timeouts"]).not.toHaveProperty("attempt_ms");
    expect((await call("PATCH", pathOf(made), { body: {} })).body).toEqual(body);
    // null gives a default back; what has none and must be there cannot go.
    expect((await call("PATCH", pathOf(made), { body: { sticky: null } })).body).toMatchObject({ sticky: "prefix" });
    expect(codeOf(await call("PATCH", pathOf(made), { body: { targets: null } }))).toBe("validation_failed");
  });

  it("are replaced whole by PUT: what is left out has its default again", async () => {
    const made = await create("replaced", { sticky: "session", context_overflow: "demo/echo" });
    const put = await call("PUT", pathOf(made), { body: { name: "replaced", targets, strategy: "cost" } });
    expect(put.body).toMatchObject({ strategy: "cost", sticky: "prefix", context_overflow: null });
    expect(codeOf(await call("PUT", pathOf(made), { body: { strategy: "cost" } }))).toBe("validation_failed");
    const renamed = await call("PUT", pathOf(made), { body: { name: "other", targets } });
    expect(renamed.text).toContain("name: is set once");
  });

  it("are changed only while they have the version that the caller knows", async () => {
    const made = await create("versions");
    const path = pathOf(made);
    expect((await call("PATCH", path, { body: { sticky: "none" }, headers: { "if-match": '"1"' } })).headers.get("etag")).toBe('"2"');
    const late = await call("PATCH", path, { body: { sticky: "session" }, headers: { "if-match": '"1"' } });
    expect([late.status, codeOf(late)]).toEqual([412, "precondition_failed"]);
    expect(late.text).toContain('"version":2');
    for (const refused of [
      await call("PATCH", path, { body: { sticky: "session", if_version: 1 } }),
      await call("PUT", `${path}?if_version=1`, { body: { targets } }),
      await call("DELETE", `${path}?if_version=1`),
    ])
      expect([refused.status, codeOf(refused), refused.text.includes('"version":2')]).toEqual([409, "conflict", true]);
    expect(codeOf(await call("DELETE", path, { headers: { "if-match": "2" } }))).toBe("validation_failed");
    expect((await call("DELETE", path, { headers: { "if-match": '"2"' } })).status).toBe(200);
  });

  it("lose nothing to 16 patches at once that expect no version", async () => {
    const made = await create("racing");
    const fields = ["attempt_ms", "first_token_ms", "idle_ms", "total_ms"];
    const patches = fields.map((field, i) => call("PATCH", pathOf(made), { body: { timeouts: { [field]: i + 1 } } }));
    expect((await Promise.all(patches)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await call("GET", pathOf(made))).body["timeouts"]).toEqual({ attempt_ms: 1, first_token_ms: 2, idle_ms: 3, total_ms: 4 });
  });

  it("take only fields that people set (T43, ASVS 15.3.3)", async () => {
    const bodies: [unknown, string][] = [
      [{ name: "mass", targets, id: "mine" }, "validation_failed"],
      [{ name: "mass", targets, version: 7 }, "validation_failed"],
      [{ name: "mass", targets, created_at_ms: 1 }, "validation_failed"],
      [{ name: "mass", targets, origin: "code" }, "validation_failed"],
      [{ name: "mass", targets, hedgeAfterMs: 5 }, "validation_failed"],
      [{ name: "mass", targets, timeouts: { attemptMs: 5 } }, "validation_failed"],
      ['{"name":"mass","name":"mess","targets":[{"model":"demo/echo"}]}', "invalid_json"],
      ['{"name":"mass","targets":[{"model":"demo/echo"}],"__proto__":{"sticky":"none"}}', "validation_failed"],
      ['{"name":"mass","targets":[{"model":"demo/echo","__proto__":{"weight":1}}]}', "validation_failed"],
      ['{"name":"mass","targets":[{"model":"demo/echo"}],"constructor":{"prototype":{}}}', "validation_failed"],
      [[], "validation_failed"],
      ["null", "validation_failed"],
    ];
    for (const [body, code] of bodies) expect([body, codeOf(await call("POST", "/api/v1/routes", { body }))]).toEqual([body, code]);
    const made = await create("mass");
    expect(codeOf(await call("PATCH", pathOf(made), { body: { name: "renamed" } }))).toBe("validation_failed");
    expect(codeOf(await call("PATCH", pathOf(made), { body: { version: 9 } }))).toBe("validation_failed");
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  it("of the configuration are shown and not changed", async () => {
    const { body } = await call("GET", "/api/v1/routes/configured.fixed");
    expect(body).toMatchObject({ name: "fixed", origin: "configuration", version: null });
    for (const refused of [
      await call("PATCH", "/api/v1/routes/configured.fixed", { body: { sticky: "none" } }),
      await call("DELETE", "/api/v1/routes/configured.fixed"),
    ])
      expect([refused.status, refused.text.includes("is of the configuration")]).toEqual([403, true]);
    expect(codeOf(await create("fixed"))).toBe("conflict");
    expect(codeOf(await create("broken", { targets: [{ model: "nobody/knows" }] }))).toBe("validation_failed");
  });

  it("write who changed what into the audit, and nothing for what was refused", async () => {
    const before = (await audited()).length;
    const made = await create("audited");
    await call("PATCH", pathOf(made), { body: { sticky: "none" } });
    await create("audited");
    await call("DELETE", pathOf(made));
    const rows = (await audited()).slice(before);
    expect(rows.map(({ action, callerId, target }) => [action, callerId, target])).toEqual(
      ["route.create", "route.update", "route.delete"].map((action) => [action, "owner", made.body["id"]]),
    );
  });

  it("are read by who may read them, and changed by nobody else", async () => {
    const made = await create("guarded");
    expect((await call("GET", pathOf(made), { as: "reader" })).status).toBe(200);
    for (const [method, path, as] of [
      ["DELETE", pathOf(made), "reader"],
      ["POST", "/api/v1/routes", "reader"],
      ["POST", "/api/v1/routes/bulk", "reader"],
      ["GET", "/api/v1/routes", "nothing"],
    ] as const)
      expect(codeOf(await call(method, path, { as }))).toBe("forbidden");
    expect(codeOf(await call("GET", "/api/v1/routes", { as: "" }))).toBe("unauthenticated");
  });

  it("are changed many at once, each for itself", async () => {
    const [a, b] = [await create("bulk-a"), await create("bulk-b")];
    const { status, body } = await call("POST", "/api/v1/routes/bulk", {
      body: [
        { op: "update", id: a.body["id"], if_version: 1, patch: { sticky: "none" } },
        { op: "update", id: a.body["id"], if_version: 1, patch: { sticky: "session" } },
        { op: "delete", id: b.body["id"] },
        { op: "delete", id: "route_nobody" },
      ],
    });
    expect(status).toBe(200);
    const items = body["data"] as { status: number; error: { code: string } | null }[];
    expect(items.map((item) => [item.status, item.error?.code ?? null])).toEqual([
      [200, null],
      [409, "conflict"],
      [200, null],
      [404, "not_found"],
    ]);
    expect((await call("GET", pathOf(a))).body).toMatchObject({ sticky: "none", version: 2 });
    expect(codeOf(await call("POST", "/api/v1/routes/bulk", { body: [{ op: "drop", id: "x" }] }))).toBe("validation_failed");
  });
});

describe("creations with an Idempotency-Key", () => {
  const keyed = (name: string, key: string, as = "owner") =>
    call("POST", "/api/v1/routes", { as, body: { name, targets }, headers: { "idempotency-key": key } });

  it("of 64 at once make one row and give every caller the same answer (F12)", async () => {
    const answers = await Promise.all(Array.from({ length: 64 }, () => keyed("once", "key-once")));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
    const rows = (await call("GET", "/api/v1/routes?name=once")).body["data"] as unknown[];
    expect(rows).toHaveLength(1);
    const made = (await audited()).filter(({ action, target }) => action === "route.create" && target === answers[0]!.body["id"]);
    expect(made).toHaveLength(1);
  });

  it("refuse the key for another payload, and keep the first (F13)", async () => {
    const first = await keyed("payload", "key-payload");
    const other = await keyed("another", "key-payload");
    expect([other.status, codeOf(other)]).toEqual([409, "idempotency_key_reuse"]);
    await call("PATCH", pathOf(first), { body: { sticky: "none" } });
    expect((await keyed("payload", "key-payload")).text).toBe(first.text);
    await call("DELETE", pathOf(first));
    expect((await keyed("payload", "key-payload")).body).toMatchObject({ id: first.body["id"] });
  });

  it("are answered as before also when they would be refused now", async () => {
    const provider = { name: "passing", vendor: "openai-compatible", base_url: "https://models.example.com/v1" };
    const made = await call("POST", "/api/v1/providers", { body: provider });
    expect([made.status, made.text]).toEqual([201, made.text]);
    const asked = { body: { name: "passing", targets: [{ model: "passing/one" }] }, headers: { "idempotency-key": "key-passing" } };
    const first = await call("POST", "/api/v1/routes", asked);
    expect([first.status, first.text]).toEqual([201, first.text]);
    expect((await call("DELETE", `/api/v1/providers/${String(made.body["id"])}`)).status).toBe(200);
    expect(codeOf(await call("POST", "/api/v1/routes", { body: { ...asked.body, name: "passing-2" } }))).toBe("validation_failed");
    expect((await call("POST", "/api/v1/routes", asked)).text).toBe(first.text);
  });

  it("begin anew when a day has passed", async () => {
    await keyed("old", "key-old");
    const { rows } = await store.find(idempotencyKey, { where: { key: "key-old" }, orderBy: "key", limit: 1 }, system, within);
    await store.commit([{ scope: system, writes: [update(idempotencyKey, rows[0]!.id, { change: { set: { expiresAtMs: 1 } } })] }], within);
    expect((await keyed("new", "key-old")).status).toBe(201);
  });
});

describe("lists and exports", () => {
  const names = Array.from({ length: 25 }, (_, i) => `page-${String(i).padStart(2, "0")}`);
  beforeEach(async () => {
    for (const name of names) await create(name);
  });

  it("come page by page, every row once, in the order asked for", async () => {
    for (const sort of ["name", "-name"]) {
      const seen: string[] = [];
      let cursor = "";
      do {
        const { body } = await call("GET", `/api/v1/routes?sort=${sort}&limit=7${cursor}`);
        const data = body["data"] as { name: string }[];
        expect(data.length).toBeLessThanOrEqual(7);
        seen.push(...data.map(({ name }) => name));
        cursor = body["next_cursor"] === null ? "" : `&cursor=${encodeURIComponent(String(body["next_cursor"]))}`;
      } while (cursor !== "");
      const stored = seen.filter((name) => name !== "fixed");
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen[0]).toBe("fixed");
      expect(stored).toEqual([...stored].sort((a, b) => (sort === "name" ? 1 : -1) * (a < b ? -1 : 1)));
      expect(stored).toEqual(expect.arrayContaining(names));
    }
  });

  it("refuse what there is no index for, and a cursor of another list", async () => {
    for (const query of ["sort=sticky", "sticky=none", "limit=0", "limit=101", "format=xml", "name=a&name=b", "cursor=nonsense"])
      expect([query, (await call("GET", `/api/v1/routes?${query}`)).status]).toEqual([query, 400]);
  });

  it("are one file with every page, as CSV that no spreadsheet runs, and as JSON", async () => {
    const asked = await call("GET", "/api/v1/routes", { headers: { accept: "text/csv" } });
    expect(asked.headers.get("content-type")).toContain("text/csv");
    expect(asked.headers.get("content-disposition")).toBe('attachment; filename="routes.csv"');
    const lines = asked.text.trim().split("\r\n");
    expect(lines[0]).toMatch(/^id,name,strategy,/);
    expect((await call("GET", "/api/v1/routes?format=csv")).text).toBe(asked.text);
    const all = JSON.parse((await call("GET", "/api/v1/list/routes?format=json")).text) as { name: string }[];
    expect(all).toHaveLength(lines.length - 1);
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
  });

  it("have every row, however many pages that takes", async () => {
    const { rows } = await store.find(route, { where: { name: "page-00" }, orderBy: "name", limit: 1 }, system, within);
    const { version: _v, createdAtMs: _c, updatedAtMs: _u, ...like } = rows[0]!;
    const writes = Array.from({ length: 1_100 }, (_, i) => insert(route, { ...like, id: `many_${i}`, name: `many-${i}` }));
    await store.commit([{ scope: system, writes }], within);
    const exported = (await call("GET", "/api/v1/routes?format=csv")).text.trim().split("\r\n").slice(1);
    expect(new Set(exported.map((line) => line.split(",")[0])).size).toBe(exported.length);
    expect(exported.filter((line) => line.startsWith("many_"))).toHaveLength(1_100);
  });
});
