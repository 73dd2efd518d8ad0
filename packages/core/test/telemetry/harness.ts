import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { storedColumns, usageEntry, type UsageRow } from "../../src/entities/index.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { memoryStore } from "../../src/memory/index.js";
import type { RecordStore } from "../../src/ports/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

export const scope = { system: "test" };
export const within = () => ({ deadlineMs: Number.MAX_SAFE_INTEGER });
export const SECRET = "c2VjcmV0LW9mLXRoZS10ZWxlbWV0cnktdGVzdHMtMDE=";

/** A gateway over a store that the test can read, asked over HTTP. */
export async function watched(options: GatewayOptions = {}, store: RecordStore = memoryStore()) {
  const storage = { name: "shared", open: () => Promise.resolve(unclosable(store)) };
  const gateway = await createTestGateway({ storage, secret: SECRET, ...options });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const request = async (method: string, path: string, o: { body?: unknown; headers?: Record<string, string>; key?: string } = {}) => {
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: {
          authorization: `Bearer ${o.key ?? TEST_OWNER_KEY}`,
          ...(o.body === undefined ? {} : { "content-type": "application/json" }),
          ...o.headers,
        },
        ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }),
      }),
    );
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  const get = (path: string, key?: string) => request("GET", path, key === undefined ? {} : { key });
  const chat = (o: { body?: Record<string, unknown>; headers?: Record<string, string> } = {}) =>
    request("POST", "/v1/chat/completions", {
      body: { model: "demo/echo", messages: [{ role: "user", content: "hi" }], ...o.body },
      ...(o.headers === undefined ? {} : { headers: o.headers }),
    });
  return { gateway, store, request, get, chat };
}
export type Watched = Awaited<ReturnType<typeof watched>>;

// oxlint-disable-next-line typescript/no-explicit-any -- what a test reads of an answer, it expects
function parsed(text: string): any {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** Once `look` gives something; the ledger is written a moment after the answer. */
export async function soon<T>(look: () => Promise<T | null | undefined | false> | T | null | undefined | false): Promise<T> {
  for (const until = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found as T;
    if (Date.now() > until) throw new Error("it did not happen");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A row of the usage ledger, whatever columns it has: null where it may be. */
export function usageRow(over: Partial<UsageRow> & Pick<UsageRow, "id" | "atMs">): UsageRow {
  const blank = Object.fromEntries(storedColumns(usageEntry).flatMap(({ name, nullable }) => (nullable ? [[name, null]] : [])));
  const call = {
    projectId: "default",
    callerId: "c",
    kind: "model",
    operation: "generate",
    name: "m",
    provider: "p",
    model: "m",
    attempts: 1,
  };
  return { ...(blank as unknown as UsageRow), ...call, estimated: false, partial: false, status: 200, durationMs: 10, ...over } as UsageRow;
}

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A real server on loopback that keeps what it is sent. */
export async function receiver(answer: (n: number, seen: Received) => number = () => 200) {
  const seen: Received[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const one = { path: request.url ?? "", headers: request.headers, body };
      seen.push(one);
      response.writeHead(answer(seen.length, one), { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

/** The store as a gateway gets it: what the gateway closes, the test still reads. */
export function unclosable(store: RecordStore): RecordStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "close") return () => Promise.resolve();
      const value = target[name as keyof RecordStore];
      return typeof value === "function" ? (value as () => unknown).bind(target) : value;
    },
  });
}
