import type { Caller } from "../../calls/index.js";
import { LIST_KINDS, type Entries, type Lists } from "../upstream/server-lists.js";
import type { Upstream } from "../upstream/upstream.js";
import { shows, type View } from "./view.js";

/** Whose lists are shown, where a server shows each caller its own. The same object for callers who are shown the same. */
export interface Audience {
  readonly own: ReadonlyMap<string, OwnLists>;
}
interface OwnLists {
  readonly lists: Lists;
  /** Equal for equal lists. */
  readonly id: string;
}

/** What all servers show to all callers alike. */
export const EVERYBODY: Audience = { own: new Map() };

/** The audiences that are remembered; those used last stay. */
const MAX_AUDIENCES = 256;

/** Which callers are shown the same: what is made for one of them serves all. */
export class Audiences {
  readonly #known = new Map<string, Audience>();

  /** `perUser`: the servers that show each caller its own lists. */
  of(caller: Caller, perUser: readonly Upstream[]): Audience {
    if (perUser.length === 0) return EVERYBODY;
    const own = new Map<string, OwnLists>();
    let key = "";
    for (const upstream of perUser) {
      const lists = upstream.listsFor(caller);
      const id = LIST_KINDS.map((kind) => idOf(lists[kind])).join(".");
      own.set(upstream.name, { lists, id });
      key += `${upstream.name}:${id}\n`;
    }
    const audience = this.#known.get(key) ?? { own };
    this.#known.delete(key);
    this.#known.set(key, audience);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_AUDIENCES) break;
      this.#known.delete(oldest);
    }
    return audience;
  }
}

/** Equal for audiences that are shown the same in this view. */
export function audienceKey({ own }: Audience, view: View): string {
  let key = "";
  for (const [server, { id }] of own) if (shows(view, server)) key += `${server}:${id} `;
  return key;
}

export function listsOf(audience: Audience, upstream: Upstream): Lists {
  return audience.own.get(upstream.name)?.lists ?? upstream.lists;
}

const ids = new WeakMap<Entries, number>();
let nextId = 1;
function idOf(entries: Entries): number {
  let id = ids.get(entries);
  if (id === undefined) ids.set(entries, (id = nextId++));
  return id;
}
