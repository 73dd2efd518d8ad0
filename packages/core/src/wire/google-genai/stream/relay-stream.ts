import type { GatewayError } from "../../../errors/index.js";
import { isObject, parseJsonText } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import { decodeUsage, hasCounts, searchesIn, withSearches } from "../answer/usage.js";
import type { RelayWatch } from "../../shared/codec.js";
import { RelayFrames, type FrameWatcher } from "../../shared/relay-frames.js";
import { errorInBody } from "../decode-error.js";
import { errorFrame } from "../encode-error.js";

type Json = Record<string, unknown>;

/** `Codec.relayStream` of Google's protocol. There is nothing that only we ask for, so nothing is dropped. */
export function relayStream(
  chunks: AsyncIterable<Uint8Array>,
  o: { readonly dropUsage: boolean; readonly watch: RelayWatch },
): AsyncIterable<Uint8Array> {
  return new RelayFrames(chunks, new GoogleFrames(o.watch), {
    errorFrame,
    failed: (error) => o.watch.failed(error),
    delivered: o.watch.delivered,
  });
}

/** Looks for the usage, which nearly every frame has, why candidates ended, and the vendor's error. */
class GoogleFrames implements FrameWatcher {
  readonly interesting = /"(?:candidates|usageMetadata|usage_metadata|promptFeedback|prompt_feedback|error)"|event:/;
  readonly missingEnd = null;
  readonly #open = new Set<unknown>();
  readonly #ended = new Set<unknown>();
  #blocked = false;
  #usage: unknown;
  #searches = 0;
  readonly #watch: RelayWatch;

  constructor(watch: RelayWatch) {
    this.#watch = watch;
  }

  get complete(): boolean {
    return this.#open.size === 0 && (this.#ended.size > 0 || this.#blocked);
  }

  read(event: SseEvent): "keep" | "broken" | GatewayError {
    const body = asObject(event.data);
    const error = errorInEvent(event, body);
    if (error !== null) return this.#watch.tellable(error);
    if (body === null) return "broken";
    const candidates = Array.isArray(body["candidates"]) ? (body["candidates"] as unknown[]) : [];
    candidates.forEach((candidate, position) => this.#candidate(candidate, position));
    const feedback = body["promptFeedback"] ?? body["prompt_feedback"];
    if (isObject(feedback) && (feedback["blockReason"] ?? feedback["block_reason"]) !== undefined) this.#blocked = true;
    const usage = body["usageMetadata"] ?? body["usage_metadata"];
    const before = this.#searches;
    this.#searches = Math.max(before, searchesIn(body));
    if (hasCounts(usage)) this.#usage = usage;
    if (hasCounts(usage) || this.#searches > before) this.#watch.usage(withSearches(decodeUsage(this.#usage), this.#searches));
    return "keep";
  }

  #candidate(candidate: unknown, position: number): void {
    if (!isObject(candidate)) return;
    const index = candidate["index"] ?? position;
    const word = candidate["finishReason"] ?? candidate["finish_reason"];
    if (typeof word === "string" && word !== "") {
      this.#ended.add(index);
      this.#open.delete(index);
    } else if (!this.#ended.has(index)) this.#open.add(index);
  }
}

/** Some say it in the event's name alone, in JSON or in words. */
function errorInEvent(event: SseEvent, body: Json | null): GatewayError | null {
  if (event.event === "error" && body?.["error"] === undefined) return errorInBody({ error: body ?? event.data });
  return body === null ? null : errorInBody(body);
}

function asObject(data: string): Json | null {
  try {
    const body = parseJsonText(data);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}
