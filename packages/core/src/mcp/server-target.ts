import type { Caller } from "../calls/index.js";
import type { McpServerConfig } from "../config/schema.js";
import type { McpAuthConfig, McpAuthInput, McpOAuthConfig } from "../config/sections/mcp-auth.js";
import type { ServerResilience, ServerResilienceInput } from "../entities/index.js";
import type { Snapshot } from "../config/snapshot.js";
import type { PinMode, ToolShapeRules } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { McpWire, Secret, StdioServer } from "../ports/index.js";
import type { Authorizer } from "./lanes/authorizer.js";
import { openInProcess, type InProcessServer } from "./lanes/in-process.js";
import type { Agreement } from "./lanes/handshake.js";

/** A server in this process: an SDK server object, or a function that makes a fresh one for every connection. */
export interface InProcessInput {
  readonly server: InProcessServer | (() => InProcessServer | Promise<InProcessServer>);
  /** As in `mcpServers`: what of its tools is there, and how they are shown. */
  readonly tools?: ToolShapeRules | undefined;
  readonly pin?: PinMode | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly resilience?: ServerResilienceInput | undefined;
}
interface TermsInput {
  readonly connectTimeoutMs?: number | undefined;
  readonly callTimeoutMs?: number | undefined;
  readonly trustLevel?: "untrusted" | "trusted" | undefined;
  readonly resilience?: ServerResilienceInput | undefined;
  readonly tools?: ToolShapeRules | undefined;
  readonly pin?: PinMode | undefined;
}
type Headers = Readonly<Record<string, string | Secret>> | undefined;
/** What `McpProxy.connect` and `probe` take: the shape of the configuration, or a server object. Header and environment values may be plain strings or Secrets. */
export type McpServerInput =
  | ({
      readonly type?: "stdio" | undefined;
      readonly command: string;
      readonly args?: readonly string[] | undefined;
      readonly env?: Readonly<Record<string, string | Secret>> | undefined;
      readonly cwd?: string | undefined;
    } & TermsInput)
  | ({
      readonly type?: "http" | "streamable-http" | "sse" | undefined;
      readonly url: string;
      readonly headers?: Headers;
      readonly auth?: McpAuthInput | undefined;
    } & TermsInput)
  | ({
      readonly type: "openapi";
      readonly spec: string | Readonly<Record<string, unknown>>;
      readonly baseUrl?: string | undefined;
      readonly headers?: Headers;
      readonly include?: readonly string[] | undefined;
      readonly exclude?: readonly string[] | undefined;
    } & TermsInput)
  | InProcessInput;

export type Trust = "operator" | "remote";
/** A header's name, its value, and what stands before the value, such as `Bearer `. */
export type SecretHeader = readonly [name: string, value: Secret, before?: string];

/** What holds of a server whatever its transport. */
export interface ServerTerms {
  /** Who named it: the operator, or somebody over HTTP or in the store. */
  readonly trust: Trust;
  /** Of one attempt; left out: as of every server. */
  readonly connectMs?: number | undefined;
  /** Of one call; left out: as long as its caller waits. */
  readonly callMs?: number | undefined;
  /** Its instructions are not handed on. */
  readonly isUntrusted?: boolean | undefined;
  /** Left out: a breaker alone. */
  readonly resilience?: ServerResilience | undefined;
  /** What of its tools is there, and how they are shown; left out: all, as they are. */
  readonly tools?: ToolShapeRules | undefined;
  /** Left out: as `mcp.pin` says. */
  readonly pin?: PinMode | undefined;
}
/** Lower-case names. */
export type TargetHeaders = readonly SecretHeader[];

export interface StdioTarget extends ServerTerms {
  readonly kind: "stdio";
  readonly server: StdioServer;
}
export interface HttpTarget extends ServerTerms {
  readonly kind: "http";
  readonly url: string;
  readonly headers: TargetHeaders;
  /** `sse`: the transport of 2024-11-05; `streamable`: the one since; `either`: that one, or the older where the server has no other. */
  readonly transport: "either" | "streamable" | "sse";
  /** How it is signed in at, by OAuth. */
  readonly oauth?: McpOAuthConfig | undefined;
  /** Of a server that is signed in at: set when it is added. */
  readonly authorizer?: Authorizer | undefined;
  /** Of a server that each caller signs in at, over connections of its own: set when it is added. */
  readonly authorizerOf?: ((caller: Caller) => PrincipalAuthorizer) | undefined;
}
export interface PrincipalAuthorizer {
  readonly principal: string;
  /** Tells the principal's ways of being known there apart: what the server shows to one it may not show to the other. */
  readonly context: string;
  readonly authorizer: Authorizer;
}
export interface OpenApiTarget extends ServerTerms {
  readonly kind: "openapi";
  /** A URL, the path of a file, or the document itself. */
  readonly spec: string | Readonly<Record<string, unknown>>;
  readonly baseUrl?: string | undefined;
  readonly headers: TargetHeaders;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}
