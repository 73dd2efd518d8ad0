import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lyingMcpServer } from "@sallyport/adapter-kit";
import { sqlite } from "@sallyport/adapters-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import type { JsonObject } from "../../src/calls/index.js";
import { GatewayError } from "../../src/errors/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { caller, hosted, post, proxyHarness } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

/** A server that counts what it did, and answers when the test says so where it is told to wait. */
async function bank(o: { readonly waits?: boolean } = {}) {
  const harness = proxyHarness();
  const waiting: (() => void)[] = [];
  const server = listedServer([tool("pay"), tool("refund")], {
    answer: (name, args) => {
      const result = { content: [{ type: "text", text: `${name} ${String(args["to"])} ${server.calls.length}` }] };
      return o.waits === true ? new Promise((resolve) => waiting.push(() => resolve(result))) : result;
    },
  });
  await harness.proxy.connect("bank", { server: server.server });
  const pay = async (
    args: JsonObject,
    idempotencyKey: string | undefined,
    more: { id?: string; tool?: string; signal?: AbortSignal } = {},
  ) => {
    const { id = "owner", tool: name = "pay", signal } = more;
    const options = { caller: caller(id, id === "narrow" ? ["models:*"] : ["*"]), idempotencyKey, signal };
    return harness.proxy.call(`bank__${name}`, args, options).then(
      ({ raw }) => (raw["content"] as unknown as { text: string }[])[0]!.text,
      (error: unknown) => GatewayError.from(error).code,
    );
  };
  return { harness, server, waiting, pay };
}

describe("a call with an idempotency key (F66)", () => {
  it("is made once for its caller and its tool, whatever comes of later ones", async () => {
    const { pay, server } = await bank();
    expect(await pay({ to: "ann" }, "k")).toBe("pay ann 1");
    expect(await pay({ to: "ann" }, "k")).toBe("pay ann 1");
    expect(await pay({ to: "bob" }, "k")).toBe("idempotency_key_reuse");
    expect(await pay({ to: "ann" }, "k", { id: "other" })).toBe("pay ann 2");
    expect(await pay({ to: "ann" }, "k", { tool: "refund" })).toBe("refund ann 3");
    expect(await pay({ to: "ann" }, "k2")).toBe("pay ann 4");
    expect(await pay({ to: "ann" }, undefined)).toBe("pay ann 5");
    expect(await pay({ to: "ann" }, "k", { id: "narrow" })).toBe("forbidden");
    expect(server.calls).toHaveLength(5);
  });

  it("is another's for callers whose ids begin alike, however long (T08)", async () => {
    const { pay } = await bank();
    const long = (name: string): string => `${"a".repeat(120)}/${name}`;
    expect(await pay({ to: "ann" }, "k", { id: long("ada") })).toBe("pay ann 1");
    expect(await pay({ to: "ann" }, "k", { id: long("bob") })).toBe("pay ann 2");
    expect(await pay({ to: "ann" }, "k", { id: long("ada") })).toBe("pay ann 1");
  });

  it("that comes while it is under way waits for its answer", async () => {
    const { pay, server, waiting } = await bank({ waits: true });
    const calls = [pay({ to: "ann" }, "k"), pay({ to: "ann" }, "k"), pay({ to: "ann" }, "k")];
    await expect.poll(() => waiting.length).toBe(1);
    waiting[0]!();
    expect(await Promise.all(calls)).toEqual(["pay ann 1", "pay ann 1", "pay ann 1"]);
    expect(server.calls).toHaveLength(1);
  });

  it("that was sent and not answered is never sent again", async () => {
    const { pay, server, waiting, harness } = await bank({ waits: true });
    const gone = new AbortController();
    const first = pay({ to: "ann" }, "k", { signal: gone.signal });
    await expect.poll(() => waiting.length).toBe(1);
    gone.abort();
    expect(await first).toBe("cancelled");
    await expect.poll(() => harness.ended.length).toBe(1);
    expect(await pay({ to: "ann" }, "k")).toBe("outcome_unknown");
    expect(server.calls).toHaveLength(1);
  });

  it("that was refused before it was sent can be made again", async () => {
    const { pay, harness } = await bank();
    await harness.proxy.disconnect("bank");
    await harness.proxy
      .connect("bank", { server: () => Promise.reject(new GatewayError("upstream_unavailable", "down")) })
      .catch(() => undefined);
    expect(await pay({ to: "ann" }, "k")).toBe("upstream_unavailable");
    await harness.proxy.disconnect("bank");
    const back = listedServer([tool("pay")], { answer: () => ({ content: [{ type: "text", text: "paid" }] }) });
    await harness.proxy.connect("bank", { server: back.server });
    expect(await pay({ to: "ann" }, "k")).toBe("paid");
  });

  it("has its key in _meta over MCP", async () => {
    const { harness, server, pay } = await bank();
    const host = await hosted(harness);
    const call = async (to: string, key: unknown) => {
      const params = { name: "bank__pay", arguments: { to }, _meta: { "sallyport/idempotencyKey": key } };
      return post(host.url, { jsonrpc: "2.0", id: 1, method: "tools/call", params });
    };
    const first = await call("ann", "k");
    expect(first.json()).toMatchObject({ result: { content: [{ text: "pay ann 1" }] } });
    const second = await call("ann", "k");
    expect(second.json()).toEqual(first.json());
    expect([first.headers.get("idempotency-replayed"), second.headers.get("idempotency-replayed")]).toEqual([null, "true"]);
    expect((await call("bob", "k")).json()).toMatchObject({ error: { data: { code: "idempotency_key_reuse" } } });
    expect((await call("ann", 7)).json()).toMatchObject({ error: { data: { code: "validation_failed" } } });
    // One key however the call came in.
    expect(await pay({ to: "ann" }, "k")).toBe("pay ann 1");
    expect(server.calls).toHaveLength(1);
  });
});

