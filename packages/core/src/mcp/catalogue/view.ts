import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";

const SEPARATOR = "__";
const URI_SCHEME = "sallyport:";

/**
 * What one address shows: which servers, and under which names. With `prefix` tools and prompts are `server__name` and resources `sallyport:server/<their own URI>`, so
 * that a name says where it leads whichever servers are up, and a template expands to what it would have expanded to. With `none`, for one server, everything keeps its name.
 */
export interface View {
  /** Tells views apart: the namespace, or empty for the whole. */
  readonly key: string;
  /** null: all. */
  readonly servers: ReadonlySet<string> | null;
  /** The one server whose names stand as they are; null: names are prefixed. */
  readonly bare: string | null;
}

export const WHOLE: View = { key: "", servers: null, bare: null };

/** The view of `/ns/{namespace}/mcp`, or of `/mcp` for null. Errors: `not_found`, `misconfigured`. */
export function viewOf(snapshot: Snapshot, namespace: string | null): View {
  if (namespace === null) return WHOLE;
  const { namespaces } = snapshot.config;
  const config = Object.hasOwn(namespaces, namespace) ? namespaces[namespace] : undefined;
  if (config === undefined)
    throw new GatewayError("not_found", `There is no namespace "${namespace.slice(0, 100)}".`, {
      hint: "Add it to namespaces in the configuration.",
    });
  const [first, ...others] = config.servers;
  if (config.naming === "manual")
    throw new GatewayError(
      "misconfigured",
      `The naming "manual" of the namespace "${namespace}" is not supported; use "prefix" or "none".`,
    );
  if (config.naming === "none" && others.length > 0)
    throw new GatewayError("misconfigured", `The namespace "${namespace}" has several servers, so their names need a prefix.`, {
      hint: 'Use the naming "prefix", or one server.',
    });
  return { key: namespace, servers: new Set(config.servers), bare: config.naming === "none" ? (first ?? null) : null };
}

export function shows(view: View, server: string): boolean {
  return view.servers === null || view.servers.has(server);
}

/** What grants, policy and audit call a tool or prompt, whatever the view. */
export function fullName(server: string, name: string): string {
  return `${server}${SEPARATOR}${name}`;
}

export interface Located {
  readonly server: string;
  /** As the server itself calls it. */
  readonly name: string;
}

/** Where a name leads; null when it leads nowhere in this view. Server names hold no double underscore, so the first one separates. */
export function locate(view: View, name: string): Located | null {
  if (view.bare !== null) return { server: view.bare, name };
  const at = name.indexOf(SEPARATOR);
  if (at <= 0 || at + SEPARATOR.length >= name.length) return null;
  const server = name.slice(0, at);
  return shows(view, server) ? { server, name: name.slice(at + SEPARATOR.length) } : null;
}

export function outerName(view: View, server: string, name: string): string {
  return view.bare === null ? fullName(server, name) : name;
}

/** Where a resource's URI, or a template, leads. */
export function locateUri(view: View, uri: string): Located | null {
  if (view.bare !== null) return { server: view.bare, name: uri };
  if (!uri.startsWith(URI_SCHEME)) return null;
  const slash = uri.indexOf("/", URI_SCHEME.length);
  if (slash < 0 || slash + 1 >= uri.length) return null;
  const server = uri.slice(URI_SCHEME.length, slash);
  return shows(view, server) ? { server, name: uri.slice(slash + 1) } : null;
}

export function outerUri(view: View, server: string, uri: string): string {
  return view.bare === null ? `${URI_SCHEME}${server}/${uri}` : uri;
}
