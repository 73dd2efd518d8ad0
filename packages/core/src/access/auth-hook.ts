import type { Caller, Inbound } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";

/** What the hook of a host application sees of a request: its head, never its body. `remoteAddress` is what the proxy before us says when `server.trustProxy` is on. */
export type AuthRequest = Pick<Inbound, "method" | "path" | "query" | "basePath" | "remoteAddress" | "header" | "raw">;

/**
 * Who is calling, said by the application that hosts the gateway: from its own session, its own user, its own token. null: nobody, which is answered 401.
 * What it throws refuses the request; a GatewayError keeps its code, all else is `internal`.
 */
export type AuthHook = (request: AuthRequest) => Caller | null | Promise<Caller | null>;

/** Errors: `unauthenticated` for null; `misconfigured` when the hook returns what is no Caller; what the hook throws. */
export async function callerOfHost(hook: AuthHook, inbound: Inbound, o: { readonly trustProxy: boolean }): Promise<Caller> {
  const { method, path, query, basePath, raw } = inbound;
  const remoteAddress = remoteAddressOf(inbound, o);
  const caller: unknown = await hook({ method, path, query, basePath, raw, remoteAddress, header: (name) => inbound.header(name) });
  if (caller === null || caller === undefined)
    throw new GatewayError("unauthenticated", "The application that hosts this gateway does not know the caller.");
  if (!isCaller(caller))
    throw new GatewayError("misconfigured", "The auth hook returned something that is not a caller.", {
      hint: "Return { kind, id, name, projects: [one or more], grants: [...] }, or null.",
    });
  return caller;
}

/** The address of who calls; null: nobody knows it. */
export function remoteAddressOf(inbound: Inbound, o: { readonly trustProxy: boolean }): string | null {
  return o.trustProxy ? forwardedFor(inbound) : inbound.remoteAddress;
}

/** The last address is the one that the proxy next to us saw; those before it are whatever its client wrote. */
function forwardedFor(inbound: Inbound): string | null {
  const last = inbound.header("x-forwarded-for")?.split(",").at(-1)?.trim();
  return last === undefined || last === "" ? inbound.remoteAddress : last;
}

const kinds: readonly unknown[] = ["owner", "key", "user", "host", "system"] satisfies Caller["kind"][];

function isCaller(value: unknown): value is Caller {
  if (typeof value !== "object" || value === null) return false;
  const { kind, id, name, projects, grants } = value as Partial<Record<keyof Caller, unknown>>;
  return kinds.includes(kind) && isText(id) && isText(name) && isTexts(projects) && projects.length > 0 && isTexts(grants);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
