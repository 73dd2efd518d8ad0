import type { McpServerConfig } from "../config/schema.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import type { McpWire, Secret, StdioServer } from "../ports/index.js";
import { openInProcess, type InProcessServer } from "./lanes/in-process.js";
import type { Agreement } from "./lanes/handshake.js";

/** A server in this process: an SDK server object, or a function that makes a fresh one for every connection. */
export interface InProcessInput {
  readonly server: InProcessServer | (() => InProcessServer | Promise<InProcessServer>);
}
/** What `McpProxy.connect` and `probe` take: the shape of the configuration, or a server object. Header and environment values may be plain strings or Secrets. */
export type McpServerInput =
  | {
      readonly type?: "stdio" | undefined;
      readonly command: string;
      readonly args?: readonly string[] | undefined;
      readonly env?: Readonly<Record<string, string | Secret>> | undefined;
      readonly cwd?: string | undefined;
    }
  | {
      readonly type?: "http" | "streamable-http" | "sse" | undefined;
      readonly url: string;
      readonly headers?: Readonly<Record<string, string | Secret>> | undefined;
    }
  | InProcessInput;

export type Trust = "operator" | "remote";

/** Where a server is and how it is reached. `trust` says who named it: the operator, or somebody over HTTP. */
export type ServerTarget =
  | { readonly kind: "stdio"; readonly trust: Trust; readonly server: StdioServer }
  | {
      readonly kind: "http";
      readonly trust: Trust;
      readonly url: string;
      /** Lower-case names. */
      readonly headers: readonly (readonly [string, Secret])[];
      /** The transport of 2024-11-05 was asked for. */
      readonly isSse: boolean;
    }
  | {
      readonly kind: "in-process";
      readonly trust: "operator";
      readonly open: () => Promise<McpWire>;
      /** Known beforehand: no handshake is needed. */
      readonly agreement?: Agreement;
    };

/** Headers that belong to the transport: they can't be configured. */
const reserved: ReadonlySet<string> = new Set(["content-type", "content-length", "accept", "host", "connection", "transfer-encoding"]);

export function inProcessTarget(input: InProcessInput): ServerTarget {
  const { server } = input;
  return { kind: "in-process", trust: "operator", open: async () => openInProcess(typeof server === "function" ? await server() : server) };
}

export function configuredTarget(config: McpServerConfig, trust: Trust): ServerTarget {
  if ("command" in config) {
    const server = { command: config.command, args: config.args ?? [], env: config.env ?? {}, cwd: config.cwd };
    return { kind: "stdio", trust, server };
  }
  const headers = Object.entries(config.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { kind: "http", trust, url: config.url, headers, isSse: config.type === "sse" };
}

/** Errors: `misconfigured` for a transport that is not spoken here, or a header that is the transport's own. */
function checkHttp(target: Extract<ServerTarget, { kind: "http" }>): void {
  if (target.isSse)
    throw new GatewayError("misconfigured", "The transport HTTP+SSE of 2024-11-05 is not supported.", {
      hint: 'Use the server\'s Streamable HTTP endpoint and leave "type" out.',
    });
  const taken = target.headers.find(([name]) => reserved.has(name) || name.startsWith("mcp-"));
  if (taken !== undefined)
    throw new GatewayError("misconfigured", `The header "${taken[0]}" is set by the transport itself.`, {
      hint: "Remove it from the server's headers.",
    });
}

/**
 * Nothing that came over HTTP starts a process, except an exact match of the operator's list: same command, same arguments, no environment and no directory of its own.
 * Checked when a server is added and again right before it is dialled. Errors: `stdio_not_allowed`, `misconfigured`.
 */
export function admit(target: ServerTarget, snapshot: Snapshot): void {
  if (target.kind === "http") checkHttp(target);
  if (target.kind !== "stdio" || target.trust === "operator") return;
  const { command, args, env, cwd } = target.server;
  const allowed = snapshot.config.mcp.allowStdio.some(
    (entry) => entry.command === command && entry.args.length === args.length && entry.args.every((arg, i) => arg === args[i]),
  );
  if (allowed && Object.keys(env).length === 0 && cwd === undefined) return;
  throw new GatewayError("stdio_not_allowed", "This command may not be started from outside of the gateway's configuration.", {
    hint: "The operator can list it, to the letter, under mcp.allowStdio.",
  });
}
