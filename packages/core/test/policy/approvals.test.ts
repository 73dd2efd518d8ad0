import fc from "fast-check";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { inboxItem, toolClassification, toolPermission } from "../../src/entities/index.js";
import type { Gateway } from "../../src/gateway.js";
import { memoryStore } from "../../src/memory/index.js";
import { serve } from "../../src/node/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { argumentsHash } from "../../src/policy/approvals/arguments-hash.js";
import { classOfName } from "../../src/policy/approvals/classify.js";
import { conditionsHold } from "../../src/policy/approvals/conditions.js";
import { insert, update, type RecordStore } from "../../src/ports/index.js";
import type { InboxItem } from "../../src/seams/index.js";
import { createTestGateway, FakeClock, script, TEST_OWNER_KEY } from "../../src/testing/index.js";

const dangerous = { approvals: { tools: { demo__echo: { class: "dangerous" as const } } } };
const ada: Caller = { kind: "user", id: "ada", name: "Ada", projects: ["default"], grants: ["*"], userId: "ada" };
const bob: Caller = { ...ada, id: "bob", name: "Bob", userId: "bob" };
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const scope = { system: "test" };

async function gatewayWith(options: Parameters<typeof createTestGateway>[0] = dangerous): Promise<Gateway> {
  const gateway = await createTestGateway(options);
  onTestFinished(() => gateway.close());
  return gateway;
}

/** What a call came to: its text, or the error's code. */
async function echo(gateway: Gateway, args: Record<string, unknown>, caller: Caller = ada): Promise<string> {
  try {
    const result = await gateway.mcp.call("demo__echo", args as never, { caller });
    return JSON.stringify(result);
  } catch (error) {
    const { code, details } = error as { code: string; details?: Record<string, unknown> };
    return code === "approval_required" ? `needs ${String(details?.["approval_id"])}` : code;
  }
}
async function asked(gateway: Gateway, args: Record<string, unknown>, caller: Caller = ada): Promise<string> {
  const answer = await echo(gateway, args, caller);
  expect(answer).toMatch(/^needs apr_/);
  return answer.slice("needs ".length);
}

const argumentsOf = (item: InboxItem): unknown => (item.kind === "approval" ? JSON.parse(item.arguments) : item.kind);

