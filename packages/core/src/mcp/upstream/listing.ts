import { GatewayError } from "../../errors/index.js";
import { LISTS, type ListEntry, type ListKind } from "./list-entries.js";
import type { UpstreamRequest } from "../lanes/lane.js";
import { ownRequest, type Connection } from "../lanes/own-request.js";
import { NO_LISTS, listsOf, readList, type Lists } from "./server-lists.js";
import type { UpstreamDeps } from "./upstream-deps.js";

/** A storm of change notices causes one reading in this time. */
const QUIET_MS = 1_000;
/** Asking for what is not there causes one reading in this time. */
const LOOK_AGAIN_MS = 10_000;

type ListingDeps = Pick<UpstreamDeps, "clock" | "log" | "limits" | "onListChanged">;

/** The four lists of one server as last read: kept when a reading fails, so that a hiccup hides nothing. */
export class Listing {
  lists: Lists = NO_LISTS;
  /** Why the last reading failed; null when it did not. */
  lastError: string | null = null;
  readonly #name: string;
  readonly #deps: ListingDeps;
  readonly #readAtMs = new Map<ListKind, number>();
  readonly #running = new Map<ListKind, Promise<void>>();
  readonly #due = new Map<ListKind, () => void>();

  constructor(name: string, deps: ListingDeps) {
    this.#name = name;
    this.#deps = deps;
  }

  async readAll(connection: Connection): Promise<void> {
    const kinds = listsOf(connection);
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
      const entries = await readList(connection, kind, {
        deadlineMs: clock.now() + limits.listMs,
        onRejected: (why) => log.warn("part of an MCP server's list was left out", { server: this.#name, list: kind, why }),
      });
      this.lastError = null;
      if (sameEntries(this.lists[kind], entries)) return;
      this.lists = { ...this.lists, [kind]: entries };
      this.#deps.onListChanged(this.#name, kind);
    } catch (error) {
      const known = GatewayError.from(error);
      // -32601: it declared more than it has.
      if (known.details?.["rpcCode"] === -32601) return;
      this.lastError = `The list ${LISTS[kind].method} could not be read: ${known.message}`;
      log.warn("an MCP server's list could not be read", { server: this.#name, list: kind, code: known.code });
    }
  }
}

function sameEntries(before: ReadonlyMap<string, ListEntry>, after: ReadonlyMap<string, ListEntry>): boolean {
  if (before.size !== after.size) return false;
  const others = after.values();
  for (const entry of before.values()) {
    const other = others.next().value;
    if (other === undefined || other.raw.length !== entry.raw.length || !entry.raw.every((byte, i) => byte === other.raw[i])) return false;
  }
  return true;
}
