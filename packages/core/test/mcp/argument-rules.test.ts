import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ConfigInput } from "../../src/config/schema.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";
import { OWNER } from "./proxy-harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

type Rules = NonNullable<NonNullable<ConfigInput["mcp"]>["rules"]>;

async function ruled(rules: Rules, approvals: ConfigInput["approvals"] = {}) {
  const gateway = await createTestGateway({ mcp: { rules }, approvals });
  onTestFinished(() => gateway.close());
  const files = listedServer([tool("read"), tool("delete")]);
  await gateway.mcp.connect("files", { server: files.server });
  const code = (name: string, args: object) =>
    gateway.mcp.call(`files__${name}`, args as never).then(
      () => "done",
      (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
    );
  return { gateway, files, code };
}
const etc: Rules[string] = { tools: ["files__*"], when: "args.path.startsWith('/etc')", effect: "deny", message: "Not there." };

describe("a rule on arguments", () => {
  it("refuses the call before anything is sent, over MCP and REST as in code", async () => {
    const { gateway, files, code } = await ruled({ etc });
    expect(await code("read", { path: "/etc/passwd" })).toBe("forbidden: Not there.");
    expect(await code("read", { path: "/home" })).toBe("done");
    const post = async (path: string, body: object | string) => {
      const headers = {
        authorization: `Bearer ${TEST_OWNER_KEY}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
      };
      return (
        await gateway.fetch(
          new Request(`http://localhost${path}`, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) }),
        )
      ).text();
    };
    const params = { name: "files__read", arguments: { path: "/etc/shadow" } };
    expect(await post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params })).toContain("Not there.");
    expect(await post("/mcp/execute", params)).toContain("Not there.");
    expect(await post("/v1/mcp/files/tools/call", { tool: "read", arguments: params.arguments })).toContain("Not there.");
    // What a key says that stands twice, nobody knows.
    expect(
      await post(
        "/mcp",
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"files__read","arguments":{"path":"/a","path":"/etc/x"}}}',
      ),
    ).not.toContain('"result"');
    expect(files.calls.map(({ arguments: args }) => args)).toEqual([{ path: "/home" }]);
  });

  it("that cannot be judged holds when it denies or asks, and does not when it allows", async () => {
    const { code } = await ruled({ etc });
    expect(await code("read", {})).toBe("forbidden: Not there.");
    expect(await code("read", { path: 7 })).toBe("forbidden: Not there.");
    expect(await code("read", { path: "x".repeat(70_000) })).toBe("forbidden: Not there.");
    const broken = await ruled({ broken: { tools: ["*"], when: "args.path ==", effect: "deny" } });
    expect(await broken.code("read", {})).toMatch(/^forbidden: A rule does not let/);
    const open = await ruled(
      { open: { tools: ["*"], when: "args.missing == 1", effect: "allow" } },
      { tools: { "files__*": { class: "dangerous" } } },
    );
    expect(await open.code("read", {})).toMatch(/^approval_required/);
  });

  it.each(["Path", "PATH", "pAth", "ｐath"])("cannot be judged by an argument that a server may read as another: %s (T43)", async (key) => {
    const when = "has(args.path) && args.path.startsWith('/etc')";
    const { code } = await ruled({ denied: { tools: ["files__read"], when, effect: "deny" } });
    expect(await code("read", { [key]: "/etc/passwd" })).toMatch(/^forbidden/);
    expect(await code("read", { path: "/home", [key]: "/etc/passwd" })).toMatch(/^forbidden/);
    expect(await code("read", { path: "/home", other: "/etc/passwd" })).toBe("done");
    const open = await ruled(
      { open: { tools: ["files__*"], when: "!('path' in args) || args[\"path\"] == '/tmp'", effect: "allow" } },
      { tools: { "files__*": { class: "dangerous" } } },
    );
    expect(await open.code("read", { path: "/tmp" })).toBe("done");
    expect(await open.code("read", { [key]: "/etc" })).toMatch(/^approval_required/);
  });

  it.each([
    ["a member of a member", "has(args.to.path) && args.to.path.startsWith('/etc')", { to: { path: "/tmp", Path: "/etc" } }],
    ["a member of an element", "args.all.exists(one, one.path == '/etc')", { all: [{ path: "/tmp", PATH: "/etc" }] }],
    ["a name in quotes", "args['to']['the path'] == '/etc'", { to: { "the path": "/tmp", "The path": "/etc" } }],
    ["a name that is looked for", "'force' in args.to", { to: { Force: true } }],
  ])("nor by one deeper in them: %s (T43)", async (_what, when, args) => {
    const { code, files } = await ruled({ deep: { ...etc, when } });
    expect(await code("read", args)).toBe("forbidden: Not there.");
    expect(files.calls).toEqual([]);
  });

  it("takes neither functions, nor texts, nor what is said of the user for names of arguments", async () => {
    const when = "user.name != 'x' && args.path.startsWith('/etc') && args.path != 'a.Mode'";
    const { code } = await ruled({ etc: { ...etc, when } });
    expect(await code("read", { path: "/tmp", Name: 1, STARTSWITH: 2, mode: 3 })).toBe("done");
  });

  it("asks a person, or saves asking one; a denial stands before both", async () => {
    const { code } = await ruled(
      {
        big: { tools: ["files__read"], when: "args.bytes > 100", effect: "approve" },
        own: { tools: ["files__*"], when: "user.kind == 'owner' && has(args.path) && args.path.startsWith('/tmp/')", effect: "allow" },
        dots: { tools: ["*"], when: "has(args.path) && args.path.contains('..')", effect: "deny" },
      },
      { tools: { files__delete: { class: "dangerous" }, files__read: { class: "safe" } } },
    );
    expect(await code("read", { bytes: 5 })).toBe("done");
    expect(await code("read", { bytes: 500 })).toMatch(/^approval_required/);
    expect(await code("delete", { path: "/home/x" })).toMatch(/^approval_required/);
    expect(await code("delete", { path: "/tmp/x" })).toBe("done");
    expect(await code("delete", { path: "/tmp/../home/x" })).toMatch(/^forbidden/);
  });

  it("says what it would do of a call that nobody makes", async () => {
    const { gateway, files } = await ruled({ etc, all: { tools: ["*"], when: "size(args) > 9", effect: "approve" } });
    const explain = (args: string) => gateway.toolRules.explain({ caller: OWNER, server: "files", tool: "read", arguments: args });
    expect(await explain('{"path":"/etc/x"}')).toEqual({
      effect: "deny",
      rule: "etc",
      message: "Not there.",
      findings: [
        { rule: "etc", effect: "deny", holds: true, error: null },
        { rule: "all", effect: "approve", holds: false, error: null },
      ],
    });
    expect(await explain("{}")).toMatchObject({ effect: "deny", findings: [{ error: "No such key: path" }, { holds: false }] });
    expect(files.calls).toEqual([]);
  });

  it.each(["args.a.matches('(a+)+$')", "args.a.all(x, args.a.all(y, x != y))"])("of unbounded time is not taken: %s", async (when) => {
    await expect(ruled({ slow: { tools: ["*"], when, effect: "deny" } })).rejects.toMatchObject({ code: "invalid_config" });
  });
});

