import type { GatewayError } from "../../../errors/index.js";
import { isObject, parseJsonText } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import type { RelayWatch } from "../../shared/codec.js";
import { RelayFrames, type FrameWatcher } from "../../shared/relay-frames.js";
import { decodeUsage, mergedUsage } from "../answer/usage.js";
import { errorInEvent } from "../decode-error.js";
import { errorFrame } from "../encode-error.js";

/** `Codec.relayStream` of Messages. Usage is part of every stream: nobody asks for it, and none is dropped. */
export function relayStream(
  chunks: AsyncIterable<Uint8Array>,
  o: { readonly dropUsage: boolean; readonly watch: RelayWatch },
): AsyncIterable<Uint8Array> {
  return new RelayFrames(chunks, new MessageFrames(o.watch), {
    errorFrame,
    failed: (error) => o.watch.failed(error),
    delivered: o.watch.delivered,
  });
}

/** Looks for the beginning and the end, which have the usage, and for the vendor's error. */
class MessageFrames implements FrameWatcher {
  /** Words of a text may have a frame be read in vain; no frame that matters goes by. */
  readonly interesting = /message_(?:start|delta|stop)|error/;
  /** Only the vendor's last event says that the answer is whole. */
  readonly missingEnd = null;
  complete = false;
  readonly #watch: RelayWatch;
  #usage: Record<string, unknown> = {};

  constructor(watch: RelayWatch) {
    this.#watch = watch;
  }

  read(event: SseEvent): "keep" | "drop" | "broken" | GatewayError {
    const body = asObject(event.data);
    const type = body?.["type"];
    if (event.event === "error" || type === "error") return this.#failed(body ?? { error: event.data });
    if (body === null) return "broken";
    if (type === "message_stop") this.complete = true;
    else if (type === "message_start" && isObject(body["message"])) this.#tell(body["message"]["usage"]);
    else if (type === "message_delta") this.#tell(body["usage"]);
    return "keep";
  }

  #failed(body: Record<string, unknown>): "drop" | GatewayError {
    // Behind the end it changes nothing any more.
    return this.complete ? "drop" : this.#watch.tellable(errorInEvent(body));
  }

  #tell(usage: unknown): void {
    if (!isObject(usage)) return;
    this.#usage = mergedUsage(this.#usage, usage);
    this.#watch.usage(decodeUsage(this.#usage));
  }
}

function asObject(data: string): Record<string, unknown> | null {
  try {
    const body = parseJsonText(data);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}
