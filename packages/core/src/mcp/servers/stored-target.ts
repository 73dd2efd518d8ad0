import { configSchema } from "../../config/schema.js";
import { mcpAuthSchema, type McpOAuthConfig } from "../../config/sections/mcp-auth.js";
import type { McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { Secret } from "../../ports/index.js";
import type { ServerTarget, TargetHeaders, Trust } from "../server-target.js";
import { transportOf } from "../server-target.js";

/** What of a row says where its server is, the credential as it is used. */
export type ServerFields = Omit<
  McpServerRow,
  "id" | "version" | "createdAtMs" | "updatedAtMs" | "credential" | "clientSecret" | "createdBy"
> & {
  readonly credential: Secret | null;
  readonly clientSecret: Secret | null;
};

/** Headers that carry a credential: they belong where it is sealed. */
const CREDENTIAL = /^(?:authorization|proxy-authorization|cookie|api-?key)$|token|secret|password|api[-_]?key|credential/i;
const HEADER = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

/** Where a stored server is. Errors: `validation_failed` naming the field. */
export function storedTarget(row: ServerFields, trust: Trust = "remote"): ServerTarget {
  const terms = {
    trust,
    connectMs: row.connectTimeoutMs ?? undefined,
    callMs: row.callTimeoutMs ?? undefined,
    isUntrusted: row.trustLevel === "untrusted",
    resilience: row.resilience ?? undefined,
    tools: row.tools ?? undefined,
    pin: row.pin ?? undefined,
  };
  if (row.type === "stdio") return { kind: "stdio", ...terms, server: processOf(row) };
  refuse(row, ["command", "args"], `of a server of the type ${row.type}`);
  const headers = [...plainHeaders(row.headers), ...credentialHeaders(row)];
  if (row.type !== "openapi") {
    refuse(row, ["openapi"], `of a server of the type ${row.type}`);
    return { kind: "http", ...terms, url: urlOf(row.url), headers, transport: transportOf(row.type), oauth: oauthOf(row) };
  }
  if (row.authMode === "oauth") throw invalid("auth_mode", "is not oauth for an API");
  const { document, baseUrl, include, exclude } = row.openapi ?? {};
  if (document !== undefined && row.url !== null) throw invalid("url", "stands beside openapi.document");
  return { kind: "openapi", ...terms, spec: document ?? urlOf(row.url), baseUrl, headers, include, exclude };
}

function processOf(row: ServerFields) {
  refuse(row, ["url", "headers", "openapi", "credentialHeader", "oauth", "clientSecret"], "of a server of the type stdio");
  if (row.credential !== null || row.authMode !== "none") throw invalid("auth_mode", "is of servers with a URL");
  if (row.command === null) throw invalid("command", "is needed for a server of the type stdio");
  return { command: row.command, args: row.args ?? [], env: {} };
}

function refuse(row: ServerFields, names: readonly (keyof ServerFields)[], what: string): void {
  for (const name of names)
    if (row[name] !== null)
      throw invalid(
        name.replace(/[A-Z]/g, (char) => `_${char.toLowerCase()}`),
        `is nothing ${what}`,
      );
}

function urlOf(url: string | null): string {
  if (url === null) throw invalid("url", "is needed");
  const { username, password, hash } = new URL(url);
  if (username !== "" || password !== "") throw invalid("url", "has a user name or password in it: give the credential in credential");
  if (hash !== "") throw invalid("url", "has a fragment, which is never sent");
  return url;
}

function plainHeaders(headers: McpServerRow["headers"]): TargetHeaders {
  return Object.entries(headers ?? {}).map(([name, value]) => {
    if (CREDENTIAL.test(name)) throw invalid("headers", `${name} carries a credential, which would be shown: give it in credential`);
    return [headerName("headers", name), headerValue("headers", value)] as const;
  });
}

function credentialHeaders({ authMode, credential, credentialHeader }: ServerFields): TargetHeaders {
  if (authMode !== "api_key" && credentialHeader !== null) throw invalid("credential_header", "is of the auth mode api_key");
  if (authMode === "none" || authMode === "oauth") {
    if (credential !== null) throw invalid("credential", `is used by no server whose auth_mode is ${authMode}`);
    return [];
  }
  if (credential === null) throw invalid("credential", `is needed for the auth mode ${authMode}`);
  const value = credential.reveal();
  if (authMode === "bearer") return [["authorization", headerValue("credential", `Bearer ${value}`)]];
  return [[headerName("credential_header", credentialHeader ?? "x-api-key"), headerValue("credential", value)]];
}

/** By the rules of the configuration. */
function oauthOf({ authMode, oauth, clientSecret }: ServerFields): McpOAuthConfig | undefined {
  if (authMode !== "oauth") {
    if (oauth !== null || clientSecret !== null) throw invalid(oauth === null ? "client_secret" : "oauth", "is of the auth mode oauth");
    return undefined;
  }
  const parsed = mcpAuthSchema.safeParse({ type: "oauth", ...oauth, ...(clientSecret === null ? {} : { clientSecret }) });
  if (parsed.success) return parsed.data as McpOAuthConfig;
  const [issue] = parsed.error.issues;
  throw invalid(["oauth", ...(issue?.path ?? [])].join("."), issue?.message ?? "is not valid");
}

function headerName(field: string, name: string): string {
  if (!HEADER.test(name)) throw invalid(field, `"${name.slice(0, 40)}" is no header's name`);
  return name.toLowerCase();
}
function headerValue(field: string, value: string): Secret {
  if (!/^[\x20-\x7e]+$/.test(value)) throw invalid(field, "has characters that no header can carry");
  return new Secret(value);
}

function invalid(field: string, what: string): GatewayError {
  return new GatewayError("validation_failed", `${field}: ${what}.`, { details: { field } });
}

/** Tells targets apart: what is equal needs no new connection. Holds secrets: it is only compared. */
export function sameTarget(a: ServerTarget, b: ServerTarget): boolean {
  return fingerprint(a) === fingerprint(b);
}

function fingerprint(target: ServerTarget): string {
  const secrets = "headers" in target ? target.headers.map(([name, value, before]) => [name, value.reveal(), before]) : [];
  if (target.kind !== "http") return JSON.stringify([target, secrets]);
  // What it was given when it was added is made of the rest.
  const { authorizer: _authorizer, authorizerOf: _authorizerOf, ...said } = target;
  return JSON.stringify([said, secrets, target.oauth?.clientSecret?.reveal()]);
}

/** The configuration's own rules for a server, with its messages. Errors: `validation_failed`. */
export function checkedConfig(name: string, input: unknown) {
  const parsed = configSchema.shape.mcpServers.safeParse({ [name]: input });
  const config = parsed.data !== undefined && Object.hasOwn(parsed.data, name) ? parsed.data[name] : undefined;
  if (parsed.success && config !== undefined) return config;
  const issue = parsed.error?.issues[0];
  throw new GatewayError(
    "validation_failed",
    `The MCP server is not described rightly: ${issue === undefined ? "unknown shape" : `${issue.path.join(".")}: ${issue.message}`}.`,
    { hint: "It has a command and args, a url and headers, or a spec, as in mcpServers." },
  );
}
