import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { onTestFinished } from "vitest";
import { Gateway } from "../../src/gateway.js";
import type { GatewayOptions } from "../../src/gateway-options.js";
import { serve } from "../../src/node/index.js";
import type { RecordStore } from "../../src/ports/index.js";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test reads of an answer, it expects
  readonly json: any;
}
export interface SendInit {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** null: no credential. */
  readonly key?: string | null;
}

/** A folder of the test's own, gone with it. */
export function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-threats-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The file's bytes, its log's too, as one text that holds every byte as one character. */
export function bytesOf(folder: string, except: readonly string[] = []): string {
  return readdirSync(folder)
    .filter((name) => !except.includes(name))
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("\n");
}

/** A store whose every method fails while `fails` says how. */
function breakable(store: RecordStore, fails: () => ((given: unknown) => Error) | null): RecordStore {
  return new Proxy(store, {
    get: (target, name) => {
      const value = target[name as keyof RecordStore];
      if (typeof value !== "function" || name === "close")
        return typeof value === "function" ? (value as () => unknown).bind(target) : value;
      return (...args: unknown[]) => {
        const fail = fails();
        return fail === null ? (value as (...given: unknown[]) => unknown).apply(target, args) : Promise.reject(fail(args));
      };
    },
  });
}

/**
 * A gateway on a SQLite file, over real sockets. Kept: every line of its log, all that the process writes meanwhile, and every answer. `breakStore` makes the store fail, with
 * an error that quotes what it was given.
 */
export async function gatewayOnSqlite(options: GatewayOptions & { readonly ownerKey: string }) {
  const folder = ownFolder();
  let fails: ((given: unknown) => Error) | null = null;
  const adapter = sqlite(join(folder, "gateway.db"));
  const lines: string[] = [];
  const written: string[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const original = stream.write.bind(stream);
    stream.write = ((chunk: string | Uint8Array, ...rest: []) => {
      written.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
      return original(chunk, ...rest);
    }) as typeof stream.write;
    onTestFinished(() => void (stream.write = original));
  }
  const gateway = new Gateway({
    env: {},
    storage: { name: "sqlite", open: async (o: never) => breakable(await adapter.open(o), () => fails) },
    logging: { level: "debug" },
    log: (level, message, fields) => lines.push(JSON.stringify([level, message, fields])),
    ...options,
  });
  await gateway.start();
  const serving = await serve(gateway, { port: 0 });
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    fails = null;
    await serving.close();
    await gateway.close({ graceMs: 0 });
  };
  onTestFinished(close);
  const answers: Sent[] = [];
  const send = async (line: string, o: SendInit = {}): Promise<Sent> => {
    const [method = "", path = ""] = line.split(" ");
    const key = o.key === undefined ? options.ownerKey : o.key;
    const headers = { "content-type": "application/json", ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...o.headers };
    const body = o.body === undefined || typeof o.body === "string" ? (o.body as string | undefined) : JSON.stringify(o.body);
    const init = { method, headers, redirect: "manual" as const, signal: AbortSignal.timeout(60_000) };
    const response = await fetch(serving.url + path, { ...init, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    let json: unknown = null;
    try {
      json = JSON.parse(text);
    } catch {
      // Not every answer is JSON.
    }
    const sent = { method, path, status: response.status, headers: response.headers, text, json };
    answers.push(sent);
    return sent;
  };
  return {
    ...{ gateway, serving, send, answers, lines, written, folder, close },
    breakStore: (how: ((given: unknown) => Error) | null) => void (fails = how),
    file: (name: string, text: string) => {
      const path = join(ownFolder(), name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
  };
}
export type WholeGateway = Awaited<ReturnType<typeof gatewayOnSqlite>>;
