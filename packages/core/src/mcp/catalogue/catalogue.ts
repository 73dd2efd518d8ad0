import { mayDo } from "../../access/grants.js";
import type { Caller, ToolDefinition } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import type { McpToolRow } from "../../entities/index.js";
import type { Clock } from "../../ports/index.js";
import { splice, utf8, type Edit } from "../frames/splice.js";
import { purposeEdit } from "../purpose.js";
import { isCoded, type Sha256 } from "../shape/outer-names.js";
import type { ArgumentFill } from "../shape/argument-fill.js";
import type { ListEntry, ListKind } from "../upstream/list-entries.js";
import type { Upstream } from "../upstream/upstream.js";
import { audienceKey, Audiences, EVERYBODY, listsOf, type Audience } from "./audiences.js";
import { Shelf, type Withheld } from "./shelf.js";
import { toolNotFound } from "./unreachable.js";
import { fullName, locate, outerName, outerUri, shows, splitName, type Located, type NamedKind, type View } from "./view.js";
import { Views } from "./views.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

/** Encoded lists that are kept: one for each kind, view and set of grants. */
const MAX_KEPT = 256;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const OPEN = utf8("[");
const COMMA = utf8(",");
const CLOSE = utf8("]");

export interface CatalogueOptions {
  readonly sha256: Sha256;
  /** Whether each tool is shown with a purpose beside its arguments. */
  readonly takesPurpose?: () => boolean;
  /** Tools that nobody may see or call for now. */
  readonly withheld?: Withheld;
  /** What the store says of tools; the same array as long as nothing of it changed. */
  readonly words?: () => readonly McpToolRow[];
}
const NO_WORDS: readonly McpToolRow[] = [];

/** How long somebody waits, and who. */
interface Looking {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly caller: Caller;
}
interface Shown {
  readonly kind: ListKind;
  readonly view: View;
  readonly audience: Audience;
}
interface Kept {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/**
 * All servers' lists as one, in a stable order: servers by name, entries as their server has them. A list is put together from the servers' own bytes, with only the names
 * changed, and kept encoded until something changes.
 */
export class Catalogue {
  readonly #shelves = new Map<string, Shelf>();
  #sorted: readonly Shelf[] = [];
  #upstreams: readonly Upstream[] = [];
  /** Those that show each caller its own lists: mostly none. */
  #perUser: readonly Upstream[] = [];
  readonly #audiences = new Audiences();
  #version = 0;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  readonly #definitions = new WeakMap<ListEntry, ToolDefinition>();
  /** Servers whose first connection attempt is under way. */
  readonly #starting = new Set<Promise<void>>();
  readonly #o: CatalogueOptions;
  readonly #views: Views;

