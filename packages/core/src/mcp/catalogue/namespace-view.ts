import type { NamespaceRules } from "../../entities/index.js";
import type { NameSource } from "./view-names.js";
import { BareNames, ManualNames, MergedNames, PrefixedNames } from "./view-names.js";
import type { View, ViewNames } from "./view.js";

/** The view of a namespace. It stays the same object when the namespace is changed: sessions that hold it follow. */
export class NamespaceView implements View {
  readonly key: string;
  readonly #source: Omit<NameSource, "shelves">;
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
    this.names = namesOf({ rules, bare: this.bare, name: this.key, source: this.#sourceOf(rules.servers) });
    this.instructions = rules.instructions;
    this.version++;
  }

  #sourceOf(servers: readonly string[]): NameSource {
    const source = this.#source;
    const order = [...new Set(servers)];
    return {
      sha256: source.sha256,
      version: () => source.version(),
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
