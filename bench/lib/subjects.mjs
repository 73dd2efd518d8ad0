import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { start } from "./processes.mjs";

const script = (name) => new URL(`../subjects/${name}.mjs`, import.meta.url).pathname;
export const OWNER_KEY = "bench-owner-key-7f3a9c1e5d2b8640-only-on-loopback";
const bearer = { authorization: `Bearer ${OWNER_KEY}` };

export const startVendor = (env = {}) => start(script("mock-vendor"), { core: 1, env });

export async function startSubjects(upstream, names) {
  const subjects = [];
  for (const name of names) {
    const made = await makers[name](upstream);
    if (made !== null) subjects.push({ name, ...made });
  }
  return subjects;
}

const sallyport = (store) => async (upstream) => {
  const child = await start(script("sallyport"), { env: { UPSTREAM: String(upstream), OWNER_KEY, STORE: store() } });
  return { process: child, port: child.port, request: { headers: bearer } };
};

const makers = {
  direct: async (upstream) => ({ process: null, port: upstream, request: {} }),
  "thin JSON proxy": async (upstream) => plain(await start(script("thin-proxy"), { env: { UPSTREAM: String(upstream) } })),
  "thin proxy, list kept": async (upstream) => plain(await start(script("thin-list-proxy"), { env: { UPSTREAM: String(upstream) } })),
  "sallyport, memory": sallyport(() => "memory:"),
  "sallyport, sqlite": sallyport(() => `sqlite:${join(mkdtempSync(join(tmpdir(), "sallyport-bench-")), "bench.db")}`),
  "sdk passthrough": async (upstream) => plain(await start(script("sdk-passthrough"), { env: { UPSTREAM: String(upstream) } })),
  portkey: async (upstream) => {
    const child = await start(script("portkey"));
    const headers = {
      "x-portkey-provider": "openai",
      "x-portkey-custom-host": `http://127.0.0.1:${upstream}/v1`,
      authorization: "Bearer sk-mock",
    };
    return { process: child, port: child.port, request: { headers } };
  },
  "portkey, translating": async (upstream) => {
    const child = await start(script("portkey"));
    const headers = {
      "x-portkey-provider": "anthropic",
      "x-portkey-custom-host": `http://127.0.0.1:${upstream}/v1`,
      authorization: "Bearer sk-mock",
    };
    return { process: child, port: child.port, request: { headers } };
  },
  "ai sdk in express": async (upstream) => plain(await start(script("ai-sdk"), { env: { UPSTREAM: String(upstream) } })),
  "sallyport, stdio": async (upstream) => {
    const env = { UPSTREAM: String(upstream), OWNER_KEY, STORE: "memory:", MCP_COMMAND: script("echo-stdio") };
    const child = await start(script("sallyport"), { env });
    return { process: child, port: child.port, request: { headers: bearer } };
  },
  "mcp-proxy, stdio": () =>
    command("mcp-proxy/dist/bin/mcp-proxy.mjs", ["--port", "PORT", "--server", "stream", "--", process.execPath, script("echo-stdio")]),
  "supergateway, stdio": () =>
    command("supergateway/dist/index.js", [
      ...["--stdio", `${process.execPath} ${script("echo-stdio")}`, "--outputTransport", "streamableHttp"],
      ...["--stateful", "--port", "PORT", "--logLevel", "none"],
    ]),
  "mcp-proxy": async (upstream) => {
    const child = await start(script("mcp-proxy"), { env: { UPSTREAM: String(upstream) } });
    return { process: child, port: child.port, request: { headers: await openSession(child.port) } };
  },
};
async function command(module, args) {
  const child = await start(script("command-line"), {
    env: { PEER: new URL(`../node_modules/${module}`, import.meta.url).pathname, ARGS: JSON.stringify(args) },
  });
  return { process: child, port: child.port, request: { headers: await openSession(child.port) } };
}
/** A session of the protocol's older era: its id goes with every later request. */
async function openSession(port) {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } };
  const answer = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params }),
  });
  await answer.text();
  return { "mcp-session-id": answer.headers.get("mcp-session-id"), "mcp-protocol-version": "2025-11-25" };
}
const plain = (child) => ({ process: child, port: child.port, request: {} });