describe.each(["legacy", "modern"] as const)("a call with a key whose answer breaks off at a %s server (F67)", (era) => {
  const KEY = "sallyport/idempotencyKey";
  const keyOf = (params: Readonly<Record<string, unknown>>) => (params["_meta"] as Readonly<Record<string, unknown>>)[KEY];

  /** A server that knows calls by their keys: it does its work, begins to answer, and breaks off; whoever comes again with the key is told what was done. */
  async function breaking(resilience: object) {
    const done = new Map<unknown, number>();
    const liar = await lyingMcpServer({
      era,
      lie: ({ method, id, params }, say) => {
        if (method !== "tools/call") return false;
        const key = keyOf(params);
        const isKnown = done.has(key);
        if (!isKnown) done.set(key, (done.get(key) ?? 0) + 1);
        if (isKnown) {
          say.send(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", content: [] } }));
          return true;
        }
        say.sse(JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: id, progress: 1 } }));
        // What was said is on its way before the connection ends.
        setImmediate(() => say.cut());
        return true;
      },
    });
    onTestFinished(() => liar.close());
    const harness = proxyHarness();
    await harness.proxy.connect("s", { url: liar.url, resilience });
    const host = await hosted(harness);
    const ask = (id: number, key: string) => {
      const params = { name: "s__effect", arguments: {}, _meta: { [KEY]: key, progressToken: "p" } };
      return post(host.url, { jsonrpc: "2.0", id, method: "tools/call", params });
    };
    const sent = () => liar.asked.filter(({ method }) => method === "tools/call");
    return { ask, sent, effects: () => [...done.values()] };
  }

  it("is sent again under a new id with the same key where its operator lets it be, and has one effect", async () => {
    const { ask, sent, effects } = await breaking({ retries: 1, idempotent: ["effect"] });
    expect((await ask(1, "a")).text).toContain('"result"');
    expect(sent()).toHaveLength(2);
    expect(new Set(sent().map(({ id }) => id)).size).toBe(2);
    expect(sent().map(({ params }) => keyOf(params))).toEqual(["a", "a"]);
    // Its client's own repetition has a new id as well.
    expect((await ask(2, "a")).text).toContain('"result"');
    expect([sent().length, effects()]).toEqual([2, [1]]);
  });

  it("is not sent again where nobody lets it be, nor when its client comes again with a new id", async () => {
    const { ask, sent, effects } = await breaking({ retries: 3 });
    for (const id of [1, 2, 3]) expect((await ask(id, "a")).text).toContain("outcome_unknown");
    expect([sent().length, effects()]).toEqual([1, [1]]);
    expect((await ask(4, "b")).text).toContain("outcome_unknown");
    expect([sent().length, effects()]).toEqual([2, [1, 1]]);
  });
});

it("its key is a header over REST", async () => {
  const gateway = await createTestGateway();
  onTestFinished(() => gateway.close());
  const server = listedServer([tool("pay")], { answer: () => ({ content: [{ type: "text", text: `paid ${server.calls.length}` }] }) });
  await gateway.mcp.connect("bank", { server: server.server });
  const send = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json", "idempotency-key": "k" };
    const response = await gateway.fetch(new Request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
    return { status: response.status, text: await response.text() };
  };
  const args = { to: "ann" };
  const made = await Promise.all([
    send("/mcp/execute", { tool_name: "bank__pay", args }),
    send("/v1/mcp/bank/tools/call", { tool: "pay", arguments: args }),
    send("/v1/mcp/bank/tools/call", { tool: "pay", arguments: args }),
  ]);
  for (const { text } of made) expect(text).toContain("paid 1");
  expect((await send("/v1/mcp/bank/tools/call", { tool: "pay", arguments: { to: "bob" } })).status).toBe(409);
  expect(server.calls).toHaveLength(1);
});

it("what was answered stands sealed in the database, and opens for its repetition after a restart", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-sealed-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const secret = randomBytes(32).toString("base64");
  const CANARY = "canary-of-a-result";
  const server = listedServer([tool("look")], { answer: () => ({ content: [{ type: "text", text: CANARY }] }) });
  const once = async () => {
    const gateway = await createTestGateway({ storage: sqlite(join(folder, "s.db")), secret });
    try {
      await gateway.mcp.connect("s", { server: server.server });
      return (await gateway.mcp.call("s__look", {}, { idempotencyKey: "k" })).raw;
    } finally {
      await gateway.close();
    }
  };
  const said = { content: [{ type: "text", text: CANARY }] };
  expect(await once()).toEqual(said);
  const stored = readdirSync(folder).map((file) => readFileSync(join(folder, file), "latin1"));
  expect(stored.join("")).toContain("idempotency_keys");
  expect(stored.join("")).not.toContain(CANARY);
  expect(await once()).toEqual(said);
  expect(server.calls).toHaveLength(1);
});
