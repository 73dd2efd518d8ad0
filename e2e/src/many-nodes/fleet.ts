import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { bundled } from "../bundled.js";
import { OWNER_KEY, type Asked, type NodeOptions } from "./process/node-options.js";

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}
export type Call = (target: string, body?: unknown, headers?: Record<string, string>) => Promise<Answered>;

/** One gateway process. */
export interface GatewayNode {
  readonly process: ChildProcess;
  readonly url: string;
  /** As the owner, unless the headers name another key; the target is "GET /path". */
  readonly call: Call;
  readonly ask: <T = unknown>(method: Asked["method"], args?: Record<string, unknown>) => Promise<T>;
  readonly errors: () => string;
  readonly ended: Promise<number | null>;
}

async function startNode(program: string, options: NodeOptions): Promise<GatewayNode> {
  const child = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: ["pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  const ended = once(child, "close").then(([code]) => {
    for (const { reject } of waiting.values()) reject(new Error(`The process ended: ${errors}`));
    return code as number | null;
  });
  let count = 0;
  const url = await new Promise<string>((resolve, reject) => {
    void ended.then(() => reject(new Error(`The process ended before it was ready: ${errors}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const space = line.indexOf(" ");
      const value = JSON.parse(line.slice(space + 1)) as { url: string; id: number; value: never; error?: string };
      if (line.startsWith("ready")) return resolve(value.url);
      const asked = waiting.get(value.id);
      waiting.delete(value.id);
      if (value.error === undefined) asked?.resolve(value.value);
      else asked?.reject(new Error(value.error));
    });
  });
  const ask = <T>(method: Asked["method"], args: Record<string, unknown> = {}): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = ++count;
      waiting.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, method, args } satisfies Asked)}\n`);
    });
  return { process: child, url, call: callerOf(() => url), ask, errors: () => errors, ended };
}

function callerOf(next: () => string): Call {
  return async (target, body, headers = {}) => {
    const [method, path] = target.split(" ") as [string, string];
    const response = await fetch(`${next()}${path}`, {
      method,
      headers: { authorization: `Bearer ${OWNER_KEY}`, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, headers: response.headers, text, json: isJson ? (JSON.parse(text) as Record<string, unknown>) : {} };
  };
}

/** Several gateway processes on one store, and a balancer that knows no stickiness: one request here, the next one there. */
export interface Fleet {
  readonly nodes: readonly GatewayNode[];
  readonly call: Call;
  add(): Promise<GatewayNode>;
  close(): Promise<void>;
}

export async function startFleet(count: number, options: NodeOptions): Promise<Fleet> {
  const program = await bundled(new URL("process/gateway-node.ts", import.meta.url));
  // The first makes the tables.
  const nodes = [await startNode(program, options)];
  nodes.push(...(await Promise.all(Array.from({ length: count - 1 }, () => startNode(program, options)))));
  let turn = 0;
  return {
    nodes,
    call: callerOf(() => nodes[turn++ % nodes.length]!.url),
    add: async () => {
      const made = await startNode(program, options);
      nodes.push(made);
      return made;
    },
    close: async () => {
      for (const { process: child } of nodes) if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await Promise.all(nodes.map(({ ended }) => ended));
    },
  };
}
