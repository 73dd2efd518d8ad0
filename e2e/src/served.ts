import { afterAll } from "vitest";
import { Gateway, type GatewayOptions } from "@sallyport/core";
import { serve } from "@sallyport/core/node";

export const OWNER_KEY = "e2e-owner-key-4c1d8f0b7a2e9635-only-on-loopback";

/** A gateway on bare node:http on a free port, closed after the suite. */
export async function served(options: GatewayOptions = {}): Promise<{ readonly gateway: Gateway; readonly url: string }> {
  const gateway = new Gateway({ env: {}, ownerKey: OWNER_KEY, ...options, logging: { level: "silent", ...options.logging } });
  const server = await serve(gateway, { host: "127.0.0.1", port: 0 });
  afterAll(async () => {
    await server.close();
    await gateway.close({ graceMs: 100 });
  });
  return { gateway, url: server.url };
}

/** A call over HTTP with the owner's key; the target is "GET /path". */
export function caller(url: string) {
  return async (target: string, body?: unknown, headers: Record<string, string> = {}) => {
    const [method, path] = target.split(" ") as [string, string];
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER_KEY}`, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (response.headers.get("content-type") ?? "").includes("json") ? (JSON.parse(text) as Record<string, unknown>) : null;
    return { status: response.status, headers: response.headers, text, json };
  };
}
