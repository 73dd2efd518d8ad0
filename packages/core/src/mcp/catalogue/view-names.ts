import type { NamespaceRules, ToolFilter } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { isCoded, shownName, type Sha256 } from "../shape/outer-names.js";
import { letsPass } from "../../util/glob.js";
import type { Lists } from "../upstream/server-lists.js";
import type { Shelf } from "./shelf.js";
import { fullName, splitName, type Located, type NamedKind, type ViewNames } from "./view.js";

/** What names are made from. */
export interface NameSource {
  readonly sha256: Sha256;
  shelf(server: string): Shelf | undefined;
  /** Of a server, as they are shown here. */
  lists(shelf: Shelf): Lists;
  /** Servers that the view shows, in its order. */
  shelves(): readonly Shelf[];
  /** Grows when any list does. */
  version(): number;
}

/** `server__name`, shortened where it has to be. */
export class PrefixedNames implements ViewNames {
  readonly #source: NameSource;
  readonly #filter: ToolFilter;
  constructor(source: NameSource, filter: ToolFilter = {}) {
    this.#source = source;
    this.#filter = filter;
  }

  locate(kind: NamedKind, name: string): Located | null {
    const located = isCoded(name) ? this.#byCode(kind, name) : null;
    if (located !== null) return this.#passing(kind, located);
    const parts = splitName(name);
    const shelf = parts === null ? undefined : this.#source.shelf(parts.server);
    if (parts === null || shelf === undefined) return null;
    const inner = shelf.inner(kind, parts.name);
    return inner === null ? null : this.#passing(kind, { server: parts.server, name: inner });
  }