describe("a call that needs a person", () => {
  it("is refused with the approval's id, stands in the inbox once, and succeeds once after it was approved", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "hello" });
    expect(await asked(gateway, { text: "hello" })).toBe(id);
    const { items } = await gateway.inbox.list(ada, { limit: 10 });
    expect(items.map((item) => [item.row.id, item.row.status, item.row.tool, argumentsOf(item)])).toEqual([
      [id, "pending", "echo", { text: "hello" }],
    ]);
    await gateway.inbox.approve(bob, id, { note: "go on" });
    expect(await echo(gateway, { text: "hello" })).toContain("hello");
    expect((await gateway.inbox.get(ada, id))?.row).toMatchObject({ status: "used", decidedBy: "bob", note: "go on" });
    expect(await asked(gateway, { text: "hello" })).not.toBe(id);
  });

  it("is bound to its caller, its tool and its exact arguments (T35)", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "hello", n: 1 });
    await gateway.inbox.approve(bob, id, {});
    expect(await echo(gateway, { text: "hello!", n: 1 })).toMatch(/^needs/);
    expect(await echo(gateway, { text: "hello" })).toMatch(/^needs/);
    expect(await echo(gateway, { text: "hello", n: 1 }, bob)).toMatch(/^needs/);
    expect(await echo(gateway, { n: 1, text: "hello" })).toContain("hello");
  });

  it("passes once, of any number that are made at once", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "once" });
    await gateway.inbox.approve(bob, id, {});
    const answers = await Promise.all(Array.from({ length: 20 }, () => echo(gateway, { text: "once" })));
    expect(answers.filter((answer) => answer.includes("once"))).toHaveLength(1);
    expect(new Set(answers.filter((answer) => answer.startsWith("needs"))).size).toBe(1);
  });

  it("is decided once, and never after its time", async () => {
    const clock = new FakeClock();
    const gateway = await gatewayWith({ approvals: { ...dangerous.approvals, expiresMs: 60_000 }, clock });
    const id = await asked(gateway, { text: "x" });
    const decisions = await Promise.allSettled([
      gateway.inbox.approve(bob, id, {}),
      gateway.inbox.deny(ada, id, {}),
      gateway.inbox.approve(ada, id, {}),
    ]);
    expect(decisions.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const decision of decisions) if (decision.status === "rejected") expect(decision.reason).toMatchObject({ code: "conflict" });
    const late = await asked(gateway, { text: "late" });
    await clock.advance(60_000);
    await expect(gateway.inbox.approve(bob, late, {})).rejects.toMatchObject({ code: "conflict" });
    expect(await asked(gateway, { text: "late" })).not.toBe(late);
  });

  it("an approval that was not used in time is none", async () => {
    const clock = new FakeClock();
    const gateway = await gatewayWith({ approvals: { ...dangerous.approvals, expiresMs: 60_000 }, clock });
    const id = await asked(gateway, { text: "x" });
    await gateway.inbox.approve(bob, id, {});
    await clock.advance(60_000);
    expect(await asked(gateway, { text: "x" })).not.toBe(id);
    expect((await gateway.inbox.get(ada, id))?.row.status).toBe("expired");
  });

  it("is kept as long as the audit once it is closed, and as long as it takes while it waits", async () => {
    const clock = new FakeClock();
    // Rows are old by the gateway's clock.
    const storeClock = new FakeClock(clock.now() - 200 * 86_400_000);
    const store: RecordStore = memoryStore({ clock: storeClock });
    const storage = { name: "shared", open: () => Promise.resolve(store) };
    const gateway = await gatewayWith({ ...dangerous, storage, clock });
    const ids = [await asked(gateway, { text: "closed" }), await asked(gateway, { text: "open" })];
    await gateway.inbox.deny(bob, ids[0]!, {});
    await clock.advance(20_000);
    const found = async () => (await store.find(inboxItem, { orderBy: "id", limit: 10 }, scope, within)).rows.map(({ id }) => id);
    await expect.poll(found).toEqual([ids[1]]);
  });

  it("is seen by its own project only, and decided by somebody else under fourEyes", async () => {
    const gateway = await gatewayWith({ approvals: { ...dangerous.approvals, fourEyes: true } });
    const id = await asked(gateway, { text: "x" });
    const stranger: Caller = { ...bob, projects: ["other"] };
    expect(await gateway.inbox.get(stranger, id)).toBeNull();
    await expect(gateway.inbox.approve(stranger, id, {})).rejects.toMatchObject({ code: "not_found" });
    await expect(gateway.inbox.approve(ada, id, {})).rejects.toMatchObject({ code: "forbidden" });
    await gateway.inbox.approve(bob, id, {});
  });

  it("its arguments are sealed in the store, and shown without secrets that the gateway knows (T26)", async () => {
    const clock = new FakeClock();
    const store: RecordStore = memoryStore({ clock });
    const storage = { name: "shared", open: () => Promise.resolve(store) };
    const providers = { lab: { vendor: "openai-compatible" as const, baseUrl: "http://127.0.0.1:9/v1", apiKey: "sk-canary-of-the-lab" } };
    const gateway = await gatewayWith({ ...dangerous, storage, clock, providers });
    const id = await asked(gateway, { text: "payroll-canary", key: "sk-canary-of-the-lab" });
    const row = await store.get(inboxItem, id, scope, within);
    expect(JSON.stringify(row)).not.toContain("canary");
    expect(argumentsOf((await gateway.inbox.get(ada, id))!)).toEqual({ text: "payroll-canary", key: "***" });
  });
});

