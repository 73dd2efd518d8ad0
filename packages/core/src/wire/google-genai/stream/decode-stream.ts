import type { ModelEvent } from "../../../calls/index.js";
import type { GatewayError } from "../../../errors/index.js";
import { utf8 } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import { decodeEvents, type EventDecoder } from "../../shared/decode-events.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { errorInBody } from "../decode-error.js";
import { partTexts } from "../request/part-texts.js";
import { BodyDecoder } from "./body-decoder.js";

/**
 * `Codec.decodeStream` of Google's protocol. The stream is whole when every candidate has said why it ended; there is no terminator, so it is read to its end, and how
 * the connection ends then does not matter. Errors: `upstream_interrupted` when it ends before, `upstream_protocol`, what the vendor says in an error frame, what
 * `chunks` throws.
 */
export function decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ModelEvent> {
  return decodeEvents(chunks, new StreamBodies());
}

class StreamBodies implements EventDecoder {
  readonly #bodies = new BodyDecoder(false);
  /** Not the protocol's, but what imitators end their streams with. */
  done = false;

  get complete(): boolean {
    return this.#bodies.complete;
  }
  take(): ModelEvent[] {
    return this.#bodies.take();
  }
  end(): GatewayError | null {
    return this.#bodies.end();
  }

  push(event: SseEvent): void {
    if (event.data.startsWith("[DONE]")) {
      this.done = true;
      return;
    }
    const body = parseUpstreamJson(event.data);
    const error = errorInBody(event.event === "error" && body["error"] === undefined ? { error: body } : body);
    if (error !== null) throw error;
    this.#bodies.push(body, partTexts(utf8(event.data), "candidates"));
  }
}