  outer(kind: NamedKind, server: string, name: string): string | null {
    const shelf = this.#source.shelf(server);
    if (shelf === undefined || this.#passing(kind, { server, name }) === null) return null;
    return shownName(shelf.outer(kind, name), this.#source.sha256);
  }

  /** Server names are short enough to stand in what is left of a name. */
  #byCode(kind: NamedKind, coded: string): Located | null {
    const server = splitName(coded)?.server;
    const shelf = server === undefined ? undefined : this.#source.shelf(server);
    const inner = shelf?.byCode(kind, coded, this.#source.lists(shelf)) ?? null;
    return inner === null ? null : { server: server!, name: inner };
  }

  #passing(kind: NamedKind, located: Located): Located | null {
    return kind !== "tools" || letsPass(this.#filter, fullName(located.server, located.name)) ? located : null;
  }
}

/** One server as it is: nothing is shortened either. */
export class BareNames implements ViewNames {
  readonly #source: NameSource;
  readonly #server: string;
  readonly #filter: ToolFilter;
  constructor(source: NameSource, server: string, filter: ToolFilter) {
    this.#source = source;
    this.#server = server;
    this.#filter = filter;
  }

  locate(kind: NamedKind, name: string): Located | null {
    const shelf = this.#source.shelf(this.#server);
    const inner = shelf === undefined ? name : shelf.inner(kind, name);
    return inner !== null && this.#passes(kind, inner) ? { server: this.#server, name: inner } : null;
  }

  outer(kind: NamedKind, server: string, name: string): string | null {
    if (!this.#passes(kind, name)) return null;
    return kind === "tools" ? (this.#source.shelf(server)?.shape.shownOf(name) ?? name) : name;
  }

  #passes(kind: NamedKind, name: string): boolean {
    return kind !== "tools" || letsPass(this.#filter, fullName(this.#server, name));
  }
}

/** Only the tools that the operator names; prompts keep their prefix. */
export class ManualNames implements ViewNames {
  readonly #names: ReadonlyMap<string, Located>;
  readonly #outer = new Map<string, string>();
  readonly #prefixed: PrefixedNames;

  constructor(source: NameSource, { names, tools }: Pick<NamespaceRules, "names" | "tools">) {
    this.#prefixed = new PrefixedNames(source, tools);
    const located = Object.entries(names).flatMap(([outer, full]) => {
      const at = splitName(full);
      return at === null || !letsPass(tools, full) ? [] : [[outer, at] as const];
    });
    this.#names = new Map(located);
    // Of several names of one tool the first is listed.
    for (const [outer, at] of located) {
      const full = fullName(at.server, at.name);
      if (!this.#outer.has(full)) this.#outer.set(full, outer);
    }
    this.#shows = (server) => source.shelf(server) !== undefined;
  }
  readonly #shows: (server: string) => boolean;

  locate(kind: NamedKind, name: string): Located | null {
    if (kind !== "tools") return this.#prefixed.locate(kind, name);
    const located = this.#names.get(name);
    return located !== undefined && this.#shows(located.server) ? located : null;
  }

  outer(kind: NamedKind, server: string, name: string): string | null {
    if (kind !== "tools") return this.#prefixed.outer(kind, server, name);
    return this.#outer.get(fullName(server, name)) ?? null;
  }
}

interface Table {
  readonly version: number;
  /** By the name shown. */
  readonly located: ReadonlyMap<string, Located>;
  /** By the full name; null: not shown. */
  readonly outer: ReadonlyMap<string, string | null>;
  readonly clash: string | null;
}

/**
 * Several servers' names as they are. A name of one's own is shown only when no other server can have it: until the list of every server that would come before was read once, a tool is shown as `server__tool`, so that no name
 * ever leads to another tool than it did.
 */
export class MergedNames implements ViewNames {
  readonly #source: NameSource;
  readonly #filter: ToolFilter;
  readonly #conflicts: NamespaceRules["conflicts"];
  readonly #namespace: string;
  readonly #prefixed: PrefixedNames;
  readonly #tables = new Map<NamedKind, Table>();

  constructor(source: NameSource, o: Pick<NamespaceRules, "conflicts" | "tools"> & { readonly namespace: string }) {
    this.#source = source;
    this.#filter = o.tools;
    this.#conflicts = o.conflicts;
    this.#namespace = o.namespace;
    this.#prefixed = new PrefixedNames(source, o.tools);
  }

  locate(kind: NamedKind, name: string): Located | null {
    const table = this.#table(kind);
    const located = table.located.get(name);
    if (located !== undefined) return located;
    // Its full name leads to a tool that was not listed yet; one that is not shown is not reached by it.
    const full = this.#prefixed.locate(kind, name);
    return full === null || table.outer.get(fullName(full.server, full.name)) === null ? null : full;
  }

  outer(kind: NamedKind, server: string, name: string): string | null {
    return this.#table(kind).outer.get(fullName(server, name)) ?? null;
  }

  #table(kind: NamedKind): Table {
    const version = this.#source.version();
    let table = this.#tables.get(kind);
    if (table?.version !== version) this.#tables.set(kind, (table = this.#build(kind, version)));
    if (table.clash === null) return table;
    throw new GatewayError("misconfigured", `Several servers of the namespace "${this.#namespace}" have "${table.clash.slice(0, 200)}".`, {
      hint: 'Let its "tools" leave one of them out, or use conflicts "prefix" or "priority".',
    });
  }

  #build(kind: NamedKind, version: number): Table {
    const shelves = this.#source.shelves();
    const owners = new Map<string, string[]>();
    const claims: { readonly shelf: Shelf; readonly at: number; readonly name: string; readonly bare: string }[] = [];
    for (const [at, shelf] of shelves.entries())
      for (const { name } of shelf.entries(kind, version, this.#source.lists(shelf))) {
        if (kind === "tools" && !letsPass(this.#filter, fullName(shelf.name, name))) continue;
        const bare = kind === "tools" ? shelf.shape.shownOf(name) : name;
        claims.push({ shelf, at, name, bare });
        owners.set(bare, [...(owners.get(bare) ?? []), shelf.name]);
      }
    const unread = shelves.map((shelf) => !shelf.isListed(kind, this.#source.lists(shelf)));
    const located = new Map<string, Located>();
    const outer = new Map<string, string | null>();
    let clash: string | null = null;
    for (const { shelf, at, name, bare } of claims) {
      const all = owners.get(bare)!;
      if (this.#conflicts === "error" && all.length > 1) clash ??= bare;
      const before = this.#conflicts === "priority" ? unread.slice(0, at) : unread;
      const isLater = this.#conflicts === "priority" && all[0] !== shelf.name;
      const isOwn = !before.includes(true) && !isForeign(this.#source, bare) && (all.length === 1 || this.#conflicts === "priority");
      const shown = isLater ? null : shownName(isOwn ? bare : shelf.outer(kind, name), this.#source.sha256);
      outer.set(fullName(shelf.name, name), shown);
      if (shown !== null) located.set(shown, { server: shelf.name, name });
    }
    return { version, located, outer, clash };
  }
}

/** Looks like the full name of a tool of a server that is shown here. */
function isForeign(source: NameSource, bare: string): boolean {
  const parts = splitName(bare);
  return parts !== null && source.shelf(parts.server) !== undefined;
}