describe("a rule of the store", () => {
  const PATH = "/api/v1/argument-rules";
  const boss = callerOf("boss", { grants: ["*", "project:*"] });
  const keeper = callerOf("keeper", { grants: ["servers:*", "project:*"] });
  const user = callerOf("user", { grants: ["mcp:*"] });
  const SOON = { timeout: 60_000, interval: 20 };
  const rule = { name: "system", tools: ["files__*"], when: "args.path.startsWith('/etc')", effect: "deny", message: "Not there." };

  async function nodes() {
    const folder = mkdtempSync(join(tmpdir(), "sallyport-rules-"));
    const secret = randomBytes(32).toString("base64");
    const files = listedServer([tool("read")]);
    const mcp = { rules: { fixed: { tools: ["none__*"], when: "true", effect: "deny" as const } } };
    const start = async () => {
      const node = await restGateway([boss, keeper, user], { storage: sqlite(join(folder, "s.db")), secret, mcp });
      await node.gateway.mcp.connect("files", { server: files.server });
      const read = async (path: string) => {
        const { text } = await node.call("POST", "/mcp/execute", { as: "user", body: { tool_name: "files__read", args: { path } } });
        return text.includes("Not there.") ? "denied" : text.includes("approval_required") ? "asked" : "done";
      };
      return { ...node, read };
    };
    const [a, b] = [await start(), await start()];
    onTestFinished(async () => {
      await Promise.all([a.gateway.close(), b.gateway.close()]);
      rmSync(folder, { recursive: true, force: true });
    });
    return { a, b, files };
  }

  it("holds at every node, changes and goes while they run, without a restart", async () => {
    const { a, b, files } = await nodes();
    expect([await a.read("/etc/x"), await b.read("/etc/x")]).toEqual(["done", "done"]);
    const made = await a.call("POST", PATH, { body: rule });
    expect(made).toMatchObject({ status: 201, body: { name: "system", enabled: true } });
    for (const node of [a, b]) await expect.poll(() => node.read("/etc/x"), SOON).toBe("denied");
    expect(await b.read("/home")).toBe("done");
    const path = `${PATH}/${String(made.body["id"])}`;
    expect((await a.call("PATCH", path, { body: { effect: "approve" } })).status).toBe(200);
    await expect.poll(() => b.read("/etc/x"), SOON).toBe("asked");
    expect((await a.call("PATCH", path, { body: { enabled: false } })).status).toBe(200);
    await expect.poll(() => b.read("/etc/x"), SOON).toBe("done");
    await a.call("PATCH", path, { body: { enabled: true, effect: "deny" } });
    await expect.poll(() => b.read("/etc/x"), SOON).toBe("denied");
    expect((await b.call("DELETE", path)).status).toBe(200);
    for (const node of [a, b]) await expect.poll(() => node.read("/etc/x"), SOON).toBe("done");
    expect(files.calls.length).toBeGreaterThan(0);
  });

  it("is refused with where and why when it does not compile, and is nobody's to write who may not", async () => {
    const { a } = await nodes();
    const refused = await a.call("POST", PATH, { body: { ...rule, when: "args.path.startsWith('/etc') &&\n  args.mode ==" } });
    expect([refused.status, codeOf(refused)]).toEqual([400, "validation_failed"]);
    expect(refused.text).toContain("line 2, column");
    expect(refused.body["error"]).toMatchObject({ details: { field: "when", line: 2 } });
    for (const when of ["nothing_known(args.path)", "args.path.startsWith(", "1 + 'a' == 2", "args.a.matches('(a+)+$')"])
      expect([when, codeOf(await a.call("POST", PATH, { body: { ...rule, when } }))]).toEqual([when, "validation_failed"]);
    expect(codeOf(await a.call("POST", PATH, { body: { ...rule, name: "fixed" } }))).toBe("conflict");
    expect((await a.call("POST", PATH, { as: "user", body: rule })).status).toBe(403);
    // What has nobody asked is a matter of approvals as well.
    expect((await a.call("POST", PATH, { as: "keeper", body: { ...rule, effect: "allow" } })).status).toBe(403);
    expect((await a.call("POST", PATH, { as: "keeper", body: rule })).status).toBe(201);
    expect((await a.call("GET", `${PATH}/fixed`)).body).toMatchObject({ name: "fixed", origin: "configuration" });
    expect((await a.call("DELETE", `${PATH}/fixed`)).status).toBe(403);
  });
});
