import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { toolShapeSchema, type ToolShapeRules } from "../../src/entities/index.js";
import { newId } from "../../src/util/ids.js";
import { clock } from "../../src/platform/node.js";
import { caller, hosted, modern, post, proxyHarness, type Hosted, type ProxyHarness } from "./proxy-harness.js";
import { listedServer, tool, type Definition } from "./servers/listed-server.js";

const as = (id: string) => ({ authorization: `Bearer ${id}` });
const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const call = (name: string, args?: object) => rpc("tools/call", args === undefined ? { name } : { name, arguments: args });

interface Listed {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: { readonly properties?: Record<string, object>; readonly required?: readonly string[] };
}
async function listed(host: Hosted, id = "owner"): Promise<readonly Listed[]> {
  const answer = (await post(host.url, rpc("tools/list"), as(id))).json()["result"] as { readonly tools: readonly Listed[] };
  return answer.tools.filter(({ name }) => !name.startsWith("demo__"));
}
const names = async (host: Hosted, id?: string) => (await listed(host, id)).map(({ name }) => name);

async function shaped(definitions: readonly Definition[], rules: ToolShapeRules, grants: Readonly<Record<string, readonly string[]>> = {}) {
  const harness = proxyHarness();
  const server = listedServer(definitions);
  await harness.proxy.connect("box", { server: server.server, tools: toolShapeSchema.parse(rules) });
  return { harness, server, host: await hosted(harness, grants) };
}

/** One request of a caller with bounds: made from credentials that may do less. */
async function listFor(harness: ProxyHarness, one: Caller): Promise<readonly string[]> {
  const body = new TextEncoder().encode(JSON.stringify(rpc("tools/list")));
  const headers: Readonly<Record<string, string>> = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const request = { method: "POST", header: (name: string) => headers[name], bytes: body, namespace: null };
  const o = { caller: one, requestId: newId("req"), signal: new AbortController().signal, deadlineMs: clock.now() + 10_000, depth: 0 };
  const answer = await harness.proxy.serve(request, o);
  answer.done("sent");
  if (answer.body.kind !== "bytes") throw new Error("a list is answered whole");
  const { result } = JSON.parse(new TextDecoder().decode(answer.body.bytes)) as { readonly result: { readonly tools: readonly Listed[] } };
  return result.tools.map(({ name }) => name).filter((name) => name.startsWith("box__"));
}

describe("names of tools that somebody may not call", () => {
  it("are not shown to a key that everything is granted to and something denied (T04)", async () => {
    const grants = { denied: ["*", "!mcp:box__secret*"], both: ["mcp:*", "!mcp:box__open"] };
    const { host } = await shaped([tool("open"), tool("secret_plan")], {}, grants);
    expect(await names(host)).toEqual(["box__open", "box__secret_plan"]);
    expect(await names(host, "denied")).toEqual(["box__open"]);
    expect(await names(host, "both")).toEqual(["box__secret_plan"]);
  });

  it("are not shown to a child of a key that may not call them, nor kept for it from somebody else's list", async () => {
    const { harness } = await shaped([tool("open"), tool("secret_plan")], {});
    const one = caller("k", ["*"]);
    expect(await listFor(harness, one)).toEqual(["box__open", "box__secret_plan"]);
    expect(await listFor(harness, { ...one, bounds: [["mcp:box__o*"]] })).toEqual(["box__open"]);
    expect(await listFor(harness, { ...one, bounds: [["*", "!mcp:box__open"]] })).toEqual(["box__secret_plan"]);
    expect(await listFor(harness, one)).toHaveLength(2);
  });
});

