import type { Answer, ModelEvent, ModelHead, Outcome, ProtocolId } from "../../calls/index.js";
import type { CacheRules, RouteRules, SemanticRules } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Cache, Clock, Crypto } from "../../ports/index.js";
import type { EventHub, ModelCaller } from "../../seams/index.js";
import type { Log } from "../../util/log.js";
import { untilAborted } from "../../util/until-aborted.js";
import type { OpenCall, Step } from "../step.js";
import { AnswerStore } from "./answer-store.js";
import { cacheKey, type CacheKey } from "./cache-key.js";
import { capture, type AnswerReader, type Captured } from "./capture.js";
import { Flights, type Flight, type Landing } from "./flights.js";
import { questionOf } from "./question.js";
import { SEMANTIC_PURPOSE, SimilarAnswers } from "./similar-answers.js";
import { hitAnswer, type Found } from "./hit-answer.js";
import type { KeptAnswer } from "./kept-answer.js";
import { isPlainText, isToKeep, withUsage } from "./to-keep.js";

export interface ResponseCacheOptions {
  readonly cache: Cache;
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly log: Log;
  readonly events: EventHub;
  /** The purpose key `response-cache`. */
  readonly secret: () => Uint8Array;
  /** null: this version does not speak it. */
  readonly readerOf: (protocol: ProtocolId) => AnswerReader | null;
  /** Makes the vectors of routes with a semantic cache. */
  readonly models: () => Pick<ModelCaller, "operate">;
  /** For the time that answers are kept; `Math.random` when left out. */
  readonly random?: (() => number) | undefined;
}

type Call = OpenCall<ModelHead>;
type CachedRoute = RouteRules & { readonly cache: CacheRules };

/** A question among those that differ from it in nothing but their last text. */
interface Place {
  readonly partition: string;
  readonly vector: readonly number[];
  readonly rules: SemanticRules;
}

/** A call whose answer is to be kept. */
interface Miss {
  readonly at: CacheKey;
  readonly rules: CacheRules;
  /** null: nobody waits for it. */
  readonly flight: Flight | null;
  captured: Captured | null;
  /** Where the question stands among similar ones; null: nobody looks there. */
  readonly place: Place | null;
  /** Begun when the answer was whole before its caller had it. */
  keeping: Promise<void> | null;
}

/** Answers of a route that expire together would be made together. */
const JITTER = 0.1;
const POLL_MS = 50;
const LONGEST_POLL_MS = 500;

/**
 * Answers of routes that opted in are kept and given again to the same question of the same project or key, whole or as a stream, however the first was asked for. Of equal calls at once, one
 * goes on and the others wait for it. A hit costs nothing and says so.
 * Errors: `cancelled` and `deadline_exceeded` of a call that waits.
 */
export class ResponseCache implements Step<ModelHead, ModelEvent> {
  readonly name = "response-cache";
  readonly #o: ResponseCacheOptions;
  readonly #store: AnswerStore;
  readonly #flights = new Flights();
  readonly #similar: SimilarAnswers;
  readonly #misses = new WeakMap<Call, Miss>();

