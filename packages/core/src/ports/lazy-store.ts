import { GatewayError } from "../errors/index.js";
import type { AnyEntity, AnyLogEntity, Entity, Key, LogEntity } from "../entities/index.js";
import type { FindQuery, ReadQuery, RecordStore, Scope, SumQuery, TakeQuery, Unit, Within } from "./record-store.js";

/**
 * A store that is opened by its first use, so that what is made with it can be made at once. One opening at a time; one that failed is tried again by the next use.
 * Errors of every method: those of opening, beside its own.
 */
export class LazyStore implements RecordStore {
  readonly #open: () => Promise<RecordStore>;
  #opening: Promise<RecordStore> | null = null;
  #closed = false;

  constructor(open: () => Promise<RecordStore>) {
    this.#open = open;
  }

  /** Opens it now. */
  async ready(): Promise<void> {
    await this.#store();
  }

  #store(): Promise<RecordStore> {
    if (this.#closed) return Promise.reject(new GatewayError("store_unavailable", "The store is closed."));
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  async get<R>(entity: Entity<R>, id: Key, scope: Scope, w: Within) {
    return (await this.#store()).get(entity, id, scope, w);
  }
  async find<R>(entity: Entity<R>, q: FindQuery<R>, scope: Scope, w: Within) {
    return (await this.#store()).find(entity, q, scope, w);
  }
  async sum<R>(entity: Entity<R>, q: SumQuery<R>, scope: Scope, w: Within) {
    return (await this.#store()).sum(entity, q, scope, w);
  }
  async read<E>(log: LogEntity<E>, stream: Key, q: ReadQuery, scope: Scope, w: Within) {
    return (await this.#store()).read(log, stream, q, scope, w);
  }
  async commit(units: readonly Unit[], w: Within) {
    return (await this.#store()).commit(units, w);
  }
  async take<R>(entity: Entity<R>, t: TakeQuery<R>, w: Within) {
    return (await this.#store()).take(entity, t, w);
  }
  async prune(entity: AnyEntity | AnyLogEntity, olderThanMs: number, limit: number, w: Within) {
    return (await this.#store()).prune(entity, olderThanMs, limit, w);
  }
  async changes(after: string | null, limit: number, w: Within) {
    return (await this.#store()).changes(after, limit, w);
  }
  async now(w: Within) {
    return (await this.#store()).now(w);
  }
  async close(): Promise<void> {
    const opening = this.#opening;
    this.#closed = true;
    if (opening === null) return;
    const store = await opening.catch(() => null); // a store that never opened needs no closing
    await store?.close();
  }
}
