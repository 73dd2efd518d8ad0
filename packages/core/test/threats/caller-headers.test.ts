import { once } from "node:events";
import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { randomOf } from "../resources/mutations.js";

const results: Record<string, unknown> = {
  initialize: { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "web", version: "1" } },
  "tools/list": { tools: [{ name: "t", inputSchema: { type: "object" } }] },
  "tools/call": { content: [] },
};

/** A vendor and an MCP server that notes the names and values of the headers that it is sent. */
async function capturing() {
  const seen: { path: string; raw: string[] }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      seen.push({ path: request.url ?? "", raw: request.rawHeaders });
      if (request.url === "/mcp") {
        if (request.method !== "POST") return void response.writeHead(405).end();
        const { id, method } = JSON.parse(body) as { id?: number; method: string };
        if (id === undefined) return void response.writeHead(202).end();
        const result = results[method];
        const answer = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
        return;
      }
      response.writeHead(400, { "content-type": "application/json" }).end('{"error":{"message":"no"}}');
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** What callers have sent to other gateways to be taken for somebody else, or to make an upstream believe something. */
const known = [
  ...[
    "X-Upstream-Authorization",
    "X-Provider-Key",
    "X-Openai-Api-Key",
    "OpenAI-Organization",
    "OpenAI-Project",
    "OpenAI-Beta",
    "Cookie",
    "Cookie2",
  ],
  ...[
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
    "X-Client-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
  ],
  ...["anthropic-version", "x-goog-user-project", "x-goog-request-params", "X-Amz-Security-Token", "X-Amz-Date", "X-Ms-Client-Principal"],
  ...["Proxy-Authorization", "Proxy-Connection", "Via", "X-Original-Url", "X-Rewrite-Url", "X-Http-Method-Override", "Accept-Language"],
  ...["Accept-Charset", "Referer", "User-Agent", "DNT", "Pragma", "Cache-Control", "If-None-Match", "If-Modified-Since", "Range", "TE"],
  ...["X-Stainless-Lang", "X-Stainless-Retry-Count", "HTTP-Referer", "X-Title", "Helicone-Auth", "X-Portkey-Config", "X-LiteLLM-Key"],
  ...["Idempotency-Key", "Traceparent", "Tracestate", "Baggage", "X-B3-TraceId", "X-Request-Id", "X-Correlation-Id", "X-Csrf-Token"],
  ...["Link", "Date", "From", "Max-Forwards", "Warning", "X-User-Id", "X-Tenant-Id", "X-Role"],
  ...["X-Goog-Api-Client", "X-Auth-Token", "X-Access-Token", "X-Forwarded-User", "X-Remote-User", "X-Api-Version", "Api-Version", "X-Org"],
];
const token = "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";

it("of 60 known and 500 random headers exactly those of the list reach an upstream, from every face (T14)", async () => {
  const upstream = await capturing();
  const random = randomOf(14);
  const gateway = await createTestGateway({
    providers: {
      lab: { vendor: "openai-compatible", baseUrl: `${upstream.url}/v1`, apiKey: "sk-of-the-gateway", models: ["m"] },
      anthropic: { baseUrl: upstream.url, apiKey: "sk-of-the-gateway" },
      google: { baseUrl: upstream.url, apiKey: "sk-of-the-gateway" },
    },
    mcpServers: { web: { url: `${upstream.url}/mcp`, headers: { "x-own": "ours" } } },
  });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close({ graceMs: 0 });
  });
  const messages = [{ role: "user", content: "hi" }];
  const faces: [string, object][] = [
    ["/v1/chat/completions", { model: "lab/m", messages }],
    ["/v1/responses", { model: "lab/m", input: "hi" }],
    ["/v1/messages", { model: "anthropic/claude-sonnet-5", max_tokens: 9, messages }],
    ["/v1beta/models/google/gemini-2.5-flash:generateContent", { contents: [{ parts: [{ text: "hi" }] }] }],
    ["/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "web__t", arguments: {} } }],
  ];
  const ask = (path: string, body: object, extra: Record<string, string>) =>
    new Promise<number>((resolve, reject) => {
      const text = JSON.stringify(body);
      const headers = {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
        accept: "application/json, text/event-stream",
        authorization: `Bearer ${TEST_OWNER_KEY}`,
        ...extra,
      };
      const { port } = serving;
      const asked = send({ host: "127.0.0.1", port, path, method: "POST", headers }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0));
      });
      asked.on("error", reject);
      asked.end(text);
    });
  const randomName = (): string => `x${Array.from({ length: 2 + Math.floor(random.next() * 20) }, () => random.pick([...token])).join("")}`;
  const groups: Record<string, string>[] = [];
  for (let at = 0; at < known.length; at += 20)
    groups.push(Object.fromEntries(known.slice(at, at + 20).map((name) => [name, "smuggled-value"])));
  for (let i = 0; i < 10; i++) groups.push(Object.fromEntries(Array.from({ length: 50 }, () => [randomName(), "smuggled-value"])));
  let reached = 0;
  for (const [path, body] of faces)
    for (const group of groups) {
      const before = upstream.seen.length;
      await ask(path, body, group);
      reached += upstream.seen.length - before;
    }
  expect(known.length).toBeGreaterThanOrEqual(60);
  expect(reached).toBeGreaterThanOrEqual(faces.length * groups.length);
  const names = new Set<string>();
  for (const { raw } of upstream.seen) {
    // Names of the list may come, values of the caller may not.
    expect(raw.join("\n")).not.toContain("smuggled-value");
    expect(raw.join("\n")).not.toContain(TEST_OWNER_KEY);
    for (let i = 0; i < raw.length; i += 2) names.add(raw[i]!.toLowerCase());
  }
  const allowed = [
    "accept",
    "accept-encoding",
    "anthropic-version",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "mcp-method",
    "mcp-protocol-version",
    "transfer-encoding",
    "user-agent",
    "x-api-key",
    "x-goog-api-key",
    "x-own",
  ];
  expect([...names].filter((name) => !allowed.includes(name)).sort()).toEqual([]);

  // Another credential beside the caller's own is not smuggled either: the call is refused.
  for (const name of ["api-key", "x-api-key", "x-goog-api-key"]) {
    const before = upstream.seen.length;
    for (const [path, body] of faces) expect([path, await ask(path, body, { [name]: "sk-of-the-caller" })]).toEqual([path, 401]);
    expect(upstream.seen.length).toBe(before);
  }

  // What a dialect declares of its callers goes on to a vendor of the same dialect, its valid values alone.
  await ask("/v1/messages", faces[2]![1], { "anthropic-beta": "context-1m-2025-08-07, bad value\u0009, x" });
  const last = upstream.seen.at(-1)!.raw;
  expect(last.some((one) => one.toLowerCase() === "anthropic-beta")).toBe(true);
  expect(last.join("\n")).not.toContain("bad value");
});
