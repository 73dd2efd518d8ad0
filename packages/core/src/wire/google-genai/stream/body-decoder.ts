import type { ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import { decodeUsage, hasCounts, searchesIn, withSearches } from "../answer/usage.js";
import { errorInBody } from "../decode-error.js";
import { asExtras, said } from "../extras.js";
import { camelKeys } from "../proto-json.js";
import type { PartTexts } from "../request/part-texts.js";
import { CandidateParts } from "./candidate-parts.js";

type Json = Record<string, unknown>;

/** The bodies of one answer, one if it is whole and any number if it is streamed, as neutral events. A whole answer and the same one streamed are decoded alike. */
export class BodyDecoder {
  #events: ModelEvent[] = [];
  readonly #candidates = new Map<number, CandidateParts>();
  readonly #whole: boolean;
  #id: string | undefined;
  /** The prompt was refused: there are no candidates. */
  #blocked: Json | null = null;
  #usage: unknown;
  #searches = 0;

  constructor(whole: boolean) {
    this.#whole = whole;
  }

  /** All that is due has come. */
  get complete(): boolean {
    if (this.#candidates.size === 0) return this.#blocked !== null;
    return this.#whole || [...this.#candidates.values()].every((candidate) => candidate.ended);
  }

  take(): ModelEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  /** Errors: the vendor's own, when the body is one. */
  push(given: Json, texts: PartTexts): void {
    const body = camelKeys(given) as Json;
    const error = errorInBody(body);
    if (error !== null) throw error;
    this.#begin(body);
    if (isRefusal(body["promptFeedback"])) this.#blocked = camelKeys(body["promptFeedback"]) as Json;
    const candidates = Array.isArray(body["candidates"]) ? (body["candidates"] as unknown[]).filter(isObject) : [];
    candidates.forEach((value, position) => {
      const candidate = camelKeys(value) as Json;
      this.#candidate(candidate["index"], position).push(candidate, (part) => texts.args.get(`${position}.${part}`));
    });
    this.#count(body["usageMetadata"], searchesIn(body));
  }

  /** The end: null when the answer was whole. */
  end(): GatewayError | null {
    if (!this.complete) return new GatewayError("upstream_interrupted", "The vendor's answer ended before it was complete.");
    if (this.#candidates.size === 0) this.#tellBlocked(this.#blocked as Json);
    for (const candidate of this.#candidates.values()) candidate.finish();
    return null;
  }

  /** Queries are named once, counts with every body. */
  #count(given: unknown, searches: number): void {
    const before = this.#searches;
    this.#searches = Math.max(before, searches);
    if (hasCounts(given)) this.#usage = given;
    else if (this.#searches === before) return;
    const usage = withSearches(decodeUsage(this.#usage), this.#searches);
    this.#events.push({ type: "usage", usage, ...asExtras({ usageMetadata: camelKeys(this.#usage) }) });
  }

  #begin(body: Json): void {
    if (this.#id !== undefined) return;
    const { candidates: _candidates, usageMetadata: _usage, responseId, modelVersion, createTime, ...own } = body;
    this.#id = typeof responseId === "string" && responseId !== "" ? responseId : newId("response");
    this.#events.push({
      type: "start",
      id: this.#id,
      model: typeof modelVersion === "string" ? modelVersion : "",
      createdAtMs: createdMs(createTime),
      // A refusal is told with the end.
      ...asExtras(isRefusal(own["promptFeedback"]) ? { ...own, promptFeedback: undefined } : own),
    });
  }

  /** Never an empty success: the vendor's word for the reason is the candidate's. */
  #tellBlocked(feedback: Json): void {
    const message = feedback["blockReasonMessage"];
    if (typeof message === "string" && message !== "") {
      this.#events.push({ type: "refusal-start", index: 0, block: 0 });
      this.#events.push({ type: "refusal-delta", index: 0, block: 0, text: message });
      this.#events.push({ type: "refusal-end", index: 0, block: 0 });
    }
    const own = asExtras(said({ promptFeedback: feedback }));
    this.#events.push({ type: "finish", index: 0, reason: "content-filter", raw: String(feedback["blockReason"]), ...own });
  }

  #candidate(given: unknown, position: number): CandidateParts {
    const index = Number.isSafeInteger(given) ? (given as number) : position;
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      const emit = (event: ModelEvent) => void this.#events.push(event);
      candidate = new CandidateParts(index, { answerId: this.#id ?? "", emit, whole: this.#whole });
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }
}

/** Whether the prompt was refused, and not only judged. */
function isRefusal(feedback: unknown): boolean {
  const given = camelKeys(feedback);
  return isObject(given) && typeof given["blockReason"] === "string";
}

/** The vendor's instant; now where it sent none. */
function createdMs(createTime: unknown): number {
  const ms = typeof createTime === "string" ? Date.parse(createTime) : NaN;
  return Number.isNaN(ms) ? Date.now() : ms;
}
