import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { closed } from "../proxy-harness.js";

/** A server of 2026-07-28 over HTTP with one tool of this name, which answers with it; it knows how it was greeted and with which credentials. */
export async function namedServer(tool: string) {
  const seen: { readonly method: string; readonly headers: IncomingHttpHeaders }[] = [];
  const capabilities = { tools: {}, resources: {}, prompts: {} };
  const base = { resultType: "complete", ttlMs: 0, cacheScope: "public" };
  const answers: Readonly<Record<string, object>> = {
    "server/discover": { ...base, supportedVersions: ["2026-07-28"], capabilities, instructions: `How to use ${tool}.` },
    "tools/list": { ...base, tools: [{ name: tool, description: `The tool ${tool}`, inputSchema: { type: "object" } }] },
    "tools/call": { resultType: "complete", content: [{ type: "text", text: tool }] },
    "resources/list": { ...base, resources: [{ name: "note", uri: `note://${tool}` }] },
    "resources/templates/list": { ...base, resourceTemplates: [] },
    "resources/read": { ...base, contents: [{ uri: `note://${tool}`, text: `about ${tool}` }] },
    "prompts/list": { ...base, prompts: [{ name: "hello" }] },
    "prompts/get": { resultType: "complete", messages: [{ role: "user", content: { type: "text", text: `hello ${tool}` } }] },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id?: number; method: string };
      seen.push({ method, headers: request.headers });
      if (id === undefined) return void response.writeHead(202).end();
      const result = answers[method];
      const said = result === undefined ? { error: { code: -32601, message: "no" } } : { result };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id, ...said }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  const headers = (name: string): string[] => seen.flatMap(({ headers: sent }) => (sent[name] === undefined ? [] : [String(sent[name])]));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    stop: () => closed(server),
    authorizations: () => headers("authorization"),
    keys: () => headers("x-api-key"),
    greetings: () => seen.filter(({ method }) => method === "server/discover").length,
    calls: (method: string) => seen.filter((one) => one.method === method).length,
  };
}
