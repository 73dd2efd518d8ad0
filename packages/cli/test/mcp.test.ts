import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client as NewClient } from "@modelcontextprotocol/client";
import { StdioClientTransport as NewTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { describe, expect, it } from "vitest";
import { emptyFolder, run } from "./command.js";

const bin = fileURLToPath(new URL("../bin/sallyport.js", import.meta.url));

/** For what comes by itself, on a machine that may be busy. */
const SOON = { timeout: 60_000 };

/** A server of one tool, which answers with the id of its process. */
const SERVER = `
const answer = ({ id, method }) => {
  if (method === "initialize") return { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "pid", version: "1" } };
  if (method === "tools/list") return { tools: [{ name: "pid", inputSchema: { type: "object" } }] };
  if (method === "tools/call") return { content: [{ type: "text", text: String(process.pid) }] };
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const message = JSON.parse(line);
  if (message.id === undefined) return;
  const result = answer(message);
  console.log(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...(result ? { result } : { error: { code: -32601, message: "no" } }) }));
});
`;

/** A folder with a configuration of that server. */
function place(): string {
  const cwd = emptyFolder();
  const server = join(cwd, "pid.cjs");
  writeFileSync(server, SERVER);
  writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify({ mcpServers: { own: { command: process.execPath, args: [server] } } }));
  return cwd;
}
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("sallyport mcp serve", () => {
  it.each([
    ["the older SDK", () => new OldClient({ name: "t", version: "1" }), OldTransport],
    ["the newer SDK", () => new NewClient({ name: "t", version: "1" }, { versionNegotiation: { mode: "auto" } }), NewTransport],
  ])(
    "serves a client of %s on standard input and output, with nothing else there, and ends its children with it (T48)",
    async (_sdk, make, Transport) => {
      const cwd = place();
      const env = { PATH: process.env["PATH"] ?? "", HOME: cwd };
      const transport = new Transport({ command: process.execPath, args: [bin, "mcp", "serve"], cwd, env, stderr: "pipe" });
      const problems: unknown[] = [];
      const client = make();
      client.onerror = (error: unknown) => void problems.push(error);
      await client.connect(transport as never);
      await expect.poll(async () => (await client.listTools()).tools.map(({ name }) => name), SOON).toEqual(["own__pid"]);
      const { content } = (await client.callTool({ name: "own__pid", arguments: {} })) as { content: { text: string }[] };
      const pids = [Number(content[0]!.text), transport.pid!];
      expect(pids.map(isAlive)).toEqual([true, true]);
      await client.close();
      await expect.poll(() => pids.map(isAlive), { timeout: 30_000 }).toEqual([false, false]);
      expect(problems).toEqual([]);
    },
  );

  it("answers what was asked before its input ended, and exits 0", async () => {
    const { child, finished } = run(["mcp", "serve"], { cwd: emptyFolder() });
    const say = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    say({
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    });
    say({ method: "notifications/initialized" });
    say({ id: 2, method: "tools/call", params: { name: "demo__calculator", arguments: { expression: "6 * 7" } } });
    child.stdin.end();
    const { code, out } = await finished;
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { id: number; result: object });
    expect(code).toBe(0);
    expect(lines.map(({ id }) => id)).toEqual([1, 2]);
    expect(lines[1]!.result).toMatchObject({ structuredContent: { value: 42 } });
  });
});

it("sallyport mcp list, call and probe print what is there, and say what is not", async () => {
  const cwd = place();
  const told = async (...args: string[]) => {
    const { code, out, err } = await run(["mcp", ...args], { cwd }).finished;
    return { code, out: out.trim(), err };
  };
  await expect.poll(() => told("list"), SOON).toMatchObject({ code: 0, out: "own__pid" });
  const called = await told("call", "own__pid");
  expect([called.code, isAlive(Number(called.out))]).toEqual([0, false]);
  expect(await told("call", "own__pid", "{")).toMatchObject({ code: 1, err: expect.stringContaining("no JSON object") as unknown });
  expect(await told("probe", "--", process.execPath, "pid.cjs")).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^pid 1 {2}stdio, MCP 2025-06-18\n {2}pid$/) as unknown,
  });
  expect(await told("nothing")).toMatchObject({ code: 1, err: expect.stringContaining('no "mcp nothing"') as unknown });
});
