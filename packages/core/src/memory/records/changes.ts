import type { ChangesPage } from "../../ports/index.js";

interface Logged {
  readonly at: number;
  readonly entity: string;
  readonly id: string;
  readonly version: number;
}

/** The change log: of each row at least its newest change is kept, so it is bounded by the rows there ever were. */
export class Changes {
  #logged: Logged[] = [];
  #newest = new Map<string, number>();
  #last = 0;

  add(entity: string, id: string, version: number): void {
    const at = ++this.#last;
    this.#logged.push({ at, entity, id, version });
    this.#newest.set(`${entity} ${id}`, at);
    if (this.#logged.length > 1000 + 2 * this.#newest.size)
      this.#logged = this.#logged.filter((one) => this.#newest.get(`${one.entity} ${one.id}`) === one.at);
  }

  after(after: number | null, limit: number): ChangesPage {
    if (after === null) return { items: [], next: String(this.#last) };
    if (after > this.#last) return { items: [], next: String(this.#last), isOlder: true };
    let from = 0;
    for (let high = this.#logged.length; from < high; ) {
      const middle = (from + high) >>> 1;
      if ((this.#logged[middle] as Logged).at <= after) from = middle + 1;
      else high = middle;
    }
    const found = this.#logged.slice(from, from + limit);
    return {
      items: found.map(({ entity, id, version }) => ({ entity, id, version })),
      next: String(found.at(-1)?.at ?? after),
    };
  }
}
