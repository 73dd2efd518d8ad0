import type { Clock } from "../../ports/index.js";
import { member, readMessage, stringMember, upstreamPlan, valueMember, type RpcMessage } from "../frames/message.js";
import { isHopKey, type Era } from "../frames/protocol.js";
import { replaceWith, splice } from "../frames/splice.js";

/** What was read, and of whom. */
export interface WasRead {
  readonly reply: RpcMessage;
  readonly connection: { readonly era: Era };
}
interface Entry {
  readonly bytes: Uint8Array;
  readonly era: Era;
  readonly uri: string;
  readonly scope: string;
  readonly untilMs: number;
}

const MAX_ENTRIES = 1_000;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_ENTRY_BYTES = 1024 * 1024;
/** However long a server lets it be kept. */
const MAX_TTL_MS = 3_600_000;

/**
 * What one server gave to be read, for as long as it lets it be kept (`ttlMs` of 2026-07-28): what it calls public for all who share its connection, all else for the caller that read it. Nothing is kept of a server that says nothing of it. Bounded in
 * number and bytes for all its connections together; what was used last stays.
 */
export class ReadCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(key: string): Entry | null {
    const entry = this.#entries.get(key);
    if (entry === undefined) return null;
    this.#entries.delete(key);
    if (entry.untilMs <= this.#clock.now()) {
      this.#bytes -= entry.bytes.length;
      return null;
    }
    this.#entries.set(key, entry);
    return entry;
  }

  put(key: string, entry: Entry): void {
    this.#forget(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) break;
      this.#forget(oldest);
    }
  }

  forget(isStale: (entry: Entry) => boolean): void {
    for (const [key, entry] of this.#entries) if (isStale(entry)) this.#forget(key);
  }

  #forget(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes.length ?? 0;
    this.#entries.delete(key);
  }
}

/** The part of a server's cache that one of its connections fills. */
export class Reads {
  readonly #cache: ReadCache;
  readonly #clock: Clock;
  readonly #scope: string;
  /** Grows when something may have changed: what was asked for before is not kept. */
  #changes = 0;

  /** `scope`: what the connections of the server are told apart by. */
  constructor(clock: Clock, cache: ReadCache, scope: string) {
    this.#cache = cache;
    this.#clock = clock;
    this.#scope = scope;
  }

  get changes(): number {
    return this.#changes;
  }

  /** As it was read, with the time that is left of it; null: it has to be asked for. */
  get(callerId: string, uri: string): WasRead | null {
    const entry = this.#cache.get(this.#key(null, uri)) ?? this.#cache.get(this.#key(callerId, uri));
    if (entry === null) return null;
    const reply = readMessage(entry.bytes, upstreamPlan);
    const left = String(entry.untilMs - this.#clock.now());
    const bytes = splice(entry.bytes, [replaceWith(member(reply.result, "ttlMs")!, left)]);
    return { reply: readMessage(bytes, upstreamPlan), connection: { era: entry.era } };
  }

  /** `changes`: as they were when it was asked for. False: it is not kept. */
  keep(callerId: string, uri: string, { reply, connection, changes }: WasRead & { readonly changes: number }): boolean {
    const { bytes, result } = reply;
    if (result === null || changes !== this.#changes || bytes.length > MAX_ENTRY_BYTES) return false;
    if ((stringMember(bytes, result, "resultType") ?? "complete") !== "complete") return false;
    const ttlMs = valueMember(bytes, result, "ttlMs");
    if (typeof ttlMs !== "number" || !(ttlMs >= 1)) return false;
    const isPublic = stringMember(bytes, result, "cacheScope") === "public";
    const untilMs = this.#clock.now() + Math.min(Math.floor(ttlMs), MAX_TTL_MS);
    this.#cache.put(this.#key(isPublic ? null : callerId, uri), { bytes, era: connection.era, uri, scope: this.#scope, untilMs });
    return true;
  }

  /** A resource changed, or null: any may have. One that contains it, or is contained, is another as well. */
  stale(uri: string | null): void {
    this.#changes++;
    this.#cache.forget((entry) => entry.scope === this.#scope && (uri === null || entry.uri.startsWith(uri) || uri.startsWith(entry.uri)));
  }

  #key(callerId: string | null, uri: string): string {
    return JSON.stringify([this.#scope, callerId, uri]);
  }
}

const TRACE: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

/** Whether a `resources/read` says nothing but what is read: neither answers to questions nor anything that a server might heed. */
export function isPlainRead({ params }: RpcMessage): boolean {
  return (params?.kids ?? []).every(
    ({ key, kids }) =>
      key === "uri" || (key === "_meta" && kids !== null && kids.every((inner) => isHopKey(inner.key) || TRACE.has(inner.key))),
  );
}
