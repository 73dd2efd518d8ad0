import { describe, expect, it, onTestFinished } from "vitest";
import { inboxItem, usageEntry } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { systemClock } from "../../src/memory/system-clock.js";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";
import { listedServer, tool } from "./servers/listed-server.js";

const boss = callerOf("boss", { grants: ["*", "project:*"] });
const reader = callerOf("reader", { grants: ["mcp:files__read", "servers:read", "project:*"] });
const user = callerOf("user", { grants: ["mcp:*"] });
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

async function ruled() {
  const store = memoryStore({ clock: systemClock });
  const rest = await restGateway([boss, reader, user], {
    storage: { name: "kept", open: () => Promise.resolve(store) },
    mcpServers: {},
    mcp: {
      rules: {
        etc: { tools: ["files__*"], when: "args.path.startsWith('/etc')", effect: "deny", message: "Not there" },
        big: { tools: ["files__write"], when: "has(args.bytes) && args.bytes > 100", effect: "approve" },
        own: { tools: ["files__delete"], when: "args.path.startsWith('/tmp/')", effect: "allow" },
      },
    },
    approvals: { tools: { files__delete: { class: "dangerous" } } },
  });
  onTestFinished(() => rest.gateway.close());
  const files = listedServer(["read", "write", "delete", "secret"].map((name) => tool(name)));
  await rest.gateway.mcp.connect("files", {
    server: files.server,
    tools: { deny: ["secret"], overrides: { write: { arguments: { mode: { value: 7 } } } } },
  });
  const explain = (name: string, args?: object, o: { readonly as?: string; readonly key_id?: string } = {}) => {
    const { as = "boss", key_id } = o;
    return rest.call("POST", "/api/v1/mcp/explain", { as, body: { tool: name, arguments: args, key_id } });
  };
  const make = async (name: string, args: object, as: string) => {
    const { text } = await rest.call("POST", "/mcp/execute", { as, body: { tool_name: name, args } });
    return text.includes("approval_required") ? "asks" : /forbidden|tool_not_found/.test(text) ? "refuses" : "passes";
  };
  const written = async () => {
    const scope = { system: "test" };
    const approvals = (await store.find(inboxItem, { orderBy: "createdAtMs", limit: 50 }, scope, within)).rows.length;
    return approvals + (await store.find(usageEntry, { orderBy: "atMs", limit: 50 }, scope, within)).rows.length;
  };
  return { rest, files, explain, make, written };
}

describe("POST /api/v1/mcp/explain", () => {
  it.each([
    ["files__read", { path: "/home" }, "boss", "passes", null, null],
    ["files__read", { path: "/etc/x" }, "boss", "refuses", "argument-rules", "etc"],
    ["files__read", {}, "boss", "refuses", "argument-rules", "etc"],
    ["files__write", { path: "/home", bytes: 500 }, "boss", "asks", "argument-rules", "big"],
    ["files__delete", { path: "/home" }, "boss", "asks", "classification", "configuration"],
    ["files__delete", { path: "/tmp/x" }, "boss", "passes", null, null],
    ["files__secret", { path: "/home" }, "boss", "refuses", "catalogue", "tool_not_found"],
    ["files__none", { path: "/home" }, "boss", "refuses", "catalogue", "tool_not_found"],
    ["nowhere", {}, "boss", "refuses", "catalogue", "tool_not_found"],
    ["files__write", { path: "/home" }, "reader", "refuses", "grants", null],
    ["files__read", { path: "/home" }, "reader", "passes", null, null],
  ] as const)("says of %s with %j by %s that it %s, as becomes of it", async (name, args, as, outcome, by, rule) => {
    const { explain, make, files, written } = await ruled();
    const told = await explain(name, args, { as });
    expect(told.status, told.text).toBe(200);
    expect(told.body).toMatchObject({ tool: name, caller: { id: as }, outcome, decided_by: by, rule });
    expect((told.body["not_checked"] as string[]).length).toBeGreaterThan(0);
    expect([files.calls.length, await written()]).toEqual([0, 0]);
    expect(await make(name, args, as)).toBe(outcome);
  });

  it("says why a rule holds that could not be judged", async () => {
    const { explain } = await ruled();
    const checks = (await explain("files__read", {})).body["checks"] as { by: string; why: string }[];
    expect(checks.find(({ by }) => by === "argument-rules")?.why).toMatch(/^Not there\. It could not be judged, so strictly: \S/);
  });

  it("tells it for a key, and only to who may know rules and keys of all", async () => {
    const { rest, explain } = await ruled();
    const made = await rest.call("POST", "/api/v1/keys", { body: { name: "narrow", scopes: ["mcp:files__read"] } });
    const id = String((made.body["id"] ?? (made.body["key"] as { id?: string } | undefined)?.id) as string);
    expect((await explain("files__read", { path: "/home" }, { key_id: id })).body).toMatchObject({ outcome: "passes" });
    expect((await explain("files__write", { path: "/home" }, { key_id: id })).body).toMatchObject({
      outcome: "refuses",
      decided_by: "grants",
    });
    expect(codeOf(await explain("files__read", {}, { key_id: "key_none" }))).toBe("not_found");
    expect((await explain("files__read", {}, { as: "user" })).status).toBe(403);
  });
});