describe("a long name", () => {
  const long = "a".repeat(80);
  it("is shown shortened, leads to its tool, and is granted, judged and audited by its full name", async () => {
    const definitions = [tool(long), tool(`${long}b`), tool("with.dots"), tool("with spaces/and slashes")];
    const { harness, host, server } = await shaped(definitions, {}, { one: [`mcp:box__${long}`] });
    const all = await names(host);
    expect(new Set(all).size).toBe(4);
    for (const name of all) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    for (const name of all) await post(host.url, call(name, {}));
    expect(server.calls.map(({ name }) => name)).toEqual(definitions.map(({ name }) => name));
    expect(harness.ended.map(({ head }) => head.name)).toEqual(definitions.map(({ name }) => `box__${name}`));
    expect(await names(host, "one")).toEqual([all[0]]);
    expect((await post(host.url, call(all[1]!), as("one"))).json()).toMatchObject({ error: { data: { code: "forbidden" } } });
    // In a message of 2026-07-28 the header repeats the shown name.
    const { message, headers } = modern("tools/call", { name: all[0]!, arguments: {} });
    expect((await post(host.url, message, headers)).json()).toMatchObject({ result: { content: [{ text: long }] } });
  });

  it("is the same whichever other tools and servers there are, also before its server was read", async () => {
    const first = await shaped([tool(long)], {});
    const [shown] = await names(first.host);
    const harness = proxyHarness({ limits: { startMs: 1 } });
    const server = listedServer([tool("other"), tool(long)]);
    let open = (): void => undefined;
    const later = new Promise<void>((resolve) => (open = resolve));
    const connecting = harness.proxy.connect("box", { server: async () => (await later, server.server()) });
    const host = await hosted(harness);
    expect(await names(host)).toEqual([]);
    const answer = post(host.url, call(shown!, {}));
    open();
    expect((await answer).json()).toMatchObject({ result: { content: [{ text: long }] } });
    await connecting;
    expect(await names(host)).toEqual(["box__other", shown]);
  });
});

