import type { Caller } from "../../calls/index.js";
import { idempotencyKey, type IdempotencyKeyRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, nowPlus, remove, update, type Scope, type Unit, type Within, type Write } from "../../ports/index.js";
import type { SealedPlace, Services, Vault } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { payloadHash } from "../../util/payload-hash.js";

/** A creation that may be repeated. */
export interface Keyed {
  readonly key: string;
  readonly hash: string;
  readonly callerId: string;
  readonly projectId: string;
  readonly scope: Scope;
  readonly within: Within;
  /** How long it may be under way before nobody knows how it ended; a minute when left out. */
  readonly leaseMs?: number | undefined;
}
/** Who asks, and for how long. */
export interface KeyedBy {
  readonly caller: Caller;
  readonly deadlineMs: number;
  readonly inbound: { readonly signal: AbortSignal };
}
/** What a creation answered, now or before. */
export interface CreationAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly replayed: boolean;
}
export interface CreationOptions {
  readonly status: number;
  /** Fields of the answer that are shown now and never again: they are not kept. */
  readonly showOnce: (name: string) => boolean;
  readonly create: () => Promise<Readonly<Record<string, unknown>>>;
}

export interface IdempotencyServices extends Pick<Services, "store" | "clock" | "crypto"> {
  readonly seams: { readonly vault: { get(): Vault } };
}

const MAX_CALLER = 100;
const KEPT_MS = 86_400_000;
/** How long a creation that is not one unit may be under way before nobody knows how it ended. */
const LEASE_MS = 60_000;
const ASK_EVERY_MS = 50;
/** How often a claim is tried that others keep giving up. */
const TRIES = 20;
const SWEEP_EVERY_MS = 60_000;
const SWEEP_ROWS = 500;

/**
 * `Idempotency-Key`: the same key and payload of the same caller give the same answer for a day, another payload is `idempotency_key_reuse`. Of N at once one creates, the others wait for its answer. What was
 * answered is kept sealed.
 * Source: draft-ietf-httpapi-idempotency-key-header
 */
export class Idempotency {
  readonly #services: IdempotencyServices;
  #sweptAtMs = 0;

  constructor(services: IdempotencyServices) {
    this.#services = services;
  }

  /** `route`: the name of what is created, so that one key does not serve two kinds of things. */
  keyed(x: KeyedBy, asked: { readonly key: string; readonly route: string; readonly payload: unknown }): Keyed {
    const projectId = x.caller.projects[0];
    return {
      key: asked.key,
      hash: payloadHash([asked.route, asked.payload], (bytes) => this.#services.crypto.sha256(bytes)),
      callerId: this.#callerOf(x.caller.id),
      projectId,
      scope: { projects: [projectId] },
      within: { deadlineMs: x.deadlineMs, signal: x.inbound.signal },
    };
  }

  /** What is too long for a row stands as its digest, and is nobody else's. */
  #callerOf(id: string): string {
    return id.length <= MAX_CALLER ? id : payloadHash(id, (bytes) => this.#services.crypto.sha256(bytes));
  }

  /** The row of a creation that is one unit: first of its writes, so that a repetition is refused as `taken` before anything else is done. */
  doneWrite(k: Keyed, answer: { readonly status: number; readonly body: object }): Write {
    this.#sweep();
    return insert(idempotencyKey, this.#row(k, { state: "done", status: answer.status, answer: answer.body }));
  }

  /**
   * A creation that is several writes: claimed, made, then kept. If it fails the claim is given up, so that it can be tried again; if nobody knows whether it failed, a repetition is told that.
   * Errors: those of `claim` and of `create`.
   */
  async run(k: Keyed, o: CreationOptions): Promise<CreationAnswer> {
    const claimed = await this.claim(k);
    return "body" in claimed ? claimed : this.#create(k, claimed.id, o);
  }

  /**
   * What is about to be done, as a row that others wait for, or what it answered before. Whoever claims it ends it with `keep`, `giveUp` or `doubt`.
   * Errors: `idempotency_key_reuse`; `outcome_unknown` when an earlier one was begun and its process is gone; `conflict` when it is still under way at the deadline.
   */
  async claim(k: Keyed): Promise<{ readonly id: string } | CreationAnswer> {
    this.#sweep();
    for (let tried = 0; tried < TRIES; tried++) {
      const row = this.#row(k, { state: "running", status: null, answer: null });
      const [result] = await this.#services.store.commit([{ scope: k.scope, writes: [insert(idempotencyKey, row)] }], k.within);
      if (result?.ok === true) return { id: row.id };
      const answer = await this.replay(k, (result?.current ?? null) as IdempotencyKeyRow | null);
      if (answer !== null) return answer;
    }
    throw stillRunning();
  }

  /** It is done: whether its answer is kept does not change that. Never rejects. */
  async keep(k: Keyed, id: string, o: { readonly status: number; readonly answer: object; readonly withheld?: string[] }): Promise<void> {
    try {
      const answer = this.#sealed(id, o.answer);
      const set = { state: "done" as const, status: o.status, answer, withheld: o.withheld ?? [] };
      await this.#commit(k, [update(idempotencyKey, id, { change: { set } })]);
    } catch {
      // Who repeats it is told that nobody knows.
    }
  }

  /** It certainly was not done, and may be tried again. Never rejects. */
  async giveUp(k: Keyed, id: string): Promise<void> {
    await this.#commit(k, [remove(idempotencyKey, id)]).catch(() => undefined);
  }

  /** Nobody will know whether it was done: who repeats it is told so at once. Never rejects. */
  async doubt(k: Keyed, id: string): Promise<void> {
    await this.#commit(k, [update(idempotencyKey, id, { change: { set: { leaseUntilMs: 1 } } })]).catch(() => undefined);
  }

  /** What was answered under the key so far; null: nothing. Errors: see `run`. */
  async earlier(k: Keyed): Promise<CreationAnswer | null> {
    const { key, callerId, projectId } = k;
    const where = { projectId, callerId, key };
    const { rows } = await this.#services.store.find(idempotencyKey, { where, orderBy: "key", limit: 1 }, k.scope, k.within);
    return this.replay(k, rows[0] ?? null);
  }

  /** What was answered before; null: there is nothing any more, the creation may be tried again. Errors: see `run`. */
  async replay(k: Keyed, found: IdempotencyKeyRow | null): Promise<CreationAnswer | null> {
    const { store, clock } = this.#services;
    for (let row = found; row !== null; row = await store.get(idempotencyKey, row.id, k.scope, k.within)) {
      if (row.expiresAtMs <= clock.now()) return this.#drop(k, row);
      if (row.payloadHash !== k.hash) throw reused();
      if (row.state === "done") return this.#replayed(row);
      // By the store's clock: this process's may differ from the creator's.
      if (row.leaseUntilMs <= (await store.now(k.within))) throw unknownOutcome();
      if (clock.now() + ASK_EVERY_MS > k.within.deadlineMs) throw stillRunning();
      await this.#pause(k.within.signal);
    }
    return null;
  }

  async #create(k: Keyed, id: string, o: CreationOptions): Promise<CreationAnswer> {
    let body: Readonly<Record<string, unknown>>;
    try {
      body = await o.create();
    } catch (error) {
      const { code, details } = GatewayError.from(error);
      const isUnknown = code === "outcome_unknown" || details?.["outcome"] === "unknown";
      await (isUnknown ? this.doubt(k, id) : this.giveUp(k, id));
      throw error;
    }
    const withheld = Object.keys(body).filter(o.showOnce);
    const answer = Object.fromEntries(Object.entries(body).filter(([name]) => !o.showOnce(name)));
    await this.keep(k, id, { status: o.status, answer, withheld });
    return { status: o.status, body, replayed: false };
  }

  async #drop(k: Keyed, row: IdempotencyKeyRow): Promise<null> {
    await this.#commit(k, [remove(idempotencyKey, row.id, { ifVersion: row.version })]);
    return null;
  }