  constructor(options: ResponseCacheOptions) {
    this.#o = options;
    const { cache, clock, crypto, log, secret, events, models } = options;
    this.#similar = new SimilarAnswers({ models, clock, log });
    this.#store = new AnswerStore({
      cache,
      clock,
      crypto,
      log,
      secret,
      onRejected: () => events.emit("cache.used", { callId: null, result: "rejected" }),
    });
  }

  enter(call: Call): void | Promise<void | Answer<ModelEvent>> {
    const route = cachedRoute(call);
    if (route !== null) return this.#enter(call, route);
  }

  answered(call: Call, answer: Answer<ModelEvent>): Answer<ModelEvent> {
    const miss = this.#misses.get(call);
    if (miss === undefined || answer.status !== 200) return answer;
    const captured = capture(answer, this.#readerOf(miss.at));
    miss.captured = captured;
    // What is whole is kept at once: who waits need not wait for its caller to have read it.
    if (answer.body.kind === "bytes") {
      miss.keeping = this.#keep(call, miss);
      miss.keeping.catch(() => undefined); // its leave hears it
    }
    return captured.answer;
  }

  async #enter(call: Call, route: CachedRoute): Promise<void | Answer<ModelEvent>> {
    const wish = call.cacheControl ?? "";
    if (/\bno-store\b/i.test(wish)) return this.#tell(call, "bypass");
    const at = cacheKey(call, route, this.#o.crypto);
    let flight: Flight | null = null;
    if (!/\bno-cache\b/i.test(wish)) {
      const found = (await this.#find(call, at)) ?? null;
      if (found !== null && "storedAtMs" in found) return this.#hit(call, at, { kept: found, similarity: null });
      flight = found;
    }
    const place = flight === null ? null : await this.#placeOf(call, route);
    if (flight !== null && place !== null) {
      const similar = await this.#likeness(place, at);
      if (similar !== null) {
        flight.land({ kind: "kept", answer: similar.kept });
        await this.#store.endLead(at, call.id);
        return this.#hit(call, at, similar);
      }
    }
    const miss: Miss = { at, rules: route.cache, flight, place, captured: null, keeping: null };
    this.#misses.set(call, miss);
    call.defer((outcome) => this.#leave(call, miss, outcome));
    this.#tell(call, "miss");
  }

  /** The answer, or the flight that this call leads; null: it goes on without either. */
  async #find(call: Call, at: CacheKey): Promise<KeptAnswer | Flight | null> {
    const kept = await this.#store.get(at);
    if (kept !== null) return kept;
    // A call that another one made would wait for that, if they are the same.
    if (call.depth > 0) return null;
    for (;;) {
      const flying = this.#flights.of(at.key);
      if (flying === null) return this.#lead(call, at);
      const landing = await this.#wait(call, flying.landing);
      if (landing.kind === "kept") return landing.answer;
      if (landing.kind === "alone") return null;
    }
  }

  /** Begins a flight; when another node makes the answer already, waits for it there. */
  async #lead(call: Call, at: CacheKey): Promise<KeptAnswer | Flight> {
    const flight = this.#flights.begin(at.key);
    try {
      for (let pauseMs = POLL_MS; !(await this.#store.lead(at, call.id)); pauseMs = Math.min(LONGEST_POLL_MS, pauseMs * 2)) {
        do {
          await this.#wait(call, this.#pause(pauseMs));
          const kept = await this.#store.get(at);
          if (kept === null) continue;
          flight.land({ kind: "kept", answer: kept });
          return kept;
        } while (await this.#store.isLed(at));
      }
      // Whoever led before kept its answer first and ended then: between our look and our turn it may have done both.
      const kept = await this.#store.get(at);
      if (kept === null) return flight;
      flight.land({ kind: "kept", answer: kept });
      await this.#store.endLead(at, call.id);
      return kept;
    } catch (error) {
      flight.land({ kind: "left" });
      throw error;
    }
  }

  /** Errors: `cancelled`, `deadline_exceeded`. */
  #wait<T>(call: Call, what: Promise<T>): Promise<T> {
    let cancel = (): void => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new GatewayError("deadline_exceeded", "The deadline passed while an equal call was being answered.");
      cancel = this.#o.clock.at(call.deadlineMs, () => reject(error));
    });
    return untilAborted(Promise.race([what, late]), call.signal).finally(() => cancel());
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#o.clock.at(this.#o.clock.now() + ms, resolve));
  }

  /** null: the route has no semantic cache, or the call is not one for it. Never throws. */
  async #placeOf(call: Call, route: CachedRoute): Promise<Place | null> {
    const rules = route.cache.semantic;
    const question = rules === undefined ? null : questionOf(call);
    if (rules === undefined || question === null) return null;
    const { head, caller, wire } = call;
    const frame = { head, caller, wire, isReplaced: true, content: () => ({ kind: "model" as const, call: question.frame }) };
    const vector = await this.#similar.embed(call, question.text, rules);
    return vector === null ? null : { partition: cacheKey(frame, route, this.#o.crypto).key, vector, rules };
  }

  /** The kept answer to the nearest question, if that is near enough. */
  async #likeness({ partition, vector, rules }: Place, at: CacheKey): Promise<Found | null> {
    const similar = await this.#similar.nearest(partition, vector, rules);
    if (similar === null) return null;
    // Scope and dialect are part of the partition, so the other question's are the same.
    const kept = await this.#store.get({ ...at, key: similar.key });
    if (kept === null) await this.#similar.forget(partition, similar.key);
    return kept === null ? null : { kept, similarity: similar.similarity };
  }

  #hit(call: Call, at: CacheKey, found: Found): Answer<ModelEvent> | void {
    const answer = hitAnswer(call, found, { reader: this.#readerOf(at), nowMs: this.#o.clock.now() });
    this.#tell(call, answer === null ? "bypass" : "hit");
    if (answer !== null) return answer;
    void this.#store.reject(at);
  }

  #readerOf({ dialect }: CacheKey): AnswerReader | null {
    return dialect === "neutral" ? null : this.#o.readerOf(dialect);
  }

  #tell(call: Call, result: "hit" | "miss" | "bypass"): void {
    call.tell([["x-sallyport-cache", result]]);
    this.#o.events.emit("cache.used", { callId: call.id, result });
  }

  async #leave(call: Call, miss: Miss, outcome: Outcome): Promise<void> {
    try {
      await (miss.keeping ?? (outcome.kind === "done" ? this.#keep(call, miss) : null));
    } finally {
      miss.flight?.land({ kind: outcome.kind === "aborted" ? "left" : "alone" });
      if (miss.flight !== null) await this.#store.endLead(miss.at, call.id);
    }
  }

  /** Keeps the answer that went by, if it is one to keep. */
  async #keep(call: Call, { captured, at, rules, flight, place }: Miss): Promise<void> {
    const whole = (await captured?.whole().catch(() => null)) ?? null;
    if (captured === null || whole === null || !isToKeep(whole, rules)) return;
    const { body, headers } = captured.answer;
    const { meter } = call;
    const nowMs = this.#o.clock.now();
    const ttlMs = rules.ttlMs * (1 - JITTER + 2 * JITTER * (this.#o.random ?? Math.random)());
    const kept: KeptAnswer = {
      ...{ storedAtMs: nowMs, expiresAtMs: nowMs + Math.max(1, Math.round(ttlMs)) },
      ...{ provider: meter.provider ?? "", model: meter.model ?? "", costNanoUsd: meter.costNanoUsd },
      warnings: headers.find(([name]) => name === "x-sallyport-warnings")?.[1] ?? null,
      body: body.kind === "bytes" ? { kind: "bytes", bytes: body.bytes } : { kind: "answer", answer: withUsage(whole, meter) },
    };
    flight?.land({ kind: "kept", answer: kept } satisfies Landing);
    await this.#store.set(at, kept);
    if (place !== null && isPlainText(whole)) await this.#similar.add(place.partition, { key: at.key, vector: place.vector }, place.rules);
  }
}

/** Copies for a shadow are made to be compared, and a vector is no answer. */
function isOwn(purpose: string | null): boolean {
  return purpose === "shadow" || purpose === SEMANTIC_PURPOSE;
}

function cachedRoute({ head, snapshot, purpose }: Call): CachedRoute | null {
  if (head.kind !== "model" || head.operation !== "generate" || !head.name.startsWith("route/") || isOwn(purpose)) return null;
  const rules = snapshot.routes.get(head.name.replace(/^route\//, ""));
  return rules?.cache === undefined ? null : (rules as CachedRoute);
}
