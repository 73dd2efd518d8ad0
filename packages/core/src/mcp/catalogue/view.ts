const SEPARATOR = "__";
const URI_SCHEME = "sallyport:";

/** Lists whose entries have names; resources have URIs. */
export type NamedKind = "tools" | "prompts";

/** How one address names things. */
export interface ViewNames {
  /** Where a name leads; null: nowhere in this view. Errors: `misconfigured` for a namespace whose servers' names may not meet, and do. */
  locate(kind: NamedKind, name: string): Located | null;
  /** As it is shown; null: it is not. Errors: as of `locate`. */
  outer(kind: NamedKind, server: string, name: string): string | null;
}

/**
 * What one address shows: which servers, and under which names. With `prefix` tools and prompts are `server__name` and resources `sallyport:server/<their own URI>`, so
 * that a name says where it leads whichever servers are up, and a template expands to what it would have expanded to. With `none`, for one server, everything keeps its name.
 */
export interface View {
  /** Tells views apart: the namespace, or empty for the whole. */
  readonly key: string;
  /** null: all. */
  readonly servers: ReadonlySet<string> | null;
  /** The one server whose names stand as they are; null: names are prefixed, or the namespace's own. */
  readonly bare: string | null;
  /** Left out: prefixed, or the bare server's, with nothing shortened or renamed. */
  readonly names?: ViewNames;
  /** In the place of the servers' own; null or left out: theirs. */
  readonly instructions?: string | null;
  /** Grows when the namespace is changed. */
  readonly version?: number;
  /** The same view as everybody has it; left out: it is that. */
  readonly base?: View;
}

/** What is kept for longer than a request: no one caller's lists. */
export function lasting(view: View): View {
  return view.base ?? view;
}

export const WHOLE: View = { key: "", servers: null, bare: null };

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

/** The two parts of `server__name`; null when there are none. Server names hold no double underscore, so the first one separates. */
export function splitName(name: string): Located | null {
  const at = name.indexOf(SEPARATOR);
  if (at <= 0 || at + SEPARATOR.length >= name.length) return null;
  return { server: name.slice(0, at), name: name.slice(at + SEPARATOR.length) };
}

/** Where a name leads; null when it leads nowhere in this view. */
export function locate(view: View, name: string, kind: NamedKind = "tools"): Located | null {
  if (view.names !== undefined) return view.names.locate(kind, name);
  if (view.bare !== null) return { server: view.bare, name };
  const located = splitName(name);
  return located !== null && shows(view, located.server) ? located : null;
}

/** As it is shown; null: it is not, in this view. */
export function outerName(view: View, at: Located, kind: NamedKind = "tools"): string | null {
  if (view.names !== undefined) return view.names.outer(kind, at.server, at.name);
  return view.bare === null ? fullName(at.server, at.name) : at.name;
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
