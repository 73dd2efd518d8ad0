import type { Records } from "../../config/records.js";
import { mcpTool, namespace, persona, toolPin, type Kept } from "../../entities/index.js";
import type { Notifier } from "../subscribers/notifier.js";
import type { Catalogue } from "./catalogue.js";

/** What of the store the lists of callers depend on, beside the servers themselves. */
const FOLLOWED = [namespace, persona, mcpTool, toolPin] as const;

/** Has the lists follow the store: stored words on tools, namespaces, personas and approved definitions, whichever process changed them. */
export class FollowedRecords {
  readonly #catalogue: Catalogue;
  readonly #notifier: Notifier;
  #seen: readonly (readonly Kept[])[] = [];

  constructor(o: { readonly catalogue: Catalogue; readonly notifier: Notifier }) {
    this.#catalogue = o.catalogue;
    this.#notifier = o.notifier;
  }

  use(records: Records): void {
    const rows = FOLLOWED.map((entity) => records.of<Kept>(entity));
    const before = this.#seen;
    this.#seen = rows;
    if (rows.every((some, at) => some === before[at] || (some.length === 0 && before[at] === undefined))) return;
    this.#catalogue.changed();
    for (const { name } of this.#catalogue.all()) {
      this.#notifier.listChanged(name, "tools");
      // Namespaces and personas decide on all lists.
      if (rows[0] !== before[0] || rows[1] !== before[1])
        for (const kind of ["prompts", "resources"] as const) this.#notifier.listChanged(name, kind);
    }
  }
}
