import { describe, expect, it, onTestFinished } from "vitest";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";
import { namedServer } from "./servers/named-server.js";

/** For what comes by itself, on a machine that may be busy. */
const SOON = { timeout: 30_000 };

const boss = callerOf("boss", { grants: ["*", "project:*"] });
const user = callerOf("user", { grants: ["mcp:files__*"] });
const nobody = callerOf("nobody", { grants: ["models:*"] });
const node = process.execPath;
const CONNECTIONS = "/api/v1/admin/connection-instances";
const ADMIN = "/api/v1/admin/gateway/connections";

async function gateway(o: Parameters<typeof restGateway>[1] = {}) {
  const rest = await restGateway([boss, user, nobody], { mcpServers: {}, network: { allowPrivate: true }, ...o });
  onTestFinished(() => rest.gateway.close());
  const tools = async (): Promise<string[]> => {
    const { body } = await rest.call("GET", "/mcp/tools");
    return (body["result"] as { tools: { name: string }[] }).tools.map(({ name }) => name);
  };
  /** Every server of the configuration stands. */
  const ready = () => expect.poll(() => rest.gateway.mcp.status().every(({ connected }) => connected), SOON).toBe(true);
  return { ...rest, tools, ready };
}

describe("a connection", () => {
  it("is put, shown without its credential, kept by [REDACTED], tried, read again and deleted", async () => {
    const server = await namedServer("one");
    const { call, tools } = await gateway();
    const config = { endpoint: server.url, auth_mode: "bearer", credential: "canary-credential", connect_timeout: "5s", call_timeout: 7 };
    const put = await call("PUT", `${CONNECTIONS}/mcp/lab`, { body: { config, description: "the lab" } });
    expect(put).toMatchObject({
      status: 200,
      body: { kind: "mcp", name: "lab", description: "the lab", created_by: "boss", source: "database" },
    });
    expect(put.body["config"]).toMatchObject({ credential: "[REDACTED]", connect_timeout: 5, call_timeout: 7, trust_level: "untrusted" });
    expect(put.text).not.toContain("canary");
    await expect.poll(tools, SOON).toEqual(["lab__one"]);
    const again = await call("PUT", `${CONNECTIONS}/mcp/lab`, {
      body: { config: { ...config, credential: "[REDACTED]", call_timeout: "1m" } },
    });
    expect(again).toMatchObject({ status: 200, body: { config: { call_timeout: 60 } } });
    await expect.poll(() => server.greetings(), SOON).toBeGreaterThan(1);
    await expect.poll(tools, SOON).toEqual(["lab__one"]);
    expect(new Set(server.authorizations())).toEqual(new Set(["Bearer canary-credential"]));
    expect((await call("POST", `${ADMIN}/lab/test`)).body).toEqual({
      healthy: true,
      tools: [{ name: "one", local_name: "lab__one", description: "The tool one" }],
    });
    expect((await call("POST", `${ADMIN}/lab/refresh`)).body).toMatchObject({ healthy: true, tools: [{ local_name: "lab__one" }] });
    expect((await call("GET", `${ADMIN}/lab/status`)).body).toMatchObject({
      name: "lab",
      healthy: true,
      auth_mode: "bearer",
      tools: ["lab__one"],
      last_error: null,
      last_success_at: expect.stringMatching(/^\d{4}-/) as unknown,
      oauth: {
        ...{ configured: false, token_acquired: false, expires_at: null, last_refreshed_at: null, has_refresh_token: false },
        ...{ last_error: null, grant: null, needs_reauth: false, authenticated_by: null, authenticated_at: null },
      },
    });
    expect((await call("DELETE", `${CONNECTIONS}/mcp/lab`)).body).toEqual({ kind: "mcp", name: "lab", deleted: true });
    await expect.poll(tools, SOON).toEqual([]);
    expect((await call("GET", `${CONNECTIONS}/mcp/lab`)).status).toBe(404);
    expect((await call("GET", `${ADMIN}/lab/status`)).status).toBe(404);
  });

  it("that is signed in at says so, keeps its client secret, and does not send it elsewhere (T15)", async () => {
    const server = await namedServer("one");
    const { call } = await gateway();
    const oauth = {
      grant: "client_credentials",
      token_url: `${new URL(server.url).origin}/token`,
      client_id: "us",
      client_secret: "canary-client-secret",
    };
    const put = (change: object) =>
      call("PUT", `${CONNECTIONS}/mcp/lab`, {
        body: { config: { endpoint: server.url, auth_mode: "oauth", oauth: { ...oauth, ...change } } },
      });
    const made = await put({ refresh_max_lifetime: "1h" });
    expect(made).toMatchObject({
      status: 200,
      body: { config: { auth_mode: "oauth", oauth: { client_id: "us", client_secret: "[REDACTED]", refresh_max_lifetime: 3_600 } } },
    });
    expect(made.text).not.toContain("canary");
    expect((await put({ client_secret: "[REDACTED]", scope: "read" })).body).toMatchObject({
      config: { oauth: { scope: "read", client_secret: "[REDACTED]" } },
    });
    await expect
      .poll(async () => (await call("GET", `${ADMIN}/lab/status`)).body)
      .toMatchObject({ auth_mode: "oauth", oauth: { configured: true, grant: "client_credentials" } });
    const moved = await put({ client_secret: "[REDACTED]", token_url: "https://elsewhere.example/token" });
    expect([moved.status, codeOf(moved)]).toEqual([400, "validation_failed"]);
    const wrong = await put({ client_secret: null });
    expect([wrong.status, wrong.text.includes("clientSecret")]).toEqual([400, true]);
  });

  it("that a file declares is shown, and not changed here", async () => {
    const server = await namedServer("one");
    const { call, ready } = await gateway({
      mcpServers: { files: { url: server.url, headers: { authorization: "Bearer canary-of-the-file" } } },
    });
    await ready();
    const shown = await call("GET", `${CONNECTIONS}/mcp/files`);
    expect(shown).toMatchObject({ status: 200, body: { source: "file", config: { credential: "[REDACTED]" } } });
    for (const [method, body] of [
      ["PUT", { config: { endpoint: server.url } }],
      ["DELETE", undefined],
    ] as const) {
      const refused = await call(method, `${CONNECTIONS}/mcp/files`, { body });
      expect([refused.status, codeOf(refused)]).toEqual([409, "conflict"]);
    }
    const effective = await call("GET", `${CONNECTIONS}/effective`);
    expect(effective.body["connections"]).toEqual([
      { kind: "mcp", name: "files", source: "file", file_declared: true, healthy: true, transport: "http", tools: ["files__one"] },
    ]);
    expect((await call("GET", CONNECTIONS)).text).not.toContain("canary");
  });

  it("that does not answer says so, and a test leaves nothing behind", async () => {
    const gone = await namedServer("one");
    await gone.stop();
    const there = await namedServer("two");
    const { call, tools } = await gateway();
    const failed = await call("POST", `${ADMIN}/new/test`, { body: { config: { endpoint: gone.url } } });
    expect(failed).toMatchObject({ status: 200, body: { healthy: false, error: expect.stringContaining("") as unknown } });
    const tried = await call("POST", `${ADMIN}/new/test`, { body: { config: { endpoint: there.url } } });
    expect(tried.body).toMatchObject({ healthy: true, tools: [{ name: "two", local_name: "new__two" }] });
    expect(await tools()).toEqual([]);
    expect((await call("POST", `${ADMIN}/new/test`)).status).toBe(404);
  });

  it("is looked at and changed only by who may, in every project (T04)", async () => {
    const { call } = await gateway();
    for (const as of ["user", "nobody"])
      for (const [method, path] of [
        ["GET", CONNECTIONS],
        ["PUT", `${CONNECTIONS}/mcp/a`],
        ["POST", `${ADMIN}/a/test`],
        ["POST", "/mcp/servers/add"],
      ] as const) {
        const body = method === "PUT" ? { config: {} } : path.endsWith("add") ? { config_data: "{}" } : undefined;
        expect([path, (await call(method, path, { as, body })).status]).toEqual([path, 403]);
      }
  });
});

