import { RegExpRouter } from "hono/router/reg-exp-router";

export type RawParams = Readonly<Record<string, string>>;
export interface Found<T> {
  readonly value: T;
  /** Percent-encoded, as they stand in the path. */
  readonly params: RawParams;
}

const noParams: RawParams = Object.freeze({});

/**
 * Which value answers a method and path. A path is matched exactly as it was sent: nothing is decoded, folded or collapsed first, so `//health`, `/%68ealth`, `/health;x`,
 * `/Health` and `/./health` are other paths, and unknown ones. One slash at the end is forgiven. A path that is written out wins over one with parameters.
 */
export class RouteTable<T> {
  readonly #router = new RegExpRouter<T>();
  /** Asked when nothing else is found. A router of its own: one alone takes no parameter where another path has a word. */
  readonly #last = new RegExpRouter<T>();
  #hasLast = false;
  /** Paths without parameters, by method and path: found at once, and before a parameter would take them. */
  readonly #exact = new Map<string, Found<T>>();
  readonly #methods = new Set<string>();

  /** `{name}` is one segment, `{name+}` the rest of the path. All routes are added before the first is looked for. */
  add(method: string, path: string, value: T): void {
    this.#methods.add(method);
    if (!path.includes("{")) {
      this.#exact.set(`${method} ${path}`, { value, params: noParams });
      return;
    }
    this.#router.add(method, patternOf(path), value);
  }

  /** The same for a path that counts only where no other one does. */
  addLast(method: string, path: string, value: T): void {
    this.#methods.add(method);
    this.#hasLast = true;
    this.#last.add(method, patternOf(path), value);
  }

  find(method: string, path: string): Found<T> | null {
    const found = this.#match(method, path);
    if (found !== null || path.length < 2 || !path.endsWith("/")) return found;
    return this.#match(method, path.slice(0, -1));
  }

  /** The methods that the path has, for `Allow`; empty: there is no such path. */
  allowed(path: string): readonly string[] {
    const methods = [...this.#methods].filter((method) => this.find(method, path) !== null);
    if (methods.length === 0) return methods;
    return [...methods, "OPTIONS"];
  }

  #match(method: string, path: string): Found<T> | null {
    const exact = this.#exact.get(`${method} ${path}`);
    if (exact !== undefined) return exact;
    return this.#routed(this.#router, method, path) ?? (this.#hasLast ? this.#routed(this.#last, method, path) : null);
  }

  #routed(router: RegExpRouter<T>, method: string, path: string): Found<T> | null {
    const [handlers, stash] = router.match(method, path);
    const first = handlers[0];
    if (first === undefined) return null;
    const [value, places] = first;
    if (stash === undefined || stash.length === 0) return { value, params: noParams };
    const params: Record<string, string> = {};
    for (const [name, place] of Object.entries(places)) params[name] = stash[place as number] ?? "";
    return { value, params };
  }
}

function patternOf(path: string): string {
  return path.replace(/\{(\w+)\+\}/g, ":$1{.+}").replace(/\{(\w+)\}/g, ":$1");
}
