import { GatewayError } from "../../errors/index.js";
import { LISTS, type ListKind } from "./list-entries.js";
import type { UpstreamRequest } from "../lanes/lane.js";
import { ownRequest, type Connection } from "../lanes/own-request.js";
import { NO_LISTS, listsOf, readList, sameEntries, type Lists } from "./server-lists.js";
import type { UpstreamDeps } from "./upstream-deps.js";

/** A storm of change notices causes one reading in this time. */
const QUIET_MS = 1_000;
/** Of what is left out of a list so much is said. */
const MAX_REASONS = 20;
/** Asking for what is not there causes one reading in this time. */
const LOOK_AGAIN_MS = 10_000;

type ListingDeps = Pick<UpstreamDeps, "clock" | "log" | "limits" | "vet" | "known" | "onRead" | "onListChanged" | "onLeftOut">;

/** The four lists of one server as last read: kept when a reading fails, so that a hiccup hides nothing. */
export class Listing {
  lists: Lists;
  readonly #name: string;
  readonly #deps: ListingDeps;
  readonly #readAtMs = new Map<ListKind, number>();
  readonly #running = new Map<ListKind, Promise<void>>();
  readonly #due = new Map<ListKind, () => void>();
  readonly #errors = new Map<ListKind, string>();
  /** Entries that no client could use: how many, and of some why. */
  readonly #leftOut = new Map<ListKind, LeftOut>();
  /** Until when each list may be kept, Unix ms; 0: its server does not let it. */
  readonly #keepUntilMs = new Map<ListKind, number>();

  /** `lists`: as they were read last. */
  constructor(name: string, deps: ListingDeps, lists: Lists = NO_LISTS) {
    this.#name = name;
    this.#deps = deps;
    this.lists = lists;
  }

  /** Why the last reading of a list failed, of the first that did; null when none did. */
  get lastError(): string | null {
    return [...this.#errors.values()][0] ?? null;
  }
  /** What the lists that were read lack, of the first that lacks something; null: nothing. */
  get leftOut(): string | null {
    for (const [kind, { count, why }] of this.#leftOut) return `Of ${LISTS[kind].method} ${count} left out: ${why.join("; ")}`;
    return null;
  }

  /** How long the list as it is here may still be kept: 0 when its server does not let it, or lets it no longer; Infinity for one that it does not have. */
  freshMs(connection: Connection | null, kind: ListKind): number {
    if (connection !== null && !listsOf(connection).includes(kind)) return Infinity;
    return connection === null ? 0 : Math.max(0, (this.#keepUntilMs.get(kind) ?? 0) - this.#deps.clock.now());
  }
  /** Whether it was to be kept for a while that is over. */
  isOverdue(kind: ListKind): boolean {
    const untilMs = this.#keepUntilMs.get(kind) ?? 0;
    return untilMs > 0 && untilMs <= this.#deps.clock.now();
  }

  async readAll(connection: Connection): Promise<void> {
    const kinds = listsOf(connection);
    this.#errors.clear();
    for (const kind of this.#leftOut.keys()) if (!kinds.includes(kind)) this.#leftOut.delete(kind);
    const fresh: Record<ListKind, Lists[ListKind]> = { ...NO_LISTS };
    for (const kind of kinds) fresh[kind] = this.lists[kind];
    this.lists = fresh;
    await Promise.all(kinds.map((kind) => this.#read(connection, kind)));
  }

  /** Reads a list again, at most once a second. */
  refresh(connection: Connection, kind: ListKind): Promise<void> {
    const { clock } = this.#deps;
    const nextMs = (this.#readAtMs.get(kind) ?? 0) + QUIET_MS;
    if (clock.now() >= nextMs && !this.#running.has(kind)) return this.#read(connection, kind);
    if (!this.#due.has(kind))
      this.#due.set(
        kind,
        clock.at(Math.max(nextMs, clock.now() + 1), () => {
          this.#due.delete(kind);
          void this.refresh(connection, kind);
        }),
      );
    return Promise.resolve();
  }

  async lookAgain(connection: Connection, kind: ListKind): Promise<void> {
    const running = this.#running.get(kind);
    if (running !== undefined) return running;
    if (this.#deps.clock.now() - (this.#readAtMs.get(kind) ?? 0) < LOOK_AGAIN_MS) return;
    await this.#read(connection, kind);
  }

  /** A small request that shows whether the server answers. */
  check(connection: Connection): UpstreamRequest {
    const kind = listsOf(connection)[0] ?? "tools";
    return ownRequest(connection, { method: connection.era === "legacy" ? "ping" : LISTS[kind].method });
  }

  close(): void {
    for (const cancel of this.#due.values()) cancel();
    this.#due.clear();
  }

  #read(connection: Connection, kind: ListKind): Promise<void> {
    const running = this.#readNow(connection, kind).finally(() => this.#running.delete(kind));
    this.#running.set(kind, running);
    return running;
  }

  async #readNow(connection: Connection, kind: ListKind): Promise<void> {
    const { clock, limits, log } = this.#deps;
    this.#readAtMs.set(kind, clock.now());
    try {
      let ttlMs = Infinity;
      let isPublic = true;
      const leftOut = { count: 0, why: [] as string[] };
      const read = await readList(connection, kind, {
        onHints: (page) => {
          ttlMs = Math.min(ttlMs, page.ttlMs);
          isPublic &&= page.isPublic;
        },
        deadlineMs: clock.now() + limits.listMs,
        onRejected: (why) => void (leftOut.count++ < MAX_REASONS && leftOut.why.push(why)),
      });
      if (kind === "tools") await this.#deps.vet?.(this.#name, read);
      const entries = this.#deps.known?.(kind, read) ?? read;
      this.#errors.delete(kind);
      this.#noteLeftOut(kind, leftOut);
      this.#keepUntilMs.set(kind, ttlMs > 0 && ttlMs < Infinity ? (this.#readAtMs.get(kind) ?? 0) + ttlMs : 0);
      const isSame = sameEntries(this.lists[kind], entries);
      if (!isSame) this.lists = { ...this.lists, [kind]: entries };
      this.#deps.onRead?.(kind, { isPublic: isPublic && ttlMs > 0 });
      if (!isSame) this.#deps.onListChanged(this.#name, kind);
    } catch (error) {
      const known = GatewayError.from(error);
      // -32601: it declared more than it has.
      if (known.details?.["rpcCode"] === -32601) return void this.#errors.delete(kind);
      this.#errors.set(kind, `The list ${LISTS[kind].method} could not be read: ${known.message}`);
      log.warn("an MCP server's list could not be read", { server: this.#name, list: kind, code: known.code });
    }
  }

  /** Said once, and again when it is something else. */
  #noteLeftOut(kind: ListKind, { count, why }: LeftOut): void {
    const before = this.#leftOut.get(kind);
    this.#leftOut.delete(kind);
    if (count === 0) return;
    this.#leftOut.set(kind, { count, why });
    if (before?.count === count && before.why.join() === why.join()) return;
    this.#deps.log.warn("part of an MCP server's list was left out", { server: this.#name, list: kind, count, why: why.join("; ") });
    this.#deps.onLeftOut?.(this.#name, kind, { count, why });
  }
}

interface LeftOut {
  readonly count: number;
  readonly why: readonly string[];
}
