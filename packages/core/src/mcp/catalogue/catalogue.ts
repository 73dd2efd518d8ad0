import { mayDo } from "../../access/grants.js";
import type { Caller, ToolDefinition } from "../../calls/index.js";
import type { Clock } from "../../ports/index.js";
import { concat, splice, utf8, type Edit } from "../frames/splice.js";
import { purposeEdit } from "../purpose.js";
import type { ListEntry, ListKind } from "../upstream/list-entries.js";
import type { Upstream } from "../upstream/upstream.js";
import { fullName, outerName, outerUri, shows, type View } from "./view.js";

/** Encoded lists that are kept: one for each kind, view and set of grants. */
const MAX_KEPT = 256;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;
const OPEN = utf8("[");
const COMMA = utf8(",");
const CLOSE = utf8("]");

interface Kept {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/**
 * All servers' lists as one, in a stable order: servers by name, entries as their server has them. A list is put together from the servers' own bytes, with only the names
 * changed, and kept encoded until something changes.
 */
export class Catalogue {
  readonly #servers = new Map<string, Upstream>();
  #sorted: readonly Upstream[] = [];
  #version = 0;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;
  readonly #definitions = new WeakMap<ListEntry, ToolDefinition>();
  /** Servers whose first connection attempt is under way. */
  readonly #starting = new Set<Promise<void>>();
  readonly #takesPurpose: () => boolean;

  /** `takesPurpose`: whether each tool is shown with a purpose beside its arguments. */
  constructor(takesPurpose: () => boolean = () => false) {
    this.#takesPurpose = takesPurpose;
  }

  add(upstream: Upstream): void {
    this.#servers.set(upstream.name, upstream);
    this.#resort();
  }
  remove(name: string): Upstream | undefined {
    const upstream = this.#servers.get(name);
    this.#servers.delete(name);
    this.#resort();
    return upstream;
  }
  get(name: string): Upstream | undefined {
    return this.#servers.get(name);
  }
  all(): readonly Upstream[] {
    return this.#sorted;
  }
  shown(view: View): readonly Upstream[] {
    return view.servers === null ? this.#sorted : this.#sorted.filter((upstream) => shows(view, upstream.name));
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

  /** `[…]`: the entries of this kind that the caller may see, as JSON text. Do not change it. */
  encoded(kind: ListKind, view: View, caller: Caller): Uint8Array {
    const key = `${kind}\n${view.key}\n${view.bare ?? ""}\n${caller.grants.join("\n")}`;
    const kept = this.#kept.get(key);
    if (kept?.version === this.#version) return kept.bytes;
    const bytes = encodeArray(this.#entries(kind, view, caller));
    this.#keep(key, { version: this.#version, bytes });
    return bytes;
  }

  /** The tools that the caller may call, under their full names. */
  tools(caller: Caller): ToolDefinition[] {
    const tools: ToolDefinition[] = [];
    for (const upstream of this.#sorted)
      for (const entry of upstream.lists.tools.values())
        if (mayDo(caller, "mcp", fullName(upstream.name, entry.name))) tools.push(this.#definition(upstream.name, entry));
    return tools;
  }

  counts(): { readonly servers: number; readonly connected: number; readonly tools: number } {
    let connected = 0;
    let tools = 0;
    for (const upstream of this.#sorted) {
      const status = upstream.status();
      if (status.connected) connected++;
      tools += status.tools;
    }
    return { servers: this.#sorted.length, connected, tools };
  }

  /** Whether the caller may see anything of this server. */
  sees(caller: Caller, upstream: Upstream): boolean {
    for (const kind of ["tools", "prompts", "resources", "resourceTemplates"] as const)
      for (const name of upstream.lists[kind].keys()) if (mayDo(caller, "mcp", fullName(upstream.name, name))) return true;
    return false;
  }

  #resort(): void {
    this.#sorted = [...this.#servers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.changed();
  }

  #entries(kind: ListKind, view: View, caller: Caller): Uint8Array[] {
    const seesAll = caller.grants.includes("*") || caller.grants.includes("mcp:*");
    const isUri = kind === "resources" || kind === "resourceTemplates";
    const entries: Uint8Array[] = [];
    const purposes = kind === "tools" && this.#takesPurpose();
    for (const upstream of this.shown(view))
      for (const entry of upstream.lists[kind].values()) {
        if (!seesAll && !mayDo(caller, "mcp", fullName(upstream.name, entry.name))) continue;
        const name = isUri ? outerUri(view, upstream.name, entry.name) : outerName(view, upstream.name, entry.name);
        const edits: Edit[] = name === entry.name ? [] : [{ ...entry.at, bytes: utf8(JSON.stringify(name)) }];
        const purpose = purposes ? purposeEdit(entry) : null;
        if (purpose !== null) edits.push(purpose);
        entries.push(edits.length === 0 ? entry.raw : splice(entry.raw, edits));
      }
    return entries;
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

function encodeArray(entries: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [OPEN];
  for (const [i, entry] of entries.entries()) parts.push(...(i === 0 ? [entry] : [COMMA, entry]));
  parts.push(CLOSE);
  return concat(parts);
}