  #row(k: Keyed, made: Pick<IdempotencyKeyRow, "state" | "status"> & { readonly answer: object | null }) {
    const nowMs = this.#services.clock.now();
    const id = newId("idem");
    const answer = made.answer === null ? null : this.#sealed(id, made.answer);
    const { key, hash, callerId, projectId } = k;
    const times = { leaseUntilMs: nowPlus(k.leaseMs ?? LEASE_MS), expiresAtMs: nowMs + KEPT_MS };
    return { id, projectId, callerId, key, payloadHash: hash, withheld: [] as string[], ...made, answer, ...times };
  }

  #sealed(rowId: string, answer: object): string {
    return this.#services.seams.vault.get().seal(JSON.stringify(answer), placeOf(rowId));
  }

  #replayed({ id, answer, status, withheld }: IdempotencyKeyRow): CreationAnswer {
    const text = this.#services.seams.vault
      .get()
      .open(answer ?? "", placeOf(id))
      .reveal();
    const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return { status: status ?? 201, body: withheld.length === 0 ? body : { ...body, not_shown_again: withheld }, replayed: true };
  }

  #commit(k: Keyed, writes: readonly Write[]) {
    const deadlineMs = this.#services.clock.now() + SWEEP_EVERY_MS / 6;
    return this.#services.store.commit([{ scope: k.scope, writes }], { deadlineMs });
  }

  #pause(signal: AbortSignal | undefined): Promise<void> {
    const { clock } = this.#services;
    return new Promise((resolve) => {
      const ended = (): void => {
        cancel();
        signal?.removeEventListener("abort", ended);
        resolve();
      };
      const cancel = clock.at(clock.now() + ASK_EVERY_MS, ended);
      signal?.addEventListener("abort", ended);
    });
  }

  /** Now and then, beside a creation: what has expired goes. Never waited for. */
  #sweep(): void {
    const nowMs = this.#services.clock.now();
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    this.#removeExpired(nowMs).catch(() => undefined);
  }

  async #removeExpired(nowMs: number): Promise<void> {
    const scope: Scope = { system: "idempotency keys that have expired" };
    const within = { deadlineMs: nowMs + SWEEP_EVERY_MS };
    const { store } = this.#services;
    const where = { expiresAtMs: { lte: nowMs } };
    const { rows } = await store.find(idempotencyKey, { where, orderBy: "expiresAtMs", limit: SWEEP_ROWS }, scope, within);
    const units: Unit[] = rows.map(({ id, version }) => ({ scope, writes: [remove(idempotencyKey, id, { ifVersion: version })] }));
    if (units.length > 0) await store.commit(units, within);
  }
}

function placeOf(rowId: string): SealedPlace {
  return { table: idempotencyKey.table, column: "answer", rowId, isContent: true };
}

function reused(): GatewayError {
  return new GatewayError("idempotency_key_reuse", "The idempotency key was used with another payload.", {
    hint: "Use a new key for a new creation; the first one stands.",
  });
}
function unknownOutcome(): GatewayError {
  return new GatewayError("outcome_unknown", "A creation with this idempotency key was begun, and nobody knows whether it was done.", {
    hint: "Look whether it is there; if not, create it with a new key.",
  });
}
function stillRunning(): GatewayError {
  return new GatewayError("conflict", "A creation with this idempotency key is still under way.", { hint: "Repeat it in a moment." });
}
