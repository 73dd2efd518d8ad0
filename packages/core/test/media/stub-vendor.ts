import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Gateway, type GatewayOptions } from "../../src/index.js";

/** A request as the vendor got it. */
export interface Got {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly json: Record<string, never>;
}
export type Answer = (got: Got, answer: ServerResponse, base: string) => void;

const open: (() => Promise<void> | void)[] = [];
/** Ends every server and gateway of a test; for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).reverse()) await close();
}

/** A vendor on loopback that answers as the test says. What it answers is made up after the vendor's documentation: nothing here was recorded. */
export async function stubVendor(answer: Answer): Promise<{ readonly base: string; readonly got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const isJson = (incoming.headers["content-type"] ?? "").startsWith("application/json");
      const request = {
        ...{ method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers, bytes },
        json: (isJson ? JSON.parse(bytes.toString()) : {}) as Record<string, never>,
      };
      got.push(request);
      answer(request, outgoing, base);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  open.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base, got };
}

export function sendJson(answer: ServerResponse, body: unknown, status = 200): void {
  answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
export function sendBytes(answer: ServerResponse, body: Uint8Array, type: string): void {
  answer.writeHead(200, { "content-type": type }).end(body);
}

export const KEY = "sk-vendor-key-0123456789abcdef";
/** A gateway with one provider, in code. */
export function gatewayTo(providers: GatewayOptions["providers"], more: GatewayOptions = {}): Gateway {
  const gateway = new Gateway({
    ...{ env: {}, ownerKey: "media-owner-key-4c1d8f0b7a2e9635-xyz", logging: { level: "silent" }, mcpServers: {}, providers },
    ...more,
  });
  open.push(() => gateway.close({ graceMs: 100 }));
  return gateway;
}