describe("fourEyes (T35)", () => {
  const rights = { scopes: ["mcp:*", "approvals:*", "inbox:*", "keys:write"] };
  const send = (gateway: Gateway, path: string, o: { readonly key: string; readonly body: unknown }) =>
    gateway.fetch(
      new Request(`http://localhost${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${o.key}`, "content-type": "application/json", accept: "application/json, text/event-stream" },
        body: JSON.stringify(o.body),
      }),
    );
  async function requested(gateway: Gateway, key: string): Promise<string> {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "demo__echo", arguments: { text: key.slice(-5) } } };
    return /apr_[A-Za-z0-9_-]+/.exec(await (await send(gateway, "/mcp", { key, body })).text())![0];
  }

  it("is two people: neither a key made from the caller's nor its maker, a sibling or another key of its user decides", async () => {
    const gateway = await gatewayWith({ approvals: { ...dangerous.approvals, fourEyes: true } });
    const made = async (by: string, o: object = {}) =>
      ((await (await send(gateway, "/api/v1/keys", { key: by, body: { name: "c", ...rights, ...o } })).json()) as { key: string }).key;
    const parent = (await gateway.keys.create({ name: "parent", ...rights })).key;
    const [child, sibling] = [await made(parent), await made(parent)];
    const grandchild = await made(child);
    const decide = async (id: string, key: string) => (await send(gateway, `/api/v1/inbox/${id}/approve`, { key, body: {} })).status;
    const ofParent = await requested(gateway, parent);
    for (const key of [parent, child, grandchild]) expect(await decide(ofParent, key)).toBe(403);
    const ofChild = await requested(gateway, child);
    for (const key of [parent, child, sibling, grandchild]) expect(await decide(ofChild, key)).toBe(403);
    const [first, second] = [
      (await gateway.keys.create({ name: "first", ...rights, userId: "u1" })).key,
      (await gateway.keys.create({ name: "second", ...rights, userId: "u1" })).key,
    ];
    const ofUser = await requested(gateway, first);
    expect(await decide(ofUser, second)).toBe(403);
    for (const id of [ofParent, ofChild]) expect(await decide(id, second)).toBe(200);
    expect(await decide(ofUser, parent)).toBe(200);
  });

  it("nor does the user that made the key, whoever it was made for", async () => {
    const gateway = await gatewayWith({ approvals: { ...dangerous.approvals, fourEyes: true } });
    const eve = await gateway.users.create({ username: "eve", password: "correct horse battery", role: "admin" });
    const by = { caller: { ...ada, id: eve.id, userId: eve.id }, requestId: "r" };
    const { key } = await gateway.keys.create({ name: "k", ...rights, userId: "somebody" }, by as never);
    const id = await requested(gateway, key);
    await expect(gateway.inbox.approve(by.caller, id, {})).rejects.toMatchObject({ code: "forbidden" });
    await gateway.inbox.approve(bob, id, {});
  });
});

describe("what two could be confused about", () => {
  it("the same call in another project is another one, and asks for itself", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "x" });
    const elsewhere: Caller = { ...ada, projects: ["p2"] };
    expect(await asked(gateway, { text: "x" }, elsewhere)).not.toBe(id);
    await gateway.inbox.approve(bob, id, {});
    expect(await echo(gateway, { text: "x" }, elsewhere)).toMatch(/^needs/);
  });

  it("arguments that say a key twice are refused: neither a rule nor a person may read another one than the server (T35)", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "/tmp/ok" });
    await gateway.inbox.approve(bob, id, { remember: { conditions: [{ path: "text", op: "starts_with", value: "/tmp/" }] } });
    await expect.poll(() => echo(gateway, { text: "/tmp/other" }), { timeout: 30_000 }).toContain("/tmp/other");
    const tools = (gateway as unknown as { mcp: { toolCaller(): import("../../src/seams/index.js").ToolCaller } }).mcp.toolCaller();
    const o = { caller: ada, requestId: "r", signal: new AbortController().signal, deadlineMs: Date.now() + 10_000, depth: 0 };
    const call = tools.call({ name: "demo__echo", arguments: '{"text":"/etc/shadow","text":"/tmp/ok"}' }, o);
    await expect(call).rejects.toMatchObject({ code: "validation_failed" });
  });
});

