import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { closed } from "../proxy-harness.js";

export interface RawServer {
  readonly url: string;
  /** What was posted, byte for byte, by method. */
  readonly got: Map<string, string>;
  readonly headers: Map<string, Record<string, string | string[] | undefined>>;
  /** JSON text of the result of the next `tools/call`, `prompts/get` or `resources/read`. */
  result: string;
  /** JSON text of the error in its place; null: none. */
  error: string | null;
  /** What stands beside it in the message: members, each after a comma. */
  beside: string;
}

const ASKED = new Set(["tools/call", "prompts/get", "resources/read", "completion/complete"]);

/** An upstream in raw JSON text: of either era, it answers with the very text that the test gives it. */
export async function rawServer(era: "legacy" | "modern", tools: readonly object[]): Promise<RawServer> {
  const got = new Map<string, string>();
  const headers: RawServer["headers"] = new Map();
  const raw: RawServer = { url: "", got, headers, result: "{}", error: null, beside: "" };
  const capabilities = { tools: {}, prompts: {}, resources: {} };
  const answer = (method: string): string => {
    switch (method) {
      case "initialize":
        return JSON.stringify({ protocolVersion: "2025-11-25", capabilities, serverInfo: { name: "raw", version: "1" } });
      case "server/discover":
        return era === "legacy"
          ? ""
          : JSON.stringify({ resultType: "complete", ttlMs: 0, cacheScope: "public", supportedVersions: ["2026-07-28"], capabilities });
      case "tools/list":
        return JSON.stringify({ resultType: "complete", ttlMs: 0, cacheScope: "public", tools });
      case "prompts/list":
        return JSON.stringify({ prompts: [{ name: "p" }] });
      case "resources/list":
        return JSON.stringify({ resources: [{ name: "r", uri: "raw://r" }] });
      case "resources/templates/list":
        return JSON.stringify({ resourceTemplates: [] });
      default:
        return raw.result;
    }
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.method !== "POST") return void response.writeHead(405).end();
      const body = Buffer.concat(chunks).toString();
      const { id, method } = JSON.parse(body) as { id?: number; method: string };
      got.set(method, body);
      headers.set(method, request.headers);
      if (id === undefined) return void response.writeHead(202).end();
      const result = answer(method);
      const text =
        result === ""
          ? `{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"no"}}`
          : raw.error !== null && ASKED.has(method)
            ? `{"jsonrpc":"2.0","id":${id},"error":${raw.error}${raw.beside}}`
            : `{"result":${result},"id":${id},"jsonrpc":"2.0"${ASKED.has(method) ? raw.beside : ""}}`;
      response.writeHead(200, { "content-type": "application/json" }).end(text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => closed(server));
  return Object.assign(raw, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` });
}
