import { opaqueToken } from "../../entities/index.js";
import { insert, type Clock, type RecordStore, type Write } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { canonicalJson } from "../../util/payload-hash.js";
import { asKept, type CallKey, type Kept, type KeptCall } from "./kept-turn.js";
import type { Sealer } from "./sealer.js";

/** A conversation that rests longer goes on without its tokens. */
export const KEPT_MS = 86_400_000;
/** The store is asked for so many calls at once, the newest: older turns do without. */
const MOST_CALLS = 200;
const WITHIN_MS = 2_000;
const PRUNE_EVERY_MS = 600_000;
const PRUNE_ROWS = 1_000;

export interface StashOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly sealer: Sealer;
  /** The store failed: the answer goes on, and the next turn may do without its tokens. */
  readonly onError: (error: unknown) => void;
}

/**
 * Keeps for a day what callers' dialects cannot carry, found again by the tool calls that they do carry. A call is the same by its id, name and arguments together: some
 * vendors number their calls anew in every answer. Rows are sealed and of one project. Any number of callers at once; a store that fails costs the tokens, never the call.
 */
export class Stash {
  readonly #o: StashOptions;
  #pruneAtMs = 0;

  constructor(options: StashOptions) {
    this.#o = options;
  }

  /** They are there for the next turn when this resolves. */
  async keep(calls: readonly KeptCall[], projectId: string): Promise<void> {
    if (calls.length === 0) return;
    const { store, clock, onError } = this.#o;
    const nowMs = clock.now();
    const writes = calls.map(({ call, kept }): Write => {
      const callHash = this.#hash(call, projectId);
      const sealed = this.#o.sealer.sealText(JSON.stringify(kept), aadOf(callHash, projectId));
      return insert(opaqueToken, { id: newId("opaque"), atMs: nowMs, projectId, callHash, sealed });
    });
    try {
      await store.commit([{ scope: { projects: [projectId] }, writes }], { deadlineMs: nowMs + WITHIN_MS });
    } catch (error) {
      onError(error);
    }
    this.#prune(nowMs);
  }

  /** What is kept for these calls, in one read. */
  async find(calls: readonly CallKey[], projectId: string): Promise<ReadonlyMap<CallKey, Kept>> {
    const newest = calls.slice(-MOST_CALLS);
    const found = new Map<CallKey, Kept>();
    if (newest.length === 0) return found;
    const { store, clock, onError } = this.#o;
    const nowMs = clock.now();
    const hashes = new Map(newest.map((call) => [this.#hash(call, projectId), call]));
    try {
      const { rows } = await store.find(
        opaqueToken,
        { where: { callHash: { in: [...hashes.keys()] }, atMs: { gt: nowMs - KEPT_MS } }, orderBy: "atMs", desc: true, limit: 1_000 },
        { projects: [projectId] },
        { deadlineMs: nowMs + WITHIN_MS },
      );
      for (const row of rows) {
        const call = hashes.get(row.callHash);
        const kept = asKept(this.#o.sealer.openText(row.sealed, aadOf(row.callHash, projectId)));
        if (call !== undefined && kept !== null && !found.has(call)) found.set(call, kept);
      }
    } catch (error) {
      onError(error);
    }
    return found;
  }

  /** Now and then, behind an answer's back: all that is old, in pieces, for a busy gateway keeps more in ten minutes than one piece holds. */
  #prune(nowMs: number): void {
    if (nowMs < this.#pruneAtMs) return;
    this.#pruneAtMs = nowMs + PRUNE_EVERY_MS;
    this.#pruneAll(nowMs - KEPT_MS).catch(this.#o.onError);
  }

  async #pruneAll(olderThanMs: number): Promise<void> {
    const { store, clock } = this.#o;
    let removed = PRUNE_ROWS;
    while (removed >= PRUNE_ROWS)
      removed = await store.prune(opaqueToken, olderThanMs, PRUNE_ROWS, { deadlineMs: clock.now() + WITHIN_MS });
  }

  #hash(call: CallKey, projectId: string): string {
    return this.#o.sealer.hash(`call\n${canonicalJson([projectId, call.id, call.name, sameArguments(call.arguments)])}`);
  }
}

/** Clients write arguments anew: other spaces, another order. */
function sameArguments(text: string): unknown {
  if (text === "") return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function aadOf(callHash: string, projectId: string): string {
  return `sallyport/opaque/stash/1\n${projectId}\n${callHash}`;
}
