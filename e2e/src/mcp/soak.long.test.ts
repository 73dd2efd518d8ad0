import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { lyingMcpServer, lies, notice } from "@sallyport/adapter-kit";
import { afterAll, describe, expect, it } from "vitest";
import { OWNER_KEY, served } from "../served.js";

const ROUNDS = 120;
const WARM = 20;
const SESSIONS = 10;
/** What a heap may differ by from one collection to the next without anything being kept. */
const SLACK_BYTES = 6_000_000;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const wire = await lyingMcpServer({ era: "legacy" });
const web = await lyingMcpServer({ era: "legacy" });
const later = await lyingMcpServer({ era: "modern" });
const { gateway, url } = await served({
  mcpServers: { wire: wire.stdio, web: { url: web.url }, later: { url: later.url } },
});
afterAll(() => Promise.all([wire, web, later].map((server) => server.close())));

interface Held {
  readonly heapBytes: number;
  readonly descriptors: number;
  readonly children: number;
}

/** What this process holds once everything that can be collected was. */
async function held(): Promise<Held> {
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    heapBytes: process.memoryUsage().heapUsed,
    descriptors: readdirSync("/proc/self/fd").length,
    children: readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).length,
  };
}

async function session(modern: boolean): Promise<void> {
  const client = new Client(
    { name: "soak", version: "1" },
    { versionNegotiation: { mode: modern ? { pin: "2026-07-28" } : ("legacy" as const) } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${OWNER_KEY}` } },
  });
  await client.connect(transport);
  await client.listTools();
  for (const server of ["wire", "web", "later"]) await client.callTool({ name: `${server}__ok`, arguments: {} });
  const abort = new AbortController();
  const left = client.callTool({ name: "web__effect", arguments: { key: "left" } }, { signal: abort.signal });
  abort.abort();
  await left.catch(() => undefined);
  if (!modern) await transport.terminateSession();
  await client.close();
}

async function round(): Promise<void> {
  await Promise.all(Array.from({ length: SESSIONS }, (_, i) => session(i % 2 === 1)));
  await gateway.mcp.connect("passing", wire.stdio);
  await gateway.mcp.call("passing__ok");
  await gateway.mcp.disconnect("passing");
  web.lie = lies.answeringOthers;
  await gateway.mcp.call("web__ok", {}, { timeoutMs: 1_000 }).catch(() => undefined);
  web.lie = () => false;
  web.tell(notice("notifications/tools/list_changed"));
  // What the servers note down of what they were asked is the test's own, and would grow.
  for (const server of [wire, web, later]) (server.asked as unknown[]).length = 0;
}

describe.runIf(process.platform === "linux")("hours of clients that come and go", () => {
  it("leave memory, descriptors and child processes as they were", async () => {
    for (let i = 0; i < WARM; i++) await round();
    const before = await held();
    for (let i = 0; i < ROUNDS; i++) await round();
    await expect.poll(async () => (await held()).descriptors, { timeout: 30_000 }).toBeLessThanOrEqual(before.descriptors + 3);
    const after = await held();
    expect(after.children).toBe(before.children);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(SLACK_BYTES);
  });
});