describe("what needs nobody", () => {
  it("asks nobody while nothing is classified, and costs no look-up", async () => {
    const gateway = await gatewayWith({});
    expect(await echo(gateway, { text: "free" })).toContain("free");
    expect(await gateway.inbox.pending(ada)).toBe(0);
  });

  it.each([
    ["safe", { class: "safe" as const }],
    ["only sensitive", { class: "sensitive" as const, requiresApproval: false }],
  ])("a tool that is %s", async (_name, entry) => {
    const gateway = await gatewayWith({ approvals: { tools: { "demo__*": entry } } });
    expect(await echo(gateway, { text: "free" })).toContain("free");
  });

  it("a record stands before the configuration, and the more exact name before the other", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const row = (id: string, tool: string, is: "safe" | "dangerous") =>
      insert(toolClassification, { id, server: "demo", tool, class: is, requiresApproval: true, note: null });
    await store.commit([{ scope, writes: [row("a", "*", "dangerous"), row("b", "echo", "safe")] }], within);
    const gateway = await gatewayWith({ ...dangerous, clock, storage: { name: "shared", open: () => Promise.resolve(store) } });
    expect(await echo(gateway, { text: "free" })).toContain("free");
    await expect(gateway.mcp.call("demo__time", {}, { caller: ada })).rejects.toMatchObject({ code: "approval_required" });
  });

  it("who has a permission, as often a day as it says", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const given = {
      subject: "user" as const,
      subjectId: "ada",
      server: "demo",
      tool: "*",
      maxUsesDay: 2,
      expiresAtMs: clock.now() + 10_000,
    };
    await store.commit([{ scope, writes: [insert(toolPermission, { id: "p1", ...given })] }], within);
    const gateway = await gatewayWith({ ...dangerous, clock, storage: { name: "shared", open: () => Promise.resolve(store) } });
    expect(await echo(gateway, { text: "1" })).toContain("1");
    expect(await echo(gateway, { text: "2" })).toContain("2");
    expect(await echo(gateway, { text: "3" })).toMatch(/^needs/);
    expect(await echo(gateway, { text: "1" }, bob)).toMatch(/^needs/);
    await clock.advance(10_000);
    expect(await echo(gateway, { text: "5" })).toMatch(/^needs/);
  });

  it("calls that fit what was remembered with an approval", async () => {
    const gateway = await gatewayWith();
    const id = await asked(gateway, { text: "to ops@our.org" });
    await gateway.inbox.approve(bob, id, { remember: { conditions: [{ path: "text", op: "ends_with", value: "@our.org" }] } });
    await expect.poll(() => echo(gateway, { text: "to hr@our.org" }), { timeout: 30_000 }).toContain("hr@our.org");
    expect(await echo(gateway, { text: "to ceo@their.org" })).toMatch(/^needs/);
    expect(await echo(gateway, { text: "to hr@our.org" }, { ...bob, id: "eve" })).toMatch(/^needs/);
  });
});

describe("over HTTP and MCP", () => {
  it("403 approval_required with an approval_id, approved over REST, then the same call succeeds", async () => {
    const gateway = await gatewayWith();
    const serving = await serve(gateway, { port: 0 });
    onTestFinished(() => serving.close());
    const headers = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json" };
    const client = new Client({ name: "t", version: "1" });
    await client.connect(new StreamableHTTPClientTransport(new URL(`${serving.url}/mcp`), { requestInit: { headers } }));
    onTestFinished(() => client.close());
    const call = () => client.callTool({ name: "demo__echo", arguments: { text: "over mcp" } }).catch((error: unknown) => error);
    const refused = await call();
    const id = /apr_[A-Za-z0-9_-]+/.exec(JSON.stringify((refused as { data?: unknown }).data))?.[0];
    expect(id).toBeDefined();
    const list = (await (await fetch(`${serving.url}/api/v1/inbox?status=pending`, { headers })).json()) as {
      data: unknown[];
      pending: number;
    };
    expect(list).toMatchObject({ data: [{ id, tool: "echo", arguments: { text: "over mcp" } }], pending: 1 });
    const approved = await fetch(`${serving.url}/api/v1/inbox/${id}/approve`, { method: "POST", headers });
    expect([approved.status, await approved.json()]).toMatchObject([200, { status: "approved", decided_by: expect.any(String) }]);
    expect(JSON.stringify(await call())).toContain("over mcp");
    const again = await fetch(`${serving.url}/api/v1/inbox/${id}/deny`, { method: "POST", headers, body: "{}" });
    expect([again.status, ((await again.json()) as { error: { code: string } }).error.code]).toEqual([409, "conflict"]);
    expect((await fetch(`${serving.url}/api/v1/inbox/apr_none`, { headers })).status).toBe(404);
    expect((await fetch(`${serving.url}/api/v1/inbox`)).status).toBe(401);
  });
});

