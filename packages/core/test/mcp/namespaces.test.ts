import { describe, expect, it } from "vitest";
import type { ConfigInput } from "../../src/config/schema.js";
import { hosted, post, proxyHarness, type Hosted } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const rpc = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const as = (id: string) => ({ authorization: `Bearer ${id}` });
type Namespaces = NonNullable<ConfigInput["namespaces"]>;

/** Two servers that both have `search` and `help`, and one tool of their own each. */
async function two(namespaces: Namespaces, grants: Readonly<Record<string, readonly string[]>> = {}) {
  const harness = proxyHarness({ config: { namespaces } });
  const docs = listedServer([tool("search"), tool("read")], { prompts: ["help"] });
  const web = listedServer([tool("search"), tool("fetch"), tool("docs__read")], { prompts: ["help"] });
  await harness.proxy.connect("web", { server: web.server });
  await harness.proxy.connect("docs", { server: docs.server });
  return { harness, docs, web, host: await hosted(harness, grants) };
}

async function list(host: Hosted, namespace: string, o: { readonly kind?: "tools" | "prompts"; readonly id?: string } = {}) {
  const { kind = "tools", id = "owner" } = o;
  const answer = (await post(host.namespace(namespace), rpc(`${kind}/list`), as(id))).json();
  const result = answer["result"] as Record<string, readonly { readonly name: string }[]> | undefined;
  return result?.[kind]?.map(({ name }) => name) ?? answer["error"];
}
const called = async (host: Hosted, namespace: string, name: string, id = "owner") =>
  (await post(host.namespace(namespace), rpc("tools/call", { name, arguments: {} }), as(id))).json();

describe("a namespace", () => {
  it("shows the servers and tools that it names, and nothing else can be called there", async () => {
    const { host } = await two({
      n: { servers: ["docs"] },
      some: { servers: ["docs", "web"], tools: { allow: ["*__search", "web__*"], deny: ["web__fetch"] } },
    });
    expect(await list(host, "n")).toEqual(["docs__search", "docs__read"]);
    expect(await list(host, "some")).toEqual(["docs__search", "web__search", "web__docs__read"]);
    for (const [namespace, name] of [
      ["n", "web__search"],
      ["some", "docs__read"],
      ["some", "web__fetch"],
      ["n", "docs__none"],
    ] as const)
      expect(await called(host, namespace, name)).toMatchObject({ error: { data: { code: "tool_not_found" } } });
    expect(await called(host, "some", "web__docs__read")).toMatchObject({ result: { content: [{ text: "docs__read" }] } });
  });

  it("with the naming none shows one server's names as they are, also long ones", async () => {
    const harness = proxyHarness({ config: { namespaces: { n: { servers: ["box"], naming: "none", tools: { deny: ["box__b"] } } } } });
    const names = ["a".repeat(100), "with.dots", "b"];
    const server = listedServer(names.map((name) => tool(name)));
    await harness.proxy.connect("box", { server: server.server });
    const host = await hosted(harness);
    expect(await list(host, "n")).toEqual(names.slice(0, 2));
    expect(await called(host, "n", "with.dots")).toMatchObject({ result: { content: [{ text: "with.dots" }] } });
    expect(await called(host, "n", "b")).toMatchObject({ error: { data: { code: "tool_not_found" } } });
  });

  it("with the naming manual shows the tools of its list under the names of its list", async () => {
    const { host, web } = await two({
      n: {
        servers: ["docs", "web"],
        naming: "manual",
        names: { find: "docs__search", look: "web__search", again: "web__search", gone: "web__none" },
      },
    });
    expect(await list(host, "n")).toEqual(["find", "look"]);
    expect(await called(host, "n", "look")).toMatchObject({ result: { content: [{ text: "search" }] } });
    expect(await called(host, "n", "again")).toMatchObject({ result: {} });
    expect(web.calls).toHaveLength(2);
    for (const name of ["docs__search", "search", "gone", "fetch"])
      expect(await called(host, "n", name)).toMatchObject({ error: { data: { code: "tool_not_found" } } });
    expect(await list(host, "n", { kind: "prompts" })).toEqual(["docs__help", "web__help"]);
  });
});