describe("what the operator says of a server's tools", () => {
  it("leaves tools out, which can't be called by any name either", async () => {
    const rules = { allow: ["read_*", "write_file"], deny: ["*_secret"], overrides: { read_hidden: { hidden: true } } };
    const { harness, host, server } = await shaped(
      ["read_a", "read_secret", "read_hidden", "write_file", "delete_all"].map((name) => tool(name)),
      rules,
    );
    expect(await names(host)).toEqual(["box__read_a", "box__write_file"]);
    for (const name of ["read_secret", "read_hidden", "delete_all", "never_was"]) {
      expect((await post(host.url, call(`box__${name}`))).json()).toMatchObject({
        error: { code: -32602, data: { code: "tool_not_found" } },
      });
      await expect(harness.proxy.call(`box__${name}`)).rejects.toMatchObject({ code: "tool_not_found" });
    }
    expect(server.calls).toEqual([]);
    expect((await harness.proxy.tools("box__*")).map(({ name }) => name)).toEqual(["box__read_a", "box__write_file"]);
  });

  it("renames and describes; grants and the server keep the server's own name, and nothing else is touched", async () => {
    const definition = tool("create_pull_request", {
      description: "old",
      annotations: { readOnlyHint: false },
      inputSchema: { type: "object", properties: { title: { type: "string", maxLength: 5 } } },
      "x-unknown": { big: 1 },
    });
    const rules = {
      overrides: {
        create_pull_request: { name: "open_pr", title: "Open", description: "new", arguments: { title: { description: "short" } } },
      },
    };
    const { host, server } = await shaped([definition, tool("open_pr")], rules, {
      one: ["mcp:box__create_pull_request"],
      shown: ["mcp:box__open_pr"],
    });
    expect(await listed(host, "one")).toEqual([
      {
        ...definition,
        name: "box__open_pr",
        title: "Open",
        description: "new",
        inputSchema: { type: "object", properties: { title: { type: "string", maxLength: 5, description: "short" } } },
      },
    ]);
    // A server does not take a name that the operator gave away.
    expect(await names(host)).toEqual(["box__open_pr"]);
    expect(await names(host, "shown")).toEqual([]);
    expect((await post(host.url, call("box__open_pr", {}), as("one"))).json()).toMatchObject({ result: {} });
    expect((await post(host.url, call("box__create_pull_request", {}), as("one"))).json()).toMatchObject({
      error: { data: { code: "tool_not_found" } },
    });
    expect(server.calls).toEqual([{ name: "create_pull_request", arguments: {} }]);
  });

  it("fixes, hides and fills in arguments before anybody judges the call", async () => {
    const definition = tool("query", {
      inputSchema: {
        type: "object",
        properties: { database: { type: "string" }, sql: { type: "string" }, limit: { type: "integer" }, force: { type: "boolean" } },
        required: ["database", "sql", "limit"],
      },
    });
    const rules = {
      overrides: { query: { arguments: { database: { value: "reports" }, limit: { default: 10 }, force: { hidden: true } } } },
    };
    const { harness, host, server } = await shaped([definition], rules);
    expect((await listed(host))[0]!.inputSchema).toEqual({
      type: "object",
      properties: { sql: { type: "string" }, limit: { type: "integer", default: 10 } },
      required: ["sql"],
    });
    await post(host.url, call("box__query", { database: "secrets", sql: "x" }));
    await post(host.url, rpc("tools/call", { name: "box__query" }));
    // A key that is written with an escape is the same key.
    await post(
      host.url,
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"box__query","arguments":{"d\\u0061tabase":"secrets","limit":3}}}`,
    );
    await harness.proxy.call("box__query", { database: "secrets", limit: null });
    expect(server.calls.map((one) => one.arguments)).toEqual([
      { sql: "x", database: "reports", limit: 10 },
      { database: "reports", limit: 10 },
      { limit: 3, database: "reports" },
      { limit: null, database: "reports" },
    ]);
    expect((await post(host.url, call("box__query", { force: true }))).json()).toMatchObject({
      error: { code: -32602, data: { code: "validation_failed" } },
    });
    await expect(harness.proxy.call("box__query", { force: false })).rejects.toMatchObject({ code: "validation_failed" });
    // Some servers read a name in any case.
    await expect(harness.proxy.call("box__query", { Force: true })).rejects.toMatchObject({ code: "validation_failed" });
    expect(server.calls).toHaveLength(4);
  });

  it("is what policy sees", async () => {
    const seen: string[] = [];
    const harness = proxyHarness({
      steps: [{ name: "reader", sees: () => "read", enter: (one) => void seen.push(JSON.stringify(one.content())) }],
    });
    const server = listedServer([tool("query")]);
    await harness.proxy.connect("box", {
      server: server.server,
      tools: { overrides: { query: { arguments: { database: { value: "reports" } } } } },
    });
    const host = await hosted(harness);
    await post(host.url, call("box__query", { database: "secrets" }));
    await harness.proxy.call("box__query", { database: "secrets" });
    for (const one of seen) expect(JSON.parse(one)).toMatchObject({ arguments: '{"database":"reports"}' });
    expect(seen).toHaveLength(2);
  });

  it("never lets a fixed argument through, whatever is said (T19: what is there, and what is allowed, both hold)", async () => {
    const { harness, server } = await shaped([tool("t")], { overrides: { t: { arguments: { a: { value: 1 }, b: { hidden: true } } } } });
    const key = fc.constantFrom("a", "b", "c", "__proto__", "");
    await fc.assert(
      fc.asyncProperty(fc.dictionary(key, fc.jsonValue(), { maxKeys: 4 }), async (args) => {
        server.calls.length = 0;
        const given = JSON.parse(JSON.stringify(args)) as Record<string, unknown>;
        const outcome = await harness.proxy.call("box__t", given as never).then(
          () => "called",
          () => "refused",
        );
        expect(outcome).toBe(Object.hasOwn(given, "b") ? "refused" : "called");
        if (outcome === "called") expect(JSON.stringify(server.calls[0]!.arguments)).toContain('"a":1');
      }),
      { numRuns: 50 },
    );
  });
});

it("two tools of a server are not given one name", () => {
  const twice = { overrides: { a: { name: "x" }, b: { name: "x" } } };
  expect(toolShapeSchema.safeParse(twice).error?.issues[0]).toMatchObject({ path: ["overrides", "b", "name"] });
});