describe("a run", () => {
  const wants = (args: Record<string, unknown>) => script([{ tool: "demo__echo", args }], "done");

  it("waits, goes on when its call is approved, and makes the call once", async () => {
    const gateway = await gatewayWith({ ...dangerous, model: wants({ text: "from a run" }) });
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] });
    await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    const { items } = await gateway.inbox.list(ada, { limit: 10, status: "pending" });
    expect(items).toHaveLength(1);
    expect(items[0]!.row.runId).toBe(run.id);
    await gateway.inbox.approve(bob, items[0]!.row.id, {});
    expect((await run).text).toBe("done");
    const types: string[] = [];
    for await (const event of gateway.runs.open(run.id)) if (event.type.startsWith("tool.")) types.push(event.type);
    expect(types).toEqual(["tool.started", "tool.waiting", "tool.started", "tool.finished"]);
    expect((await gateway.inbox.get(ada, items[0]!.row.id))?.row.status).toBe("used");
  });

  it("waits beside another one for the same call as long as it takes: neither is woken for nothing, and one of them makes it", async () => {
    const clock = new FakeClock();
    const call = [{ tool: "demo__echo", args: { text: "x" } }];
    const gateway = await gatewayWith({ ...dangerous, clock, model: script(call, call, "done", "done") });
    const runs = [1, 2].map(() => gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] }));
    const rows = () => Promise.all(runs.map(({ id }) => gateway.runs.get(id)));
    await expect.poll(async () => (await rows()).map((row) => row?.status)).toEqual(["waiting", "waiting"]);
    const [item, ...more] = (await gateway.inbox.list(ada, { limit: 10 })).items;
    expect(more).toEqual([]);
    for (let look = 0; look < 8; look++) await clock.advance(10_000);
    expect((await rows()).map((row) => [row?.status, row?.attempt])).toEqual([
      ["waiting", 1],
      ["waiting", 1],
    ]);
    await gateway.inbox.approve(bob, item!.row.id, {});
    await expect.poll(async () => (await rows()).map((row) => row?.status).toSorted()).toEqual(["succeeded", "waiting"]);
    expect(await gateway.inbox.pending(ada)).toBe(1);
    await Promise.all(runs.map((run) => run.cancel("enough").catch(() => undefined)));
    await Promise.allSettled(runs);
  });

  it("calls with what a person put in the arguments' place", async () => {
    const gateway = await gatewayWith({ ...dangerous, model: wants({ text: "to the wrong address" }) });
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] });
    await expect.poll(() => gateway.inbox.pending(ada)).toBe(1);
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    await gateway.inbox.approve(bob, item!.row.id, { arguments: '{"text":"to the right address"}' });
    await run;
    const finished: string[] = [];
    for await (const event of gateway.runs.open(run.id)) if (event.type === "tool.finished") finished.push(event.text);
    expect(finished).toEqual([expect.stringContaining("to the right address")]);
  });

  it("tells the model of a denial, and goes on", async () => {
    const gateway = await gatewayWith({ ...dangerous, model: wants({ text: "x" }) });
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] });
    await expect.poll(() => gateway.inbox.pending(ada)).toBe(1);
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    await gateway.inbox.deny(bob, item!.row.id, { note: "ask legal first" });
    expect((await run).text).toBe("done");
    const finished: string[] = [];
    for await (const event of gateway.runs.open(run.id)) if (event.type === "tool.finished") finished.push(event.text);
    expect(finished).toEqual(["Not called: a person denied it, and said: ask legal first"]);
  });

  it("goes on although the process that decided ended before it could wake it", async () => {
    const clock = new FakeClock();
    const store = memoryStore({ clock });
    const storage = { name: "shared", open: () => Promise.resolve(store) };
    const gateway = await gatewayWith({ ...dangerous, clock, storage, model: wants({ text: "x" }) });
    const handle = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] });
    await expect.poll(async () => (await gateway.runs.get(handle.id))?.status).toBe("waiting");
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    // What another process would have written, had it ended right after.
    const set = { status: "denied" as const, openKey: item!.row.id, note: "no" };
    await store.commit([{ scope, writes: [update(inboxItem, item!.row.id, { change: { set } })] }], within);
    await clock.advance(10_000);
    expect((await handle).text).toBe("done");
  });

  it("waits as long as it takes without using up its time, and can be cancelled while it waits", async () => {
    const clock = new FakeClock();
    const gateway = await gatewayWith({ ...dangerous, clock, model: wants({ text: "x" }) });
    const run = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"], timeoutMs: 60_000 });
    await expect.poll(async () => (await gateway.runs.get(run.id))?.status).toBe("waiting");
    await clock.advance(600_000);
    const [item] = (await gateway.inbox.list(ada, { limit: 1 })).items;
    await gateway.inbox.approve(bob, item!.row.id, {});
    expect((await run).text).toBe("done");
    const other = gateway.as(ada).run({ model: "test/script", input: "go", tools: ["demo__*"] });
    void Promise.resolve(other).catch(() => undefined);
    await expect.poll(async () => (await gateway.runs.get(other.id))?.status).toMatch(/waiting|succeeded|failed/);
    await other.cancel("no longer needed");
    expect((await gateway.runs.get(other.id))?.status).toMatch(/cancelled|succeeded|failed/);
  });
});