describe("several servers with their own names", () => {
  const servers = ["web", "docs"];
  const merged = { naming: "none" as const, servers };

  it("have a prefix where two have the same name, and where a name would look like another server's", async () => {
    const { host, docs, web } = await two({ n: merged });
    expect(await list(host, "n")).toEqual(["docs__search", "read", "web__search", "fetch", "web__docs__read"]);
    expect(await list(host, "n", { kind: "prompts" })).toEqual(["docs__help", "web__help"]);
    await called(host, "n", "read");
    await called(host, "n", "docs__search");
    await called(host, "n", "fetch");
    await called(host, "n", "docs__read");
    expect(docs.calls.map(({ name }) => name)).toEqual(["read", "search", "read"]);
    expect(web.calls.map(({ name }) => name)).toEqual(["fetch"]);
    expect(await called(host, "n", "search")).toMatchObject({ error: { data: { code: "tool_not_found" } } });
  });

  it("are the first server's where it says so", async () => {
    const { host, docs, web } = await two({ n: { ...merged, conflicts: "priority" } });
    expect(await list(host, "n")).toEqual(["read", "search", "fetch", "web__docs__read"]);
    await called(host, "n", "search");
    expect([docs.calls.length, web.calls.length]).toEqual([0, 1]);
    // What is not shown can't be called by its full name either.
    expect(await called(host, "n", "docs__search")).toMatchObject({ error: { data: { code: "tool_not_found" } } });
  });

  it("are refused where it says so, naming what meets, until the namespace leaves one out", async () => {
    const { host } = await two({
      n: { ...merged, conflicts: "error" },
      fine: { ...merged, conflicts: "error", tools: { deny: ["docs__search"] } },
    });
    expect(await list(host, "n")).toMatchObject({ data: { code: "misconfigured" }, message: expect.stringContaining('"search"') });
    expect(await called(host, "n", "fetch")).toMatchObject({ error: { data: { code: "misconfigured" } } });
    expect(await list(host, "fine")).toEqual(["read", "search", "fetch", "web__docs__read"]);
  });

  it("keep their prefix until every server was read once: no name depends on which are up", async () => {
    const harness = proxyHarness({ config: { namespaces: { n: merged } }, limits: { startMs: 1 } });
    const docs = listedServer([tool("search"), tool("read")]);
    const web = listedServer([tool("search")]);
    await harness.proxy.connect("docs", { server: docs.server });
    const host = await hosted(harness);
    let open = (): void => undefined;
    const later = new Promise<void>((resolve) => (open = resolve));
    const connecting = harness.proxy.connect("web", { server: async () => (await later, web.server()) });
    expect(await list(host, "n")).toEqual(["docs__search", "docs__read"]);
    expect(await called(host, "n", "search")).toMatchObject({ error: { data: { code: "tool_not_found" } } });
    open();
    await connecting;
    expect(await list(host, "n")).toEqual(["docs__search", "read", "web__search"]);
    expect(await called(host, "n", "docs__read")).toMatchObject({ result: {} });
  });
});

describe("a namespace of its own policy", () => {
  it("serves only who was granted it when it is restricted, and never more than their grants", async () => {
    const grants = { in: ["namespaces:n", "mcp:docs__*"], out: ["mcp:*"], denied: ["*", "!namespaces:n"] };
    const { host } = await two({ n: { servers: ["docs", "web"], restricted: true }, open: { servers: ["docs"] } }, grants);
    expect(await list(host, "n", { id: "in" })).toEqual(["docs__search", "docs__read"]);
    expect(await list(host, "n")).toHaveLength(5);
    for (const id of ["out", "denied"]) {
      expect((await post(host.namespace("n"), rpc("tools/list"), as(id))).status).toBe(403);
      expect(await list(host, "open", { id })).toEqual(["docs__search", "docs__read"]);
    }
    expect(await called(host, "n", "web__fetch", "in")).toMatchObject({ error: { data: { code: "forbidden" } } });
  });

  it("tells its own instructions in the place of the servers'", async () => {
    const { host } = await two({ n: { servers: ["docs"], instructions: "Search before you read." } });
    const initialize = rpc("initialize", { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } });
    expect((await post(host.namespace("n"), initialize)).json()).toMatchObject({ result: { instructions: "Search before you read." } });
  });

  it("is found by its own name only", async () => {
    const { host } = await two({ n: { servers: ["docs"] } });
    for (const name of ["x", "constructor", "__proto__"]) expect((await post(host.namespace(name), rpc("tools/list"))).status).toBe(404);
  });
});
