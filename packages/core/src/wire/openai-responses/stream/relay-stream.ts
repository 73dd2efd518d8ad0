import type { GatewayError } from "../../../errors/index.js";
import { isObject, parseJsonText, utf8 } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import type { RelayWatch } from "../../shared/codec.js";
import { RelayFrames, type FrameWatcher } from "../../shared/relay-frames.js";
import { decodeUsage } from "../answer/usage.js";
import type { Json } from "../extras.js";
import { errorEvent, errorInEvent, errorOfResponse } from "../response-error.js";
import { terminalTypes } from "./decode-stream.js";

/** `Codec.relayStream` of Responses. Usage is always told in this protocol, so that nothing is dropped. */
export function relayStream(
  chunks: AsyncIterable<Uint8Array>,
  o: { readonly dropUsage: boolean; readonly watch: RelayWatch },
): AsyncIterable<Uint8Array> {
  const watcher = new ResponseWatcher(o.watch);
  return new RelayFrames(chunks, watcher, {
    errorFrame: (error) => watcher.errorFrames(error),
    failed: (error) => o.watch.failed(error),
    delivered: o.watch.delivered,
  });
}

/** Looks for the beginning and the end of the response, and for the vendor's error; nearly every frame has none of them. */
class ResponseWatcher implements FrameWatcher {
  /**
   * The name of such an event, or of an error that is not null, in quotes. Inside a text every quote has a backslash before it, so a text can only make a frame be
   * read in vain.
   */
  readonly interesting = /"response\.(?:created|completed|incomplete|cancelled|failed)"|"error"(?![\t ]*:[\t ]*null\b)|event:[\t ]*error/;
  readonly missingEnd = null;
  complete = false;
  readonly #watch: RelayWatch;
  #response: Json | null = null;
  #lastNumber = -1;

  constructor(watch: RelayWatch) {
    this.#watch = watch;
  }

  /** The number of the last event that went by, which those of ours go on from. */
  passing(text: string): void {
    const at = text.lastIndexOf('"sequence_number"');
    const number = at < 0 ? null : /^"sequence_number"\s*:\s*(\d{1,15})/.exec(text.slice(at, at + 60));
    if (number !== null) this.#lastNumber = Number(number[1]);
  }

  read(event: SseEvent): "keep" | "drop" | "broken" | GatewayError {
    const body = asObject(event.data);
    if (body === null)
      return event.event === "error" && !this.complete ? this.#failed(errorInEvent("error", { error: event.data })) : "broken";
    const error = errorInEvent(event.event, body);
    // Behind the end it changes nothing any more.
    if (error !== null) return this.complete ? "drop" : this.#failed(error);
    const response = isObject(body["response"]) ? body["response"] : {};
    if (body["type"] === "response.created") this.#response = response;
    if (!terminalTypes.has(body["type"])) return "keep";
    this.complete = true;
    if (isObject(response["usage"])) this.#watch.usage(decodeUsage(response));
    return "keep";
  }

  /** The same two events that the vendor ends with. */
  errorFrames(error: GatewayError): Uint8Array {
    const frame = (body: Json, number: number) =>
      `event: ${String(body["type"])}\ndata: ${JSON.stringify({ ...body, sequence_number: number })}\n\n`;
    const first = frame(errorEvent(error), this.#lastNumber + 1);
    if (this.#response === null) return utf8(first);
    const response = { ...this.#response, status: "failed", error: errorOfResponse(error) };
    return utf8(first + frame({ type: "response.failed", response }, this.#lastNumber + 2));
  }

  #failed(error: GatewayError | null): "keep" | GatewayError {
    return error === null ? "keep" : this.#watch.tellable(error);
  }
}

function asObject(data: string): Json | null {
  try {
    const body = parseJsonText(data);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}
