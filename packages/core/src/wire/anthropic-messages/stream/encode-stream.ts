import type { ModelEvent, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { encodeFrames, type FrameEncoder } from "../../shared/answers/encode-frames.js";
import { stopDetails } from "../answer/encode-answer.js";
import { encodeFinish } from "../answer/finish-reason.js";
import { encodeUsage } from "../answer/usage.js";
import { errorFrame } from "../encode-error.js";
import { messagesExtras } from "../extras.js";
import { BlockFrames } from "./block-frames.js";
import { frame } from "./frame.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

/**
 * `Codec.encodeStream` of Messages: one `message_start`, the blocks, one `message_delta` with the reason and the usage, `message_stop`. Usage is part of the protocol,
 * asked for or not. The protocol has one candidate, the first.
 */
export function encodeStream(
  events: AsyncIterable<ModelEvent>,
  o: { readonly includeUsage: boolean; readonly onError: (error: GatewayError) => void },
): AsyncGenerator<Uint8Array> {
  return encodeFrames(events, new MessageEncoder(), { onError: o.onError, errorFrame });
}

class MessageEncoder implements FrameEncoder {
  readonly #blocks = new BlockFrames();
  #start: Of<"start"> | null = null;
  /** The beginning waits for the next event, which may be the usage that belongs to it. */
  #begun = false;
  #finish: Of<"finish"> | null = null;
  #usage: Usage = {};
  #usageOwn: unknown;

  encode(event: ModelEvent): string {
    switch (event.type) {
      case "start":
        if (this.#start === null) {
          this.#start = event;
          this.#usageOwn = messagesExtras(event)["usage"];
        }
        return "";
      case "usage":
        this.#usage = event.usage;
        this.#usageOwn = messagesExtras(event)["usage"] ?? this.#usageOwn;
        return this.#begun ? "" : this.#begin();
      case "extra": {
        const own = messagesExtras(event)["event"];
        const isEvent = isObject(own) && typeof own["type"] === "string";
        return this.#begin() + (isEvent ? frame(own as { type: string }) : "");
      }
      case "finish":
        if (event.index === 0) this.#finish ??= event;
        return this.#begin();
      default:
        return event.index === 0 ? this.#begin() + this.#blocks.encode(event) : "";
    }
  }

  /** What ends a stream that came to its end. Errors: `upstream_interrupted` when it did not. */
  end(): string {
    const finish = this.#finish;
    if (finish === null) throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
    const { stop_reason: word, stop_details: details, container, ...own } = messagesExtras(finish);
    const { refusal, anyCall } = this.#blocks;
    const delta = {
      stop_reason: encodeFinish(finish, { calls: anyCall, refusal: refusal !== undefined }, word),
      stop_sequence: finish.stopSequence ?? null,
      stop_details: stopDetails(refusal, details),
      container: container ?? null,
    };
    const last = { ...own, type: "message_delta", delta, usage: encodeUsage(this.#usage, this.#usageOwn) };
    return this.#blocks.close() + frame(last) + frame({ type: "message_stop" });
  }

  #begin(): string {
    if (this.#begun) return "";
    if (this.#start === null) throw new GatewayError("upstream_interrupted", "The model's answer has no beginning.");
    this.#begun = true;
    const { usage: _usage, ...own } = messagesExtras(this.#start);
    const head = { id: this.#start.id, type: "message", role: "assistant", model: this.#start.model };
    const rest = { content: [], container: null, stop_reason: null, stop_sequence: null, stop_details: null };
    const message = { ...head, ...own, ...head, ...rest, usage: encodeUsage(this.#usage, this.#usageOwn) };
    return frame({ type: "message_start", message });
  }
}
