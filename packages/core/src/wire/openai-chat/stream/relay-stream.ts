import type { GatewayError } from "../../../errors/index.js";
import { isObject, parseJsonText, utf8 } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import type { RelayWatch } from "../../shared/codec.js";
import { RelayFrames, type FrameWatcher } from "../../shared/relay-frames.js";
import { decodeUsage } from "../answer/usage.js";
import { errorInBody } from "../decode-error.js";
import { errorFrame } from "../encode-error.js";

/** `Codec.relayStream` of Chat Completions. */
export function relayStream(
  chunks: AsyncIterable<Uint8Array>,
  o: { readonly dropUsage: boolean; readonly watch: RelayWatch },
): AsyncIterable<Uint8Array> {
  return new RelayFrames(chunks, new ChatFrames(o), {
    errorFrame,
    failed: (error) => o.watch.failed(error),
    delivered: o.watch.delivered,
  });
}

const doneFrame = utf8("data: [DONE]\n\n");

/** Looks for the end, the usage and the vendor's error; nearly every frame has none of them. */
class ChatFrames implements FrameWatcher {
  /**
   * A quoted name that is not followed by `: null`. Inside a text every quote has a backslash before it, so a text can only make a frame be read in vain, and no
   * frame that has the field goes by.
   */
  readonly interesting = /"(?:usage|finish_reason|error)"(?![\t ]*:[\t ]*null\b)|\[DONE\]|event:/;
  complete = false;
  #ended = false;
  #tier: unknown;
  readonly #dropUsage: boolean;
  readonly #watch: RelayWatch;

  constructor(o: { readonly dropUsage: boolean; readonly watch: RelayWatch }) {
    this.#dropUsage = o.dropUsage;
    this.#watch = o.watch;
  }

  get missingEnd(): Uint8Array | null {
    return this.#ended ? null : doneFrame;
  }

  read(event: SseEvent): "keep" | "drop" | "broken" | GatewayError {
    if (event.data.startsWith("[DONE]")) {
      this.complete = true;
      this.#ended = true;
      return "keep";
    }
    const body = asObject(event.data);
    const error = errorInEvent(event, body);
    // Behind the end it changes nothing any more.
    if (error !== null) return this.#ended ? "drop" : this.#watch.tellable(error);
    if (body === null) return "broken";
    this.#tier = body["service_tier"] ?? this.#tier;
    const choices = body["choices"];
    if (Array.isArray(choices) && choices.some(isFinished)) this.complete = true;
    if (!isObject(body["usage"])) return "keep";
    this.#watch.usage(decodeUsage(body["usage"], this.#tier));
    return this.#dropUsage && Array.isArray(choices) && choices.length === 0 ? "drop" : "keep";
  }
}

/** Some say it in the event's name alone, in JSON or in words. */
function errorInEvent(event: SseEvent, body: Record<string, unknown> | null): GatewayError | null {
  if (event.event === "error" && body?.["error"] === undefined) return errorInBody({ error: body ?? event.data });
  return body === null ? null : errorInBody(body);
}

function isFinished(choice: unknown): boolean {
  return isObject(choice) && typeof choice["finish_reason"] === "string" && choice["finish_reason"] !== "";
}

function asObject(data: string): Record<string, unknown> | null {
  try {
    const body = parseJsonText(data);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}
