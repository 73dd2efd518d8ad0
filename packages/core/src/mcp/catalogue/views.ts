import { mayDo } from "../../access/grants.js";
import type { Caller } from "../../calls/index.js";
import { namespace, type NamespaceRow, type NamespaceRules } from "../../entities/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import { NamespaceView } from "./namespace-view.js";
import { PrefixedNames, type NameSource } from "./view-names.js";
import { audienceKey, listsOf, type Audience } from "./audiences.js";
import { lasting, WHOLE, type View } from "./view.js";

/** The views of a catalogue: the whole, and one for each namespace. */
export class Views {
  readonly whole: View;
  readonly #source: NameSource;
  /** The whole as audiences see it that have lists of their own. */
  readonly #seen = new WeakMap<Audience, View>();
  readonly #namespaces = new Map<string, NamespaceView>();

  constructor(source: NameSource) {
    this.#source = source;
    this.whole = { ...WHOLE, names: new PrefixedNames(source) };
  }

  /** The view with the names that follow from what the audience is shown. */
  seenBy(view: View, audience: Audience): View {
    const base = lasting(view);
    if (audienceKey(audience, base) === "") return base;
    if (base instanceof NamespaceView) return base.seenBy(audience);
    if (base !== this.whole) return base;
    let seen = this.#seen.get(audience);
    if (seen === undefined) {
      const source: NameSource = { ...this.#source, lists: (shelf) => listsOf(audience, shelf.upstream) };
      this.#seen.set(audience, (seen = { ...WHOLE, names: new PrefixedNames(source), base }));
    }
    return seen;
  }

  /** The view of `/ns/{namespace}/mcp`, or of `/mcp` for null. Errors: `not_found`; `forbidden` for a restricted namespace that the caller was not granted. */
  of(snapshot: Snapshot, name: string | null, caller: Caller): View {
    if (name === null) return this.whole;
    const rules = namespaceOf(snapshot, name);
    if (rules === null) {
      this.#namespaces.delete(name);
      throw new GatewayError("not_found", `There is no namespace "${name.slice(0, 100)}".`, {
        hint: "Add it to namespaces in the configuration, or by POST /api/v1/namespaces.",
      });
    }
    if (rules.restricted && !mayDo(caller, "namespaces", name))
      throw new GatewayError("forbidden", `This key may not use the namespace "${name}".`, { hint: `Grant it namespaces:${name}.` });
    const known = this.#namespaces.get(name);
    if (known !== undefined) {
      known.follow(rules);
      return known;
    }
    const view = new NamespaceView(name, this.#source, rules);
    this.#namespaces.set(name, view);
    return view;
  }
}

/** Of the configuration, or stored; null: there is none. The same object as long as it is not changed. */
function namespaceOf(snapshot: Snapshot, name: string): NamespaceRules | null {
  const { namespaces } = snapshot.config;
  if (Object.hasOwn(namespaces, name)) return namespaces[name]!;
  return storedByName(snapshot.records.of(namespace)).get(name) ?? null;
}

const stored = new WeakMap<readonly NamespaceRow[], ReadonlyMap<string, NamespaceRow>>();
function storedByName(rows: readonly NamespaceRow[]): ReadonlyMap<string, NamespaceRow> {
  let byName = stored.get(rows);
  if (byName === undefined) stored.set(rows, (byName = new Map(rows.map((row) => [row.name, row]))));
  return byName;
}
