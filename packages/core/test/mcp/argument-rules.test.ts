import { describe, expect, it, onTestFinished } from "vitest";
import type { ConfigInput } from "../../src/config/schema.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
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
