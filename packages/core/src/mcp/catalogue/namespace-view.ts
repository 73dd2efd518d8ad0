import type { NamespaceRules } from "../../entities/index.js";
import { EVERYBODY, listsOf, type Audience } from "./audiences.js";
import type { NameSource } from "./view-names.js";
import { BareNames, ManualNames, MergedNames, PrefixedNames } from "./view-names.js";
import type { View, ViewNames } from "./view.js";

/** The view of a namespace. It stays the same object when the namespace is changed: sessions that hold it follow. */
export class NamespaceView implements View {
  readonly key: string;
  readonly #source: Omit<NameSource, "shelves">;
  /** As audiences see it that have lists of their own. */
  readonly #seen = new WeakMap<Audience, View>();
  servers: ReadonlySet<string> = new Set();
  bare: string | null = null;
  names!: ViewNames;
  instructions: string | null = null;
  version = 0;
  #rules: NamespaceRules | null = null;

  constructor(name: string, source: Omit<NameSource, "shelves">, rules: NamespaceRules) {
    this.key = name;
    this.#source = source;
    this.follow(rules);
  }

  follow(rules: NamespaceRules): void {
    if (rules === this.#rules) return;
    this.#rules = rules;
    const servers = new Set(rules.servers);
    this.servers = servers;
    this.bare = rules.naming === "none" && servers.size === 1 ? rules.servers[0]! : null;
    this.names = this.namesFor(EVERYBODY);
    this.instructions = rules.instructions;
    this.version++;
  }

  namesFor(audience: Audience): ViewNames {
    const rules = this.#rules!;
    return namesOf({ rules, bare: this.bare, name: this.key, source: this.#sourceOf(rules.servers, audience) });
  }

  /** The same view, with the names that follow from what the audience is shown. */
  seenBy(audience: Audience): View {
    let view = this.#seen.get(audience);
    if (view?.version !== this.version) {
      const { key, servers, bare, instructions, version } = this;
      this.#seen.set(audience, (view = { key, servers, bare, instructions, version, names: this.namesFor(audience), base: this }));
    }
    return view;
  }

  #sourceOf(servers: readonly string[], audience: Audience): NameSource {
    const source = this.#source;
    const order = [...new Set(servers)];
    return {
      sha256: source.sha256,
      version: () => source.version(),
      lists: (shelf) => listsOf(audience, shelf.upstream),
      shelf: (server) => (order.includes(server) ? source.shelf(server) : undefined),
      shelves: () => order.flatMap((server) => source.shelf(server) ?? []),
    };
  }
}

function namesOf(o: {
  readonly rules: NamespaceRules;
  readonly bare: string | null;
  readonly name: string;
  readonly source: NameSource;
}): ViewNames {
  const { rules, bare, source } = o;
  if (rules.naming === "manual") return new ManualNames(source, rules);
  if (rules.naming === "prefix") return new PrefixedNames(source, rules.tools);
  if (bare !== null) return new BareNames(source, bare, rules.tools);
  return new MergedNames(source, { ...rules, namespace: o.name });
}
