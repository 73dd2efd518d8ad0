import type { VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { BatchRequest, BatchResult, Services } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import type { BatchCalls } from "./batch-calls.js";
import { CANCELLED, EXPIRED, type BatchResults } from "./batch-results.js";
import { callerOf, open, type ObjectRecords } from "./object-records.js";

/** Calls of one batch under way at once. */
const AT_ONCE = 4;
const CALL_MS = 600_000;
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
const ADD_AT_ONCE = 100;
/** A batch has a day. */
const WINDOW_MS = 86_400_000;

export interface OwnBatchOptions {
  readonly records: ObjectRecords;
  readonly results: BatchResults;
  readonly calls: BatchCalls;
}
export type BatchEnd = "succeeded" | "cancelled" | "expired";

/**
 * A batch that the gateway works off itself: each request is a call of the batch's caller, under every policy. Results are written as they come, so that whoever goes on after a crash repeats only
 * what was under way.
 */
export class OwnBatch {
  readonly #services: Services;
  readonly #o: OwnBatchOptions;

  constructor(services: Services, options: OwnBatchOptions) {
    this.#services = services;
    this.#o = options;
  }

  /** Works until all is done, it is cancelled, or its time is over; says which. Errors: `lease_lost` when another process took it, `cancelled` when `signal` fired. */
  async work(row: VendorObjectRow, requests: readonly BatchRequest[], signal: AbortSignal): Promise<BatchEnd> {
    if (row.cancelRequested || this.#isOverdue(row)) {
      const end = row.cancelRequested ? "cancelled" : "expired";
      await this.#giveUp(row, requests, end);
      return end;
    }
    const ended = await this.#o.results.ended(row);
    const left = requests.filter(({ customId }) => !ended.has(customId));
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    const state: { end: BatchEnd } = { end: "succeeded" };
    const renewal = this.#renew(row, (end) => {
      if (end !== null) state.end = end;
      stop.abort(end ?? new GatewayError("lease_lost", "Another process goes on with this batch."));
    });
    try {
      const next = left[Symbol.iterator]();
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, () => this.#worker(row, next, stop.signal)));
    } catch (error) {
      // Cancelled, or out of time: what was not made is said to be so.
      if (state.end === "succeeded") throw error;
    } finally {
      renewal();
      signal.removeEventListener("abort", onAbort);
    }
    if (state.end !== "succeeded") await this.#giveUp(row, requests, state.end);
    return state.end;
  }

  #isOverdue(row: VendorObjectRow): boolean {
    return row.createdAtMs + WINDOW_MS <= this.#services.clock.now();
  }

  async #worker(row: VendorObjectRow, next: Iterator<BatchRequest>, signal: AbortSignal): Promise<void> {
    const { clock } = this.#services;
    const endpoint = String(row.data["endpoint"]);
    for (;;) {
      if (signal.aborted) throw GatewayError.from(signal.reason);
      const { done, value } = next.next();
      if (done === true) return;
      const o = { caller: callerOf(row), requestId: newId("req"), signal, deadlineMs: clock.now() + CALL_MS, depth: 0, purpose: "batch" };
      await this.#o.results.add(row, [await this.#o.calls.make(endpoint, value, o)]);
    }
  }

  /** Keeps the lease, and looks whether the batch is to end; null: the lease is lost. Returns the end of looking. */
  #renew(row: VendorObjectRow, onEnd: (end: BatchEnd | null) => void): () => void {
    const { clock, events } = this.#services;
    let cancel = (): void => undefined;
    const look = async (): Promise<void> => {
      const set = { readyAtMs: { storeNowPlusMs: LEASE_MS } };
      const held = await this.#o.records.change(row, { set }, { where: { attempt: row.attempt, status: { in: open } } });
      if (held === null) return onEnd(null);
      if (held.cancelRequested) return onEnd("cancelled");
      if (this.#isOverdue(held)) return onEnd("expired");
      again();
    };
    const again = (): void => {
      cancel = clock.at(clock.now() + RENEW_MS, () => {
        look().catch((error: unknown) => {
          events.emit("internal.error", { where: "renewing the lease of a batch", error });
          again();
        });
      });
    };
    again();
    return () => cancel();
  }

  async #giveUp(row: VendorObjectRow, requests: readonly BatchRequest[], end: BatchEnd): Promise<void> {
    const ended = await this.#o.results.ended(row);
    const status = end === "cancelled" ? CANCELLED : EXPIRED;
    const rest = requests
      .filter(({ customId }) => !ended.has(customId))
      .map(({ customId }): BatchResult => ({ customId, ok: false, status, requestId: newId("req"), body: "" }));
    for (let at = 0; at < rest.length; at += ADD_AT_ONCE) await this.#o.results.add(row, rest.slice(at, at + ADD_AT_ONCE));
  }
}