describe("servers over /mcp/servers", () => {
  it("are added from the JSON of a desktop client, listed, called and removed", async () => {
    const [files, notes] = [await namedServer("read"), await namedServer("write")];
    const { call, tools } = await gateway();
    const data = {
      mcpServers: {
        files: { url: files.url, headers: { Authorization: "Bearer canary-add" } },
        gone: { url: "http://127.0.0.1:1/mcp" },
        notes: { url: notes.url },
      },
    };
    const added = await call("POST", "/mcp/servers/add", { body: { config_data: JSON.stringify(data) } });
    expect(added).toMatchObject({ status: 200, body: { status: "completed" } });
    expect(added.body["result"]).toMatchObject({
      success: false,
      added_servers: [
        { name: "files", uuid: "files", command: null, transport: "http", tools_count: 1 },
        { name: "notes", uuid: "notes", transport: "http", tools_count: 1 },
      ],
      failed_servers: [{ name: "gone", code: "upstream_unavailable" }],
      total_servers: 2,
    });
    expect(await tools()).toEqual(["files__read", "notes__write"]);
    const listed = await call("GET", "/mcp/servers");
    expect(Object.keys(listed.body).sort()).toEqual([
      "active_servers",
      "available_tools",
      "request_id",
      "result",
      "server_count",
      "status",
      "timestamp",
      "tool_count",
    ]);
    expect(listed.body).toMatchObject({ active_servers: 2, available_tools: 2, tool_count: 2, server_count: 2 });
    expect(listed.body["result"]).toMatchObject({ files: { name: "files", transport: "http", tool_count: 1, tools: ["files__read"] } });
    // Each caller sees what it may call.
    expect((await call("GET", "/mcp/servers", { as: "user" })).body).toMatchObject({ server_count: 1, tool_count: 1 });
    expect((await call("GET", "/mcp/servers", { as: "nobody" })).body).toMatchObject({ server_count: 0, result: {} });
    const twice = await call("POST", "/mcp/servers/add", { body: { mcpServers: { files: { url: notes.url } } } });
    expect(twice.body["result"]).toMatchObject({ success: false, failed_servers: [{ name: "files", code: "conflict" }] });
    expect((await call("POST", "/mcp/servers/remove", { body: { server_name: "files" } })).body["result"]).toEqual({
      success: true,
      removed_server: "files",
      remaining: 1,
    });
    await expect.poll(tools, SOON).toEqual(["notes__write"]);
    expect((await call("POST", "/mcp/servers/remove", { body: { server_uuid: "files" } })).status).toBe(404);
  });

  it("refuse what is not on the operator's list before anything is stored, naming the setting (T01)", async () => {
    const files = await namedServer("read");
    const { call, tools } = await gateway();
    for (const bad of [
      { command: node, args: ["-e", "1"] },
      { command: "npx", args: [], env: { A: "1" } },
    ]) {
      const refused = await call("POST", "/mcp/servers/add", { body: { mcpServers: { files: { url: files.url }, bad } } });
      expect([refused.status, codeOf(refused)]).toEqual([403, "stdio_not_allowed"]);
      expect(refused.text).toContain("mcp.allowStdio");
    }
    expect(await tools()).toEqual([]);
    expect(files.greetings()).toBe(0);
  });

  it("take neither of the two forms twice, nor what is no JSON", async () => {
    const { call } = await gateway();
    for (const body of [
      {},
      { config_data: "{" },
      { config_data: "[]" },
      { config_data: "{}", mcpServers: {} },
      { mcpServers: { a: 1 } },
      { mcpServers: { a: { server: {} } } },
      { mcpServers: { a: { url: "http://127.0.0.1:1/mcp", what: 1 } } },
    ])
      expect([JSON.stringify(body), (await call("POST", "/mcp/servers/add", { body })).status]).toEqual([JSON.stringify(body), 400]);
  });
});

