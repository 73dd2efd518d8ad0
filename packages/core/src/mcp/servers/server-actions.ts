import type { McpServerRow } from "../../entities/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import { Secret } from "../../ports/index.js";
import type { ResourceActions } from "../../seams/index.js";
import { admit, type ServerTarget } from "../server-target.js";
import { authModeOf } from "./auth-mode.js";
import type { ServerSet } from "./server-set.js";
import { storedTarget } from "./stored-target.js";

type Row = Readonly<Record<string, unknown>>;

/** What a stored server has to be before it is kept, and the servers that stand elsewhere, as rows that nobody changes here. */
export function serverActions(o: {
  readonly servers: ServerSet;
  readonly targetOf: (name: string) => ServerTarget | undefined;
  readonly names: () => readonly string[];
  readonly snapshot: () => Snapshot;
}): ResourceActions {
  return {
    fixed: () =>
      o.names().flatMap((name) => {
        const origin = o.servers.originOf(name);
        const target = o.targetOf(name);
        return origin === null || origin === "database" || target === undefined ? [] : [fixedRow(name, target, origin)];
      }),
    // As in the configuration: a command without an address means a process. `http` stands there by itself when nothing was said.
    filled: (body) => (isProcess(body) && (body["type"] ?? "http") === "http" ? { ...body, type: "stdio" } : body),
    check(given, _o, before) {
      const row = given as unknown as McpServerRow;
      const origin = o.servers.originOf(row.name);
      if (origin !== null && origin !== "database")
        throw new GatewayError("conflict", `The MCP server "${row.name}" is of the configuration or of code, and counts instead.`, {
          hint: "Choose another name, or change it there.",
        });
      if (before !== null) refuseToLead(row, before as unknown as McpServerRow);
      // Secrets are sealed by now, and not looked at.
      const any = (sealed: string | null) => (sealed === null ? null : new Secret("any"));
      const target = storedTarget({ ...row, credential: any(row.credential), clientSecret: any(row.clientSecret) });
      admit(target, o.snapshot());
    },
  };
}

function isProcess({ command, url }: Row): boolean {
  return (command ?? null) !== null && (url ?? null) === null;
}

/** Credentials go where they were given for: another address, or another header, takes them anew. Errors: `validation_failed`. */
function refuseToLead(row: McpServerRow, before: McpServerRow): void {
  const kept = (["credential", "clientSecret"] as const).find((name) => row[name] !== null && row[name] === before[name]);
  if (kept === undefined) return;
  const field = kept === "credential" ? kept : "client_secret";
  const where = ({ type, url, authMode, credentialHeader, openapi, oauth }: McpServerRow): string =>
    JSON.stringify([
      type === "openapi",
      url,
      authMode,
      credentialHeader,
      openapi?.baseUrl,
      openapi?.document,
      oauth?.issuer,
      oauth?.tokenUrl,
    ]);
  if (where(row) === where(before)) return;
  throw new GatewayError("validation_failed", `${field}: is needed again when it would go elsewhere.`, {
    hint: "Send it with what changes where it goes: url, auth_mode, credential_header, openapi or oauth.",
    details: { field },
  });
}

function fixedRow(name: string, target: ServerTarget, origin: "configuration" | "code"): Row {
  const nothing = {
    description: null,
    url: null,
    command: null,
    args: null,
    headers: null,
    credentialHeader: null,
    openapi: null,
    oauth: null,
    clientSecret: null,
  };
  const kept = { id: name, version: null, createdAtMs: null, updatedAtMs: null, createdBy: null, origin };
  const terms = {
    connectTimeoutMs: target.connectMs ?? null,
    callTimeoutMs: target.callMs ?? null,
    trustLevel: target.isUntrusted === true ? "untrusted" : "trusted",
    resilience: target.resilience ?? null,
    tools: target.tools ?? null,
    pin: target.pin ?? null,
    enabled: true,
  };
  const authMode = authModeOf(target);
  const shared = { ...nothing, ...kept, ...terms, name, authMode, credential: authMode === "none" || authMode === "oauth" ? null : "set" };
  switch (target.kind) {
    case "stdio":
      return { ...shared, type: "stdio", command: target.server.command, args: target.server.args };
    case "http":
      return { ...shared, type: target.transport === "sse" ? "sse" : "http", url: target.url };
    case "openapi":
      return { ...shared, type: "openapi", url: typeof target.spec === "string" ? target.spec : null };
    case "in-process":
      return { ...shared, type: "stdio", description: "a server in this process" };
  }
}
