import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** The forms in which a value might slip through: as it is, halves of it, and as base64, hex and percent-encoding write it. */
export function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  const half = Math.ceil(value.length / 2);
  return [
    ...new Set([
      value,
      value.slice(0, half),
      value.slice(half),
      encodeURIComponent(value),
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      bytes.toString("base64").replace(/=+$/, ""),
      bytes.toString("base64url"),
      JSON.stringify(value).slice(1, -1),
    ]),
  ];
}

/** Secrets that are nowhere else in the world, and the search for them. */
export class Canaries {
  readonly #values = new Map<string, string>();

  /** A new one under this name; `shape` says what stands around it. */
  make(name: string, shape: (unique: string) => string = (unique) => unique): string {
    return this.add(name, shape(`canary${randomBytes(15).toString("base64url").replace(/[-_]/g, "x")}`));
  }
  /** One that the gateway made. */
  add(name: string, value: string): string {
    if (value.length < 16) throw new Error(`${name} is too short to be looked for`);
    this.#values.set(name, value);
    return value;
  }
  get size(): number {
    return this.#values.size;
  }
  get all(): readonly string[] {
    return [...this.#values.values()];
  }
  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** What of them is in the text: the name, where, and some of what stands around it. */
  found(sink: string, text: string, allowed: readonly string[] = []): string[] {
    const hits: string[] = [];
    for (const [name, value] of this.#values) {
      if (allowed.includes(name)) continue;
      for (const form of formsOf(value)) {
        const at = text.indexOf(form);
        if (at < 0) continue;
        hits.push(`${name} in ${sink}: …${text.slice(Math.max(0, at - 160), at + form.length + 40)}…`);
        break;
      }
    }
    return hits;
  }
}

/** What a server was sent, in the words in which a bad one repeats it. */
function quoted(request: IncomingMessage, body: string): string {
  const values = Object.entries(request.headers).filter(([name]) => !["host", "connection", "content-length"].includes(name));
  const said = values.map(([name, value]) => `${name}: ${String(value)}`);
  const credentials = values.flatMap(([, value]) => {
    const text = String(value).replace(/^Bearer /, "");
    return [Buffer.from(text).toString("base64"), Buffer.from(text).toString("hex"), encodeURIComponent(text)];
  });
  return [...said, ...credentials, request.url ?? "", body.slice(0, 2_000)].join(" | ");
}

/**
 * A vendor, MCP server, channel or OpenID provider that fails with status `NNN` of a path `/NNN/…` and repeats in its message and its headers every header that it was sent.
 * `/sse/…` fails in the middle of a stream.
 */
export async function quotingServer() {
  let asked = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      asked++;
      fail(request, response, quoted(request, body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked };
}

function fail(request: IncomingMessage, response: ServerResponse, quote: string): void {
  const kind = (request.url ?? "").split("/")[1] ?? "";
  const error = { message: quote, type: "invalid_request_error", code: "bad", param: quote, status: quote };
  const key = String(request.headers.authorization ?? request.headers["x-api-key"] ?? request.headers["x-goog-api-key"] ?? "none");
  const headers = { "x-request-id": key, "request-id": key, "www-authenticate": `Bearer error="${key}"`, "retry-after-ms": key };
  if (kind === "sse") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 1, model: "m", choices: [] })}\n\n`);
    response.end(`data: ${JSON.stringify({ error })}\n\n`);
    return;
  }
  if (kind === "garbage") {
    response.writeHead(200, { "content-type": "application/json", ...headers });
    response.end(`not json: ${quote}`);
    return;
  }
  const status = /^[45]\d\d$/.test(kind) ? Number(kind) : 500;
  const type = quote.length % 2 === 0 ? "application/json" : "text/html";
  response.writeHead(status, { "content-type": type, ...headers });
  response.end(JSON.stringify({ type: "error", error, error_description: quote, jsonrpc: "2.0", id: 1, message: quote }));
}

/** A provider of OpenID whose token endpoint refuses and quotes, or cannot be read at all. */
export async function quotingIssuer() {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      if (request.url === "/.well-known/openid-configuration") {
        response.writeHead(200, { "content-type": "application/json" }).end(
          JSON.stringify({
            issuer,
            authorization_endpoint: `${issuer}/authorize`,
            token_endpoint: `${issuer}/token`,
            jwks_uri: `${issuer}/jwks`,
            response_types_supported: ["code"],
            code_challenge_methods_supported: ["S256"],
          }),
        );
        return;
      }
      const quote = quoted(request, body);
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid_client", error_description: quote, error_uri: quote }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void (server.closeAllConnections(), server.close()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