describe("tools as plain JSON", () => {
  it("are called by either name of the fields, with honest statuses", async () => {
    const server = await namedServer("read");
    const { call } = await gateway({ mcpServers: { files: { url: server.url } } });
    for (const body of [{ tool_name: "files__read", args: {} }, { name: "files__read", arguments: {} }, { tool_name: "files__read" }])
      expect(await call("POST", "/mcp/execute", { as: "user", body })).toMatchObject({
        status: 200,
        body: {
          status: "completed",
          result: {
            success: true,
            server: "files",
            server_uuid: "files",
            tool: "files__read",
            content: "read",
            result: { content: [{ type: "text" }] },
          },
        },
      });
    const statuses = async (as: string, body: object) => (await call("POST", "/mcp/execute", { as, body })).status;
    expect(await statuses("nobody", { tool_name: "files__read" })).toBe(403);
    expect(await statuses("user", { tool_name: "files__nothing" })).toBe(404);
    expect(await statuses("user", { tool_name: "nowhere__read" })).toBe(404);
    expect(await statuses("user", {})).toBe(400);
    expect(await statuses("user", { tool_name: "files__read", name: "files__read" })).toBe(400);
    expect(await statuses("user", { tool_name: "files__read", args: [] })).toBe(400);
    const down = await gateway({ mcpServers: { files: { url: "http://127.0.0.1:1/mcp" } } });
    expect((await down.call("POST", "/mcp/execute", { as: "user", body: { tool_name: "files__read" } })).status).toBe(502);
  });

  it("are one server's own under /v1/mcp/{server}, resources and prompts too", async () => {
    const server = await namedServer("read");
    const { call, ready } = await gateway({ mcpServers: { files: { url: server.url } } });
    await ready();
    const ask = (operation: string, body: object = {}, as = "boss") => call("POST", `/v1/mcp/files/${operation}`, { as, body });
    expect((await ask("tools/list")).body).toMatchObject({ tools: [{ name: "read" }] });
    expect((await ask("tools/list", {}, "nobody")).body).toMatchObject({ tools: [] });
    expect(await ask("tools/call", { tool: "read", arguments: {} }, "user")).toMatchObject({
      status: 200,
      body: { content: [{ type: "text", text: "read" }] },
    });
    expect((await ask("resources/list")).body).toMatchObject({ resources: [{ uri: "note://read" }] });
    expect((await ask("resources/read", { uri: "note://read" })).body).toMatchObject({ contents: [{ text: "about read" }] });
    expect((await ask("prompts/list")).body).toMatchObject({ prompts: [{ name: "hello" }] });
    expect((await ask("prompts/get", { name: "hello" })).body).toMatchObject({ messages: [{ content: { text: "hello read" } }] });
    const refused = await ask("tools/call", { tool: "read" }, "nobody");
    expect([refused.status, codeOf(refused)]).toEqual([403, "forbidden"]);
    expect((await ask("tools/call", { tool: "nothing" })).status).toBe(404);
    expect((await ask("tools/call", {})).status).toBe(400);
    expect((await call("POST", "/v1/mcp/nowhere/tools/list")).status).toBe(404);
  });

  it("are found by what they are for, the same way each time, and only those that the caller may call", async () => {
    const { call, ready } = await gateway({
      mcpServers: { files: { url: (await namedServer("read_text_file")).url }, web: { url: (await namedServer("searchImages")).url } },
    });
    await ready();
    const search = async (query: string, as = "boss") =>
      (await call("POST", "/mcp/search", { as, body: { query } })).body["result"] as {
        tool_name: string;
        match_score: number;
        reasoning: string;
      }[];
    const found = await search("read a text file");
    expect(found[0]).toMatchObject({
      mcp_server: "files",
      tool_name: "files__read_text_file",
      match_score: 1,
      reasoning: expect.stringContaining('"read"') as unknown,
    });
    expect(await search("read a text file")).toEqual(found);
    expect((await search("serach images"))[0]).toMatchObject({ tool_name: "web__searchImages" });
    expect(await search("images", "user")).toEqual([]);
    expect(await search("zebra")).toEqual([]);
  });
});