export interface InProcessTarget extends ServerTerms {
  readonly kind: "in-process";
  readonly trust: "operator";
  readonly open: () => Promise<McpWire>;
  /** Known beforehand: no handshake is needed. */
  readonly agreement?: Agreement;
}
/** Where a server is and how it is reached. */
export type ServerTarget = StdioTarget | HttpTarget | OpenApiTarget | InProcessTarget;

/** Headers that belong to the transport: they can't be configured. */
const reserved: ReadonlySet<string> = new Set(["content-type", "content-length", "accept", "host", "connection", "transfer-encoding"]);

export function inProcessTarget(input: InProcessInput, { callTimeoutMs: callMs, resilience }: Partial<McpServerConfig>): ServerTarget {
  const { server, tools, pin } = input;
  return {
    kind: "in-process",
    trust: "operator",
    callMs,
    resilience,
    tools,
    pin,
    open: async () => openInProcess(typeof server === "function" ? await server() : server),
  };
}

export function configuredTarget(config: McpServerConfig, trust: Trust): ServerTarget {
  const { connectTimeoutMs: connectMs, callTimeoutMs: callMs, resilience, tools, pin } = config;
  const isUntrusted = (config.trustLevel ?? "trusted") === "untrusted";
  const terms = { trust, connectMs, callMs, isUntrusted, resilience, tools, pin };
  if ("command" in config) {
    const server = { command: config.command, args: config.args ?? [], env: config.env ?? {}, cwd: config.cwd };
    return { kind: "stdio", ...terms, server };
  }
  const headers = Object.entries(config.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  if ("spec" in config) {
    const { spec, baseUrl, include, exclude } = config;
    return { kind: "openapi", ...terms, spec, baseUrl, headers, include, exclude };
  }
  const { auth } = config;
  const own = authHeaders(auth);
  const kept = headers.filter(([name]) => !own.some(([other]) => other === name));
  const oauth = auth?.type === "oauth" ? auth : undefined;
  return { kind: "http", ...terms, url: config.url, headers: [...kept, ...own], transport: transportOf(config.type), oauth };
}

function authHeaders(auth: McpAuthConfig | undefined): readonly SecretHeader[] {
  if (auth?.type === "bearer") return [["authorization", auth.token, "Bearer "]];
  if (auth?.type === "apiKey")
    return [auth.prefix === undefined ? [auth.header, auth.value] : [auth.header, auth.value, `${auth.prefix} `]];
  return [];
}

export function transportOf(type: string | undefined): HttpTarget["transport"] {
  if (type === "sse") return "sse";
  return type === "streamable-http" ? "streamable" : "either";
}

/** Errors: `misconfigured` for a header that is the transport's own. */
function checkHeaders(headers: TargetHeaders): void {
  const taken = headers.find(([name]) => reserved.has(name) || name.startsWith("mcp-"));
  if (taken !== undefined)
    throw new GatewayError("misconfigured", `The header "${taken[0]}" is set by the transport itself.`, {
      hint: "Remove it from the server's headers.",
    });
}

/**
 * Nothing that came over HTTP starts a process, except an exact match of the operator's list: same command, same arguments, no environment and no directory of its own; nor does it read a file.
 * Checked when a server is added and again right before it is dialled. Errors: `stdio_not_allowed`, `misconfigured`, `forbidden` for a file.
 */
export function admit(target: ServerTarget, snapshot: Snapshot): void {
  if (target.kind === "http" || target.kind === "openapi") checkHeaders(target.headers);
  if (target.trust === "operator") return;
  if (target.kind === "openapi" && typeof target.spec === "string" && !/^https?:\/\//i.test(target.spec))
    throw new GatewayError("forbidden", "A document that is a file of this machine can only be named in the gateway's configuration.", {
      hint: "Give its URL, or the document itself.",
    });
  if (target.kind !== "stdio") return;
  const { command, args, env, cwd } = target.server;
  const allowed = snapshot.config.mcp.allowStdio.some(
    (entry) => entry.command === command && entry.args.length === args.length && entry.args.every((arg, i) => arg === args[i]),
  );
  if (allowed && Object.keys(env).length === 0 && cwd === undefined) return;
  throw new GatewayError("stdio_not_allowed", "This command may not be started from outside of the gateway's configuration.", {
    hint: "The operator can list it, to the letter, under mcp.allowStdio.",
  });
}
