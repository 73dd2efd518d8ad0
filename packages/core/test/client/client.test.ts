import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { createClient, GatewayError, type Client } from "../../src/client/index.js";
import { resourcePaths } from "../../src/client/resource-rows.js";
import type { Gateway } from "../../src/gateway.js";
import { serve } from "../../src/node/index.js";
import { resources } from "../../src/routes/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

const targets = [{ model: "demo/echo" }];
let gateway: Gateway;
let server: Awaited<ReturnType<typeof serve>>;
let client: Client;
let baseUrl: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await serve(gateway, { port: 0 });
  baseUrl = server.url;
  client = createClient({ baseUrl, key: TEST_OWNER_KEY });
});
afterAll(async () => {
  await server.close();
  await gateway.close();
});

async function refusal(promise: Promise<unknown>): Promise<GatewayError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!GatewayError.is(error)) throw new Error(`no GatewayError: ${String(error)}`);
  return error;
}

describe("the client, against a served gateway", () => {
  it("creates, reads, changes, replaces and deletes rows, typed from their declaration", async () => {
    const made = await client.routes.create({ name: "typed", targets, timeouts: { attempt_ms: 100 } });
    expectTypeOf(made.hedge_after_ms).toEqualTypeOf<number | null>();
    expect(made).toMatchObject({ name: "typed", version: 1, origin: "database", strategy: "fallback" });
    expect(await client.routes.get(made.id)).toEqual(made);
    const patched = await client.routes.update(made.id, { timeouts: { total_ms: 200 } }, { ifVersion: 1 });
    expect(patched).toMatchObject({ version: 2, timeouts: { attempt_ms: 100, total_ms: 200 } });
    expect(await client.routes.replace(made.id, { name: "typed", targets })).toMatchObject({ version: 3, timeouts: {} });
    expect(await client.routes.delete(made.id)).toEqual({ id: made.id, deleted: true });
  });

  it("throws what the gateway answered, with its code, status, details and request id", async () => {
    const missing = await refusal(client.routes.get("route_nobody"));
    expect([missing.code, missing.status]).toEqual(["not_found", 404]);
    expect(missing.requestId).toMatch(/^req_/);
    const made = await client.routes.create({ name: "versions", targets });
    await client.routes.update(made.id, { sticky: "none" });
    const late = await refusal(client.routes.update(made.id, { sticky: "session" }, { ifVersion: 1 }));
    expect([late.code, late.status, late.details]).toEqual(["precondition_failed", 412, { version: 2 }]);
    expect((await refusal(createClient({ baseUrl, key: "spk_wrong" }).routes.list())).code).toBe("unauthenticated");
    expect((await refusal(createClient({ baseUrl: "http://127.0.0.1:1" }).routes.list())).code).toBe("upstream_unavailable");
    expect((await refusal(client.resource("nothing").list())).code).toBe("not_found");
  });

  it("keeps a code that it does not know, and stays in its own table", async () => {
    const answer = () =>
      Promise.resolve(Response.json({ error: { code: "of_tomorrow", message: "new", request_id: "req_1" } }, { status: 418 }));
    const error = await refusal(createClient({ baseUrl, fetch: answer }).routes.list());
    expect([error.code, error.details]).toEqual(["bad_request", { status: 418, code: "of_tomorrow" }]);
  });

  it("repeats a creation by its idempotency key", async () => {
    const [a, b] = await Promise.all([1, 2].map(() => client.routes.create({ name: "once", targets }, { idempotencyKey: "client-key" })));
    expect(a).toEqual(b);
    expect((await refusal(client.routes.create({ name: "twice", targets }, { idempotencyKey: "client-key" }))).code).toBe(
      "idempotency_key_reuse",
    );
  });

  it("goes through all pages, and changes many rows at once", async () => {
    for (let i = 0; i < 7; i++) await client.routes.create({ name: `page-${i}`, targets });
    const names: string[] = [];
    for await (const row of client.routes.all({ limit: 2, sort: "name" })) names.push(row.name);
    expect(names).toEqual([...names].sort());
    expect(names.filter((name) => name.startsWith("page-"))).toHaveLength(7);
    const found = await client.routes.list({ where: { name: "page-3" } });
    const id = found.data[0]!.id;
    const done = await client.routes.bulk([
      { op: "update", id, patch: { sticky: "none" } },
      { op: "delete", id },
      { op: "delete", id },
    ]);
    expect(done.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(await (await client.routes.export("csv")).text()).toMatch(/^id,name,/);
  });

  it("starts a run and reads its events to the end, each once", async () => {
    const { id } = await client.runs.create({ body: { model: "demo/echo", input: "hello there" } });
    const seen: number[] = [];
    let last = "";
    for await (const event of client.runs.events(id)) {
      seen.push(event.seq);
      last = event.type;
    }
    expect(last).toBe("run.succeeded");
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    const run = await client.runs.get({ params: { id } });
    expectTypeOf(run.text).toEqualTypeOf<string | null>();
    expect(run.text).toBe("hello there");
    expect((await client.runs.list({})).data.map((row) => row.id)).toContain(id);
  });

  it("takes a stream of events up again where it broke off", async () => {
    const { id } = await client.runs.create({ body: { model: "demo/echo", input: "over two connections" } });
    let connections = 0;
    const starts: string[] = [];
    const breaking: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const after = new URL(String(input)).searchParams.get("after");
      if (after !== null) starts.push(after);
      if (after === null || ++connections > 1) return response;
      const text = await response.text();
      const cut = text.indexOf("\n\n", text.indexOf("\n\n") + 2) + 2;
      let pulls = 0;
      const half = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            if (pulls++ === 0) controller.enqueue(new TextEncoder().encode(text.slice(0, cut + 5)));
            else controller.error(new TypeError("terminated"));
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(half, { headers: response.headers });
    };
    const seen: number[] = [];
    for await (const { seq } of createClient({ baseUrl, key: () => TEST_OWNER_KEY, fetch: breaking }).runs.events(id)) seen.push(seq);
    expect(connections).toBe(2);
    expect(starts).toEqual(["0", "2"]);
    expect(seen).toEqual(seen.map((_, i) => i + 1));
    expect(seen.length).toBeGreaterThan(3);
  });

  it("makes sessions, talks in them, reads, branches, exports and deletes them", async () => {
    const { sessions, chat } = client;
    const made = await sessions.create({ title: "Trip", model: "demo/echo", messages: [{ role: "user", content: "one" }] });
    expectTypeOf(made.last_seq).toEqualTypeOf<number>();
    const { id } = made;
    expect(await sessions.append(id, "two", { ifLast: 1, idempotencyKey: "append-once" })).toEqual({ first_seq: 2, last_seq: 2 });
    expect(await sessions.append(id, "two", { ifLast: 1, idempotencyKey: "append-once" })).toEqual({ first_seq: 2, last_seq: 2 });
    expect((await refusal(sessions.append(id, [{ role: "user", content: "late" }], { ifLast: 1 }))).code).toBe("conflict");
    const asked = { query: { session: id }, body: { user_message: "three" }, idempotencyKey: "turn-once" };
    const answer = await chat.send(asked);
    expectTypeOf(answer.message.content).toEqualTypeOf<string>();
    expect(answer).toMatchObject({ session_id: id, operation: "conversation", message: { content: "three" } });
    expect(await chat.send(asked)).toEqual(answer);
    expect((await refusal(chat.send({ ...asked, body: { user_message: "else" } }))).code).toBe("idempotency_key_reuse");
    const seqs: number[] = [];
    for await (const { seq } of sessions.allMessages(id, { limit: 3 })) seqs.push(seq);
    expect(seqs).toEqual([1, 2, 3, 4]);
    expect(await sessions.messages(id, { last: true, limit: 1 })).toMatchObject({
      data: [{ seq: 4, run_id: answer.run_id }],
      next_after: null,
    });
    const branch = await sessions.branch(id, { atSeq: 2, title: "Another" });
    expect(branch).toMatchObject({ parent_id: id, message_count: 2, title: "Another" });
    expect(await (await sessions.exportOne(branch.id, "markdown")).text()).toContain("## 2. user");
    const { version } = await sessions.get(id);
    expect(await sessions.update(id, { title: "Journey" }, { ifVersion: version! })).toMatchObject({ title: "Journey" });
    expect((await refusal(sessions.update(id, { title: "No" }, { ifVersion: version! }))).code).toBe("precondition_failed");
    expect((await sessions.list({ limit: 100 })).data.map((row) => row.id)).toEqual(expect.arrayContaining([id, branch.id]));
    for (const one of [id, branch.id]) expect(await sessions.delete(one)).toEqual({ id: one, deleted: true });
    expect((await refusal(sessions.messages(id))).code).toBe("not_found");
  });

  it("reads the events of a turn to its end, also when the first connection breaks", async () => {
    const starts: string[] = [];
    const breaking: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const url = new URL(String(input));
      starts.push(`${init?.method} ${url.pathname.replace(/run_\w+/, "{id}")}`);
      if (!url.pathname.endsWith("/chat")) return response;
      const text = await response.text();
      return new Response(text.slice(0, text.indexOf("\n\n") + 2 + 5), { headers: response.headers });
    };
    const seen: { seq: number; type: string }[] = [];
    const turn = { query: { model: "demo/echo" }, body: { user_message: "hello there" } };
    for await (const event of createClient({ baseUrl, key: TEST_OWNER_KEY, fetch: breaking }).chat.events(turn)) seen.push(event);
    expect(starts).toEqual(["POST /api/v1/chat", "GET /api/v1/runs/{id}/events"]);
    expect(seen.map(({ seq }) => seq)).toEqual(seen.map((_, i) => i + 1));
    expect(seen.at(-1)?.type).toBe("run.succeeded");
  });

  it("makes a key that is shown once, and works with it", async () => {
    const made = await client.keys.create(
      { name: "of the client", scopes: ["models:demo/*", "routing:read"] },
      { idempotencyKey: "key-once" },
    );
    expectTypeOf(made.key).toEqualTypeOf<string | undefined>();
    const narrow = createClient({ baseUrl, key: made.key ?? "" });
    expect((await narrow.routes.list()).data.length).toBeGreaterThan(0);
    expect((await refusal(narrow.routes.create({ name: "refused", targets }))).code).toBe("forbidden");
    const again = await client.keys.create(
      { name: "of the client", scopes: ["models:demo/*", "routing:read"] },
      { idempotencyKey: "key-once" },
    );
    expect(again).toMatchObject({ id: made.id, not_shown_again: ["key"] });
    expect(again.key).toBeUndefined();
    expect(JSON.stringify(await client.keys.get(made.id))).not.toContain(made.key);
  });

  describe("of a page that brings no key", () => {
    const asked: string[] = [];
    let cookie = "";
    /** As a browser does: the page's cookies go along. */
    const withCookies: typeof fetch = async (input, init) => {
      asked.push(`${init?.method ?? "GET"} ${new URL(String(input)).pathname}`);
      const response = await fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), cookie } });
      const [set] = response.headers.getSetCookie();
      if (set !== undefined) cookie = set.split(";")[0]!;
      return response;
    };
    const page = () => createClient({ baseUrl, fetch: withCookies });
    const signIn = { method: "POST", path: "/api/v1/login", body: { username: "ada", password: "correct horse battery" } };
    beforeAll(() => gateway.users.create({ username: "ada", password: "correct horse battery", role: "admin" }));

    it("acts in its session: changes carry the session's token, which is asked for once (T39)", async () => {
      const own = page();
      const { csrf_token: token } = await own.request<{ csrf_token: string }>(signIn);
      asked.length = 0;
      await own.routes.list();
      expect(asked).toEqual(["GET /api/v1/routes"]);
      const made = await Promise.all(["page-one", "page-two"].map((name) => own.routes.create({ name, targets })));
      await own.routes.update(made[0]!.id, { sticky: "none" });
      for (const { id } of made) await own.routes.delete(id);
      expect(asked.filter((line) => line.endsWith("/me"))).toHaveLength(1);
      for (const csrfToken of [token, () => Promise.resolve(token)]) {
        asked.length = 0;
        const told = createClient({ baseUrl, fetch: withCookies, csrfToken });
        await told.routes.delete((await told.routes.create({ name: "told", targets })).id);
        expect(asked.filter((line) => line.endsWith("/me"))).toHaveLength(0);
      }
      const wrong = createClient({ baseUrl, fetch: withCookies, csrfToken: "another" });
      expect((await refusal(wrong.routes.create({ name: "wrong", targets }))).details).toEqual({ missing: "x-sallyport-csrf" });
    });

    it("stops waiting for the token when its signal fires", async () => {
      const hanging = createClient({ baseUrl, fetch: () => new Promise(() => undefined) });
      const stop = new AbortController();
      const gone = refusal(hanging.routes.create({ name: "never", targets }, { signal: stop.signal }));
      stop.abort();
      expect((await gone).code).toBe("cancelled");
    });

    it("goes on in the session of a later sign-in, and says who is signed out", async () => {
      const own = page();
      await own.request(signIn);
      await own.routes.delete((await own.routes.create({ name: "first", targets })).id);
      await own.request(signIn);
      await own.routes.delete((await own.routes.create({ name: "second", targets })).id);
      await own.request({ method: "POST", path: "/api/v1/logout" });
      expect((await refusal(own.routes.create({ name: "third", targets }))).code).toBe("unauthenticated");
    });
  });

  it("stops when its reader's signal fires", async () => {
    const gone = AbortSignal.abort();
    expect((await refusal(client.routes.list({ signal: gone }))).code).toBe("cancelled");
    expect((await client.health()).status).toBe("ok");
  });
});

it("has every resource of the gateway, under its path", () => {
  expect(Object.values(resourcePaths).sort()).toEqual(resources.map(({ path }) => path).sort());
});

it("is small and clean: no schema library, nothing of Node", async () => {
  const entry = fileURLToPath(new URL("../../src/client/index.ts", import.meta.url));
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    platform: "browser",
    format: "esm",
    write: false,
    minify: true,
    metafile: true,
  });
  expect(Object.keys(metafile.inputs).filter((file) => file.includes("node_modules"))).toEqual([]);
  expect(outputFiles[0]!.text).not.toMatch(/["']node:/);
  expect(outputFiles[0]!.contents.length).toBeLessThan(25_000);
});
