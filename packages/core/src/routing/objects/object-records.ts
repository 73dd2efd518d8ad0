import type { Caller } from "../../calls/index.js";
import { vendorObject, type Kept, type VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import {
  insert,
  remove,
  update,
  type Change,
  type Clock,
  type RecordStore,
  type Scope,
  type Where,
  type Within,
  type Write,
} from "../../ports/index.js";
import type { ObjectList, ObjectPage } from "../../seams/index.js";
import { contentRemovals } from "./file-contents.js";

export type ObjectKind = VendorObjectRow["kind"];
export type ObjectStatus = VendorObjectRow["status"];
/** What a new one says; the rest is as nobody has touched it. */
export type NewObject = Pick<VendorObjectRow, "id" | "projectId" | "kind" | "purpose" | "data"> &
  Partial<Omit<VendorObjectRow, keyof Kept>>;

const STORE_TIMEOUT_MS = 10_000;
const SWEPT_AT_ONCE = 100;
export const open: readonly ObjectStatus[] = ["queued", "running"];

export function isOpen(row: Pick<VendorObjectRow, "status">): boolean {
  return open.includes(row.status);
}

const words: Readonly<Record<ObjectKind, string>> = { file: "file", batch: "batch", video: "video" };

/** The rows of films, batches and files. Nobody sees one of another project, or of another kind. */
export class ObjectRecords {
  readonly #store: RecordStore;
  readonly #clock: Clock;

  constructor({ store, clock }: { readonly store: RecordStore; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
  }

  within(): Within {
    return { deadlineMs: this.#clock.now() + STORE_TIMEOUT_MS };
  }

  /** Errors: `not_found`. */
  async get(id: string, kind: ObjectKind, caller: Caller): Promise<VendorObjectRow> {
    const row = /^[A-Za-z0-9_-]{1,64}$/.test(id) ? await this.#store.get(vendorObject, id, scopeOf(caller), this.within()) : null;
    if (row !== null && row.kind === kind && (row.expiresAtMs ?? Infinity) > this.#clock.now()) return row;
    throw new GatewayError("not_found", `There is no ${words[kind]} of this id.`, { hint: "It may be of another project, or gone." });
  }

  /** A page by the time of creation. Errors: `not_found` when `after` is none of them. */
  async list(
    kind: ObjectKind,
    page: ObjectPage & { readonly purpose?: string | undefined },
    caller: Caller,
  ): Promise<ObjectList<VendorObjectRow>> {
    const desc = page.order === "desc";
    const last = page.after === undefined ? null : await this.get(page.after, kind, caller);
    const beyond = (value: number | string) => (desc ? { lt: value } : { gt: value });
    const where: Where<VendorObjectRow> = {
      kind,
      ...(page.purpose === undefined ? {} : { purpose: page.purpose }),
      ...(last === null
        ? {}
        : {
            any: [
              { createdAtMs: beyond(last.createdAtMs) as { lt: number } },
              { createdAtMs: last.createdAtMs, id: beyond(last.id) as { lt: string } },
            ],
          }),
    };
    const found = await this.#store.find(
      vendorObject,
      { where, orderBy: "createdAtMs", desc, limit: page.limit },
      scopeOf(caller),
      this.within(),
    );
    return { items: found.rows, hasMore: found.next !== null };
  }

  /**
   * Inserts it. One that stands under its idempotency key is given back instead: `created` says which. Errors: `idempotency_key_reuse` when that one was made of something else.
   */
  async create(row: NewObject, more: readonly Write[] = []): Promise<{ readonly row: VendorObjectRow; readonly created: boolean }> {
    const whole = complete(row);
    const scope = { projects: [row.projectId] };
    const [result] = await this.#store.commit([{ scope, writes: [insert(vendorObject, whole), ...more] }], this.within());
    if (result!.ok) {
      const made = await this.#store.get(vendorObject, row.id, scope, this.within());
      if (made !== null) return { row: made, created: true };
      throw new GatewayError("internal", "An object was stored and is not there.");
    }
    const standing = result!.current as unknown as VendorObjectRow | null;
    if (result!.why !== "taken" || standing === null) throw new GatewayError("internal", `An object could not be stored (${result!.why}).`);
    if (standing.payloadHash === whole.payloadHash) return { row: standing, created: false };
    throw new GatewayError("idempotency_key_reuse", "The idempotency key was used with another request.", {
      hint: "Use a new key for another request.",
    });
  }

  /** Changes it while `where` holds, and writes `more` with it; null when it no longer holds. */
  async change(
    row: Pick<VendorObjectRow, "id" | "projectId">,
    change: Change<VendorObjectRow>,
    o: { readonly where?: Where<VendorObjectRow>; readonly more?: readonly Write[] } = {},
  ): Promise<VendorObjectRow | null> {
    const scope = { projects: [row.projectId] };
    const writes = [update(vendorObject, row.id, { change, where: o.where ?? {} }), ...(o.more ?? [])];
    const [result] = await this.#store.commit([{ scope, writes }], this.within());
    if (!result!.ok) return null;
    return this.#store.get(vendorObject, row.id, scope, this.within());
  }

  /** `more` comes first: what refers to it goes before it. With `where` only while that holds. */
  async remove(
    row: Pick<VendorObjectRow, "id" | "projectId">,
    more: readonly Write[] = [],
    where: Where<VendorObjectRow> = {},
  ): Promise<void> {
    const writes = [...more, remove(vendorObject, row.id, { where })];
    await this.#store.commit([{ scope: { projects: [row.projectId] }, writes }], this.within());
  }

  /** Removes what is out of date, with what is kept beside it; at most a hundred at a time. */
  async sweep(): Promise<void> {
    const scope = { system: "objects that are out of date" };
    const where = { expiresAtMs: { lt: this.#clock.now() } };
    const { rows } = await this.#store.find(vendorObject, { where, orderBy: "expiresAtMs", limit: SWEPT_AT_ONCE }, scope, this.within());
    for (const row of rows) if (!isOpen(row)) await this.remove(row, contentRemovals(row.id, contentBytes(row)));
  }

  /** Takes those that are due, each for `leaseMs`. */
  take(kind: ObjectKind, o: { readonly limit: number; readonly leaseMs: number }): Promise<VendorObjectRow[]> {
    return this.#store.take(
      vendorObject,
      {
        where: { status: { in: open }, kind, readyAtMs: { lte: { storeNowPlusMs: 0 } } },
        orderBy: ["readyAtMs"],
        limit: o.limit,
        change: { set: { readyAtMs: { storeNowPlusMs: o.leaseMs } }, add: { attempt: 1 } },
      },
      this.within(),
    );
  }
}

/** How much is kept beside the row: of a film or a file its bytes, of a batch those of its requests, of a file of results nothing. */
function contentBytes({ data }: VendorObjectRow): number {
  const bytes = data["inputBytes"] ?? (data["from"] === undefined ? data["bytes"] : 0);
  return typeof bytes === "number" ? bytes : 0;
}

export function scopeOf(caller: Caller): Scope {
  return { projects: caller.projects };
}

/** A caller as data, and back. */
export function storedCaller(caller: Caller): Record<string, unknown> {
  return { ...caller, projects: [...caller.projects], grants: [...caller.grants] };
}
export function callerOf(row: Pick<VendorObjectRow, "caller">): Caller {
  return row.caller as unknown as Caller;
}

function complete(row: NewObject): Omit<VendorObjectRow, "version" | "createdAtMs" | "updatedAtMs"> {
  return {
    ...{ status: "queued", model: null, provider: null, ref: null, keyPrint: null, caller: {}, error: null },
    ...{ total: 0, completed: 0, failed: 0, readyAtMs: 0, attempt: 0, cancelRequested: false, expiresAtMs: null },
    ...{ idempotencyKey: null, payloadHash: "", startedAtMs: null, finishedAtMs: null },
    ...row,
  };
}
