import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { allRoutes } from "../../src/routes/index.js";
import { callerOf, restGateway } from "../resources/harness.js";

// Nothing that arrives over HTTP starts a process (T01): every route is given bodies in the shape of a command, by who may do everything, and none of the commands is run.

const boss = callerOf("boss", { grants: ["*", "project:*"] });

it("no route starts a command that a body names, whoever asks (T01)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-t01-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const marker = join(folder, "started");
  const command = {
    command: process.execPath,
    args: ["-e", `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "")`],
    env: { A: "1" },
  };
  const server = { name: "evil", type: "stdio", ...command };
  const { env: _env, ...bare } = command;
  const bodies: readonly unknown[] = [
    server,
    { ...bare, name: "evil", type: "stdio" },
    { config: { type: "stdio", ...bare } },
    { mcpServers: { evil: command } },
    { config_data: JSON.stringify({ mcpServers: { evil: bare } }) },
    { op: "update", id: "evil", patch: bare },
    { key: "mcp.allowStdio", value: [bare] },
    { model: "demo/echo", input: "hi", tools: [server], mcp: server, mcp_servers: [server] },
  ];
  const rest = await restGateway([boss], { mcpServers: {} });
  onTestFinished(() => rest.gateway.close());
  const asked = allRoutes.filter(({ method, open }) => method !== "GET" && method !== "DELETE" && open !== true);
  for (const { method, path } of asked)
    for (const body of bodies) {
      const { status } = await rest.call(method, path.replace(/\{\w+\+?\}/g, "evil"), { body });
      expect([method, path, status === 500 ? "a defect" : "answered"]).toEqual([method, path, "answered"]);
    }
  expect(rest.gateway.mcp.status().filter(({ transport }) => transport === "stdio")).toEqual([]);
  expect(existsSync(marker)).toBe(false);
});