  constructor(options: CatalogueOptions) {
    this.#o = options;
    this.#views = new Views({
      sha256: options.sha256,
      shelf: (server) => this.#shelves.get(server),
      lists: (shelf) => listsOf(EVERYBODY, shelf.upstream),
      shelves: () => this.#sorted,
      version: () => this.#version,
    });
  }

  add(upstream: Upstream): void {
    const { sha256, withheld = () => false, words = () => NO_WORDS } = this.#o;
    this.#shelves.set(upstream.name, new Shelf(upstream, { sha256, withheld, words }));
    this.#resort();
  }
  remove(name: string): Upstream | undefined {
    const shelf = this.#shelves.get(name);
    this.#shelves.delete(name);
    this.#resort();
    return shelf?.upstream;
  }
  get(name: string): Upstream | undefined {
    return this.#shelves.get(name)?.upstream;
  }
  all(): readonly Upstream[] {
    return this.#upstreams;
  }
  shown(view: View): readonly Upstream[] {
    return view.servers === null ? this.#upstreams : this.#upstreams.filter((upstream) => shows(view, upstream.name));
  }

  /** All servers, as `/mcp` shows them. */
  get whole(): View {
    return this.#views.whole;
  }
  /** The view of an address. Errors: `not_found`, `forbidden`. */
  view(snapshot: Snapshot, namespace: string | null, caller: Caller): View {
    return this.seenBy(this.#views.of(snapshot, namespace, caller), caller);
  }
  /** The view, with the names that follow from what the caller is shown now. */
  seenBy(view: View, caller: Caller): View {
    return this.#perUser.length === 0 ? view : this.#views.seenBy(view, this.#audience(caller));
  }

  /** A tool of a server by the server's own name, as the caller sees it; undefined: it is not listed, or not for this caller. */
  tool({ server, name }: Located, caller: Caller): ListEntry | undefined {
    const shelf = this.#shelves.get(server);
    return shelf?.tools(this.#version, shelf.upstream.listsFor(caller)).get(name);
  }
  /** What is put into a tool's calls before anybody judges them; null: nothing. */
  fill({ server, name }: Located): ArgumentFill | null {
    return this.#shelves.get(server)?.shape.fill(name) ?? null;
  }
  /** Errors: `tool_not_found`, `tool_definition_changed`. What is not listed may be reachable: its server is asked. */
  assertReachable({ server, name }: Located, caller: Caller): void {
    const shelf = this.#shelves.get(server);
    if (shelf === undefined) throw toolNotFound(fullName(server, name));
    shelf.assertReachable(name, caller);
  }

  /** Where a name leads that is not known yet: what the caller is shown of its own is read, and for a shortened name its server's list again. Errors: those of a dial and of a lane. */
  async seek(view: View, { kind, name }: { readonly kind: NamedKind; readonly name: string }, o: Looking): Promise<Located | null> {
    if (this.#ownShown(view).length > 0) {
      await this.ready(view, o);
      const located = locate(this.seenBy(view, o.caller), name, kind);
      if (located !== null) return located;
    }
    const server = kind === "tools" && isCoded(name) ? splitName(name)?.server : undefined;
    const upstream = server !== undefined && shows(view, server) ? this.get(server) : undefined;
    if (upstream === undefined) return null;
    await upstream.lookAgain("tools", o);
    return locate(this.seenBy(view, o.caller), name);
  }

  changed(): void {
    this.#version++;
  }

  /** Notes that a server starts: listings wait for it, but not longer than until the deadline. */
  starting(attempt: Promise<void>, clock: Clock, deadlineMs: number): void {
    let cancelTimer = (): void => undefined;
    const late = new Promise<void>((resolve) => (cancelTimer = clock.at(deadlineMs, resolve)));
    const either = Promise.race([attempt, late]).then(() => {
      cancelTimer();
      this.#starting.delete(either);
    });
    this.#starting.add(either);
  }
  /** Nothing to wait for, most of the time. */
  started(): Promise<unknown> | null {
    return this.#starting.size === 0 ? null : Promise.all(this.#starting);
  }
  /** The same, and has at hand what the servers of the view show this caller alone. Never rejects. */
  ready(view: View, o: Looking): Promise<unknown> | null {
    const own = this.#ownShown(view);
    return own.length === 0 ? this.started() : Promise.all([this.started(), ...own.map((upstream) => upstream.look(o.caller, o))]);
  }

  /** `[…]`: the entries of this kind that the caller may see, as JSON text. Do not change it. */
  encoded(kind: ListKind, view: View, caller: Caller): Uint8Array {
    const audience = this.#audience(caller);
    const key = `${kind}\n${view.key}\n${view.version ?? 0}\n${view.bare ?? ""}\n${audienceKey(audience, view)}\n${grantsKey(caller)}`;
    const kept = this.#kept.get(key);
    if (kept?.version === this.#version) return kept.bytes;
    const bytes = encodeArray(this.#entries({ kind, view, audience }, caller));
    this.#keep(key, { version: this.#version, bytes });
    return bytes;
  }

  /** How long the caller may keep a list: as long as the server that lets it be kept shortest. It is of this caller alone in any case, since what is in it depends on grants. */
  keepMs(kind: ListKind, view: View, caller: Caller): number {
    let leastMs = Infinity;
    for (const upstream of this.shown(view)) leastMs = Math.min(leastMs, upstream.freshMs(kind, caller));
    return leastMs === Infinity ? 0 : leastMs;
  }

  /** The tools that the caller may call, under their full names. */
  tools(caller: Caller): ToolDefinition[] {
    const tools: ToolDefinition[] = [];
    const audience = this.#audience(caller);
    for (const shelf of this.#sorted)
      for (const entry of shelf.entries("tools", this.#version, listsOf(audience, shelf.upstream)))
        if (mayDo(caller, "mcp", fullName(shelf.name, entry.name))) tools.push(this.#definition(shelf.name, entry));
    return tools;
  }

  counts(): { readonly servers: number; readonly connected: number; readonly tools: number } {
    let connected = 0;
    let tools = 0;
    for (const shelf of this.#sorted) {
      if (shelf.upstream.status().connected) connected++;
      tools += shelf.upstream.isPerUser ? shelf.upstream.status().tools : shelf.tools(this.#version, shelf.upstream.lists).size;
    }
    return { servers: this.#sorted.length, connected, tools };
  }

  /** Whether the caller may see anything of this server. */
  sees(caller: Caller, upstream: Upstream): boolean {
    const shelf = this.#shelves.get(upstream.name);
    if (shelf === undefined) return false;
    const lists = upstream.listsFor(caller);
    for (const kind of ["tools", "prompts", "resources", "resourceTemplates"] as const)
      for (const { name } of shelf.entries(kind, this.#version, lists)) if (mayDo(caller, "mcp", fullName(shelf.name, name))) return true;
    return false;
  }

  #resort(): void {
    this.#sorted = [...this.#shelves.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#upstreams = this.#sorted.map(({ upstream }) => upstream);
    this.#perUser = this.#upstreams.filter(({ isPerUser }) => isPerUser);
    this.changed();
  }

  #audience(caller: Caller): Audience {
    return this.#perUser.length === 0 ? EVERYBODY : this.#audiences.of(caller, this.#perUser);
  }
  #ownShown(view: View): readonly Upstream[] {
    return this.#perUser.length === 0 ? this.#perUser : this.#perUser.filter(({ name }) => shows(view, name));
  }

  #entries({ kind, view, audience }: Shown, caller: Caller): Uint8Array[] {
    const all = seesAll(caller);
    const isUri = kind === "resources" || kind === "resourceTemplates";
    const entries: Uint8Array[] = [];
    const purposes = kind === "tools" && this.#takesPurpose();
    for (const upstream of this.shown(view)) {
      const { name: server } = upstream;
      for (const entry of this.#shelves.get(server)!.entries(kind, this.#version, listsOf(audience, upstream))) {
        if (!all && !mayDo(caller, "mcp", fullName(server, entry.name))) continue;
        const name = isUri ? outerUri(view, server, entry.name) : outerName(view, { server, name: entry.name }, kind);
        if (name === null) continue;
        const edits: Edit[] = name === entry.name ? [] : [{ ...entry.at, bytes: utf8(JSON.stringify(name)) }];
        const purpose = purposes ? purposeEdit(entry) : null;
        if (purpose !== null) edits.push(purpose);
        entries.push(edits.length === 0 ? entry.raw : splice(entry.raw, edits));
      }
    }
    return entries;
  }

  #takesPurpose(): boolean {
    return this.#o.takesPurpose?.() === true;
  }

  #keep(key: string, kept: Kept): void {
    const before = this.#kept.get(key);
    if (before !== undefined) this.#forget(key, before);
    if (kept.bytes.length > MAX_KEPT_BYTES / 2) return;
    for (const [oldest, entry] of this.#kept) {
      if (this.#kept.size < MAX_KEPT && this.#keptBytes + kept.bytes.length <= MAX_KEPT_BYTES) break;
      this.#forget(oldest, entry);
    }
    this.#kept.set(key, kept);
    this.#keptBytes += kept.bytes.length;
  }
  #forget(key: string, kept: Kept): void {
    this.#kept.delete(key);
    this.#keptBytes -= kept.bytes.length;
  }

  #definition(server: string, entry: ListEntry): ToolDefinition {
    let definition = this.#definitions.get(entry);
    if (definition === undefined) {
      const purpose = this.#takesPurpose() ? purposeEdit(entry) : null;
      const bytes = purpose === null ? entry.raw : splice(entry.raw, [purpose]);
      const raw = JSON.parse(new TextDecoder().decode(bytes)) as ToolDefinition["raw"];
      const text = (key: string) => (typeof raw[key] === "string" ? { [key]: raw[key] } : {});
      definition = {
        name: fullName(server, entry.name),
        server,
        tool: entry.name,
        ...text("title"),
        ...text("description"),
        inputSchema: raw["inputSchema"] as ToolDefinition["inputSchema"],
        raw,
      };
      this.#definitions.set(entry, definition);
    }
    return definition;
  }
}

/** Nothing is denied to the caller, nor to any credential that it was made from: there is nothing to ask for each entry. */
function seesAll(caller: Caller): boolean {
  if (caller.personas !== undefined) return false;
  const isOpen = (grants: readonly string[]): boolean =>
    grants.some((grant) => grant === "*" || grant === "mcp:*") && !grants.some((grant) => grant.startsWith("!"));
  return isOpen(caller.grants) && (caller.bounds ?? []).every(isOpen);
}

/** Callers with the same text see the same. */
function grantsKey(caller: Caller): string {
  const own = caller.grants.join("\n");
  const { bounds, personas } = caller;
  return bounds === undefined && personas === undefined ? own : JSON.stringify([own, bounds, personas]);
}

function encodeArray(entries: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [OPEN];
  for (const [i, entry] of entries.entries()) parts.push(...(i === 0 ? [entry] : [COMMA, entry]));
  parts.push(CLOSE);
  return joinBytes(parts);
}
