import type { ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import { decodeEvents, type EventDecoder } from "../../shared/decode-events.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { createdMs, textOf } from "../answer/decode-answer.js";
import { decodeUsage } from "../answer/usage.js";
import { errorInBody } from "../decode-error.js";
import { asExtras } from "../extras.js";
import { CandidateDeltas } from "./candidate-deltas.js";

type Json = Record<string, unknown>;

/**
 * `Codec.decodeStream` of Chat Completions. The stream is whole when `[DONE]` came or every candidate had its finish reason; what the connection does afterwards
 * does not matter. Errors: `upstream_interrupted` when it ends before, `upstream_protocol`, what the vendor says in an error frame, what `chunks` throws.
 */
export function decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ModelEvent> {
  return decodeEvents(chunks, new ChunkDecoder());
}

/** The chunks of one stream as neutral events. */
class ChunkDecoder implements EventDecoder {
  /** `[DONE]` was seen. */
  done = false;
  #events: ModelEvent[] = [];
  readonly #candidates = new Map<number, CandidateDeltas>();
  #id: string | undefined;
  #tier: unknown;
  #started = false;
  /** What came before the first choice, as a content filter's findings do. */
  #own: Json = {};

  get complete(): boolean {
    return this.done || (this.#candidates.size > 0 && this.#unfinished().length === 0);
  }

  take(): ModelEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  push(event: SseEvent): void {
    if (this.done) return;
    if (event.data.startsWith("[DONE]")) {
      this.done = true;
      return;
    }
    const body = parseUpstreamJson(event.data);
    const error = errorInBody(event.event === "error" && body["error"] === undefined ? { error: body } : body);
    if (error !== null) throw error;
    this.#tier = body["service_tier"] ?? this.#tier;
    const choices = Array.isArray(body["choices"]) ? (body["choices"] as unknown[]).filter(isObject) : [];
    this.#begin(body, choices.length > 0 || isObject(body["usage"]));
    choices.forEach((choice, position) => this.#candidate(choice["index"], position).push(choice));
    if (isObject(body["usage"]))
      this.#events.push({ type: "usage", usage: decodeUsage(body["usage"], this.#tier), ...asExtras({ usage: body["usage"] }) });
  }

  /** The end of the stream: null when it was whole. */
  end(): GatewayError | null {
    if (!this.complete || !this.#started)
      return new GatewayError("upstream_interrupted", "The vendor's stream ended before the answer was complete.");
    // A stream that ends properly without a word on why: its answer is what came.
    if (this.#candidates.size === 0) this.#candidate(0, 0);
    for (const candidate of this.#unfinished()) candidate.finish(undefined);
    return null;
  }

  #begin(body: Json, now: boolean): void {
    if (this.#started) return;
    const { id, object: _object, created, model, choices: _choices, usage: _usage, obfuscation: _obfuscation, ...own } = body;
    this.#own = { ...this.#own, ...own };
    this.#id ??= textOf(id);
    if (!now) return;
    this.#started = true;
    this.#id ??= newId("chatcmpl");
    const createdAtMs = createdMs(created);
    this.#events.push({ type: "start", id: this.#id, model: textOf(model) ?? "", createdAtMs, ...asExtras(this.#own) });
  }

  #candidate(given: unknown, position: number): CandidateDeltas {
    const index = Number.isSafeInteger(given) ? (given as number) : position;
    let candidate = this.#candidates.get(index);
    if (candidate === undefined) {
      candidate = new CandidateDeltas(index, this.#id ?? "", (event) => this.#events.push(event));
      this.#candidates.set(index, candidate);
    }
    return candidate;
  }
  #unfinished(): CandidateDeltas[] {
    return [...this.#candidates.values()].filter((candidate) => !candidate.finished);
  }
}
