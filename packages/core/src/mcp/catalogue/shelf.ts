import { mayDo } from "../../access/grants.js";
import type { Caller } from "../../calls/index.js";
import type { McpToolRow } from "../../entities/index.js";
import { LISTS, type ListEntry, type ListKind } from "../upstream/list-entries.js";
import { NO_LISTS, type Entries, type Lists } from "../upstream/server-lists.js";
import type { Upstream } from "../upstream/upstream.js";
import { isPlain, shownName, type Sha256 } from "../shape/outer-names.js";
import { shapeTool } from "../shape/shaped-tool.js";
import { storedRules } from "../shape/stored-rules.js";
import { AS_IT_IS, ToolShape } from "../shape/tool-shape.js";
import { definitionChanged, toolNotFound } from "./unreachable.js";
import { fullName, type NamedKind } from "./view.js";

/** Tools that are kept from callers for now, beside what the operator says of them. */
export type Withheld = (server: string, entry: ListEntry) => boolean;

export interface ShelfOptions {
  readonly sha256: Sha256;
  readonly withheld: Withheld;
  /** What the store says of tools; the same array as long as nothing of it changed. */
  readonly words: () => readonly McpToolRow[];
}

/** What follows from one state of the operator's words. */
interface Shaped {
  readonly words: readonly McpToolRow[];
  readonly shape: ToolShape;
  readonly tools: WeakMap<ListEntry, ListEntry>;
  readonly coded: WeakMap<Entries, ReadonlyMap<string, string>>;
}

/** One server in the catalogue: its tools as the operator wants them shown. `lists`: those that are shown to whom it is about. */
export class Shelf {
  readonly #o: ShelfOptions;
  #shaped: Shaped | null = null;
  #tools = new WeakMap<Entries, { readonly at: number; readonly shaped: Entries }>();

  constructor(
    readonly upstream: Upstream,
    options: ShelfOptions,
  ) {
    this.#o = options;
  }

  get shape(): ToolShape {
    return this.#now().shape;
  }

  #now(): Shaped {
    const words = this.#o.words();
    if (this.#shaped?.words !== words) {
      const rules = storedRules(this.upstream.target.tools, { server: this.name, words });
      this.#shaped = { words, shape: rules === null ? AS_IT_IS : new ToolShape(rules), tools: new WeakMap(), coded: new WeakMap() };
    }
    return this.#shaped;
  }

  get name(): string {
    return this.upstream.name;
  }

  /** The tools that are there, by the server's own names, in its order. `version`: of the catalogue. */
  tools(version: number, lists: Lists): Entries {
    const known = this.#tools.get(lists.tools);
    if (known?.at === version) return known.shaped;
    const shaped = new Map<string, ListEntry>();
    for (const entry of lists.tools.values())
      if (this.shape.has(entry.name) && !this.#o.withheld(this.name, entry)) shaped.set(entry.name, this.#shapedTool(entry));
    this.#tools.set(lists.tools, { at: version, shaped });
    return shaped;
  }

  /** The entries of a list as callers see them. */
  entries(kind: ListKind, version: number, lists: Lists): Iterable<ListEntry> {
    return (kind === "tools" ? this.tools(version, lists) : lists[kind]).values();
  }

  /** Errors: `tool_not_found` for what the operator does not let be there, listed or not; `tool_definition_changed` for what waits for approval, of which nobody hears who may not call it. */
  assertReachable(tool: string, caller: Caller): void {
    const name = fullName(this.name, tool);
    if (!this.shape.has(tool)) throw toolNotFound(name);
    const entry = this.upstream.listsFor(caller).tools.get(tool);
    if (entry !== undefined && this.#o.withheld(this.name, entry) && mayDo(caller, "mcp", name)) throw definitionChanged(name);
  }

  #shapedTool(entry: ListEntry): ListEntry {
    const { shape, tools } = this.#now();
    let tool = tools.get(entry);
    const { name } = entry;
    if (tool === undefined) tools.set(entry, (tool = shapeTool(entry, { override: shape.override(name), fill: shape.fill(name) })));
    return tool;
  }

  /** Whether its list was ever read: else nobody knows which names it has. */
  isListed(kind: NamedKind, lists: Lists): boolean {
    const { upstream } = this;
    if (lists[kind] !== NO_LISTS[kind]) return true;
    return upstream.connection !== null && upstream.connection.capabilities[LISTS[kind].capability] === undefined;
  }

  /** `server__name`, with the name that the operator gave it. */
  outer(kind: NamedKind, name: string): string {
    return fullName(this.name, kind === "tools" ? this.shape.shownOf(name) : name);
  }
  /** As the server knows what callers know without its prefix; null: there can be none. */
  inner(kind: NamedKind, shown: string): string | null {
    return kind === "tools" ? this.shape.toolOf(shown) : shown;
  }

  /** As the server knows what is shown under a shortened name; null: nothing of what it has. */
  byCode(kind: NamedKind, coded: string, lists: Lists): string | null {
    const entries = lists[kind];
    const { coded: tables } = this.#now();
    let table = tables.get(entries);
    if (table === undefined) {
      const long = new Map<string, string>();
      for (const name of entries.keys()) {
        const outer = this.outer(kind, name);
        if (!isPlain(outer)) long.set(shownName(outer, this.#o.sha256), name);
      }
      tables.set(entries, (table = long));
    }
    return table.get(coded) ?? null;
  }
}