describe("what an approval is bound to", () => {
  const of = (text: string) => argumentsHash(crypto, { projectId: "p", callerId: "a", server: "s", tool: "t", arguments: text });

  it("does not see spaces and the order of keys, and sees all else (T35)", () => {
    expect(of('{"a":1,"b":[1, 2]}')).toBe(of(' {"b":[1,2], "a":1 }'));
    for (const other of ['{"a":1,"b":[2,1]}', '{"a":"1","b":[1,2]}', '{"a":1}', '{"a":1,"b":[1,2],"c":null}'])
      expect(of(other)).not.toBe(of('{"a":1,"b":[1,2]}'));
  });

  it("takes no two calls for one that a server might read differently", () => {
    expect(of('{"a":12345678901234567890}')).not.toBe(of('{"a":12345678901234567891}'));
    expect(of('{"to":"me","to":"you"}')).not.toBe(of('{"to":"you"}'));
    expect(of('{"a":" "}')).not.toBe(of('{"a":""}'));
  });

  it("differs for any two argument objects that differ", () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue());
    const canonical = (value: unknown) =>
      JSON.stringify(value, (_k, v: unknown) =>
        v !== null && typeof v === "object" && !Array.isArray(v)
          ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1)))
          : v,
      );
    fc.assert(
      fc.property(object, object, (a, b) => {
        const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
        return (of(x) === of(y)) === (canonical(JSON.parse(x)) === canonical(JSON.parse(y)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("names and conditions", () => {
  it.each([
    ["get_user", "safe"],
    ["listFiles", "safe"],
    ["getaway_plan", "sensitive"],
    ["delete_file", "dangerous"],
    ["execute", "dangerous"],
    ["deleted_items", "sensitive"],
    ["write_file", "sensitive"],
  ])("a tool called %s is %s by its name", (name, expected) => {
    expect(classOfName(name).class).toBe(expected);
  });

  it("a condition on what is not there, or is something else, does not hold", () => {
    const args = { to: "a@our.org", n: 5, deep: { list: [{ id: "x" }] } };
    expect(conditionsHold([{ path: "deep.list.0.id", op: "equals", value: "x" }], args)).toBe(true);
    expect(
      conditionsHold(
        [
          { path: "n", op: "lte", value: 5 },
          { path: "to", op: "in", value: ["a@our.org"] },
        ],
        args,
      ),
    ).toBe(true);
    for (const condition of [
      { path: "cc", op: "ends_with", value: "" },
      { path: "n", op: "equals", value: "5" },
      { path: "to.length", op: "gte", value: 0 },
      { path: "constructor", op: "equals" },
      { path: "to", op: "absent" },
    ] as const)
      expect(conditionsHold([condition], args)).toBe(false);
  });
});
