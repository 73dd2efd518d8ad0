import type { JsonObject, ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import { CallIds } from "../../shared/answers/call-ids.js";
import { createdMs } from "../../openai-chat/answer/decode-answer.js";
import { decodeEvents, type EventDecoder } from "../../shared/decode-events.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { responseExtras } from "../answer/decode-answer.js";
import { decodeFinish } from "../answer/finish-status.js";
import { decodeUsage } from "../answer/usage.js";
import { asExtras, textOf, type Json } from "../extras.js";
import { decodeImage } from "../items/image-item.js";
import { itemsOf } from "../items/output-items.js";
import { callTypes } from "../items/tool-call-item.js";
import { errorInEvent } from "../response-error.js";
import { Blocks } from "./blocks.js";
import { CallDeltas } from "./call-deltas.js";
import { MessageDeltas } from "./message-deltas.js";
import { ReasoningDeltas } from "./reasoning-deltas.js";

/** The events that end a stream with an answer. */
export const terminalTypes: ReadonlySet<unknown> = new Set(["response.completed", "response.incomplete", "response.cancelled"]);
const lifecycleTypes: ReadonlySet<unknown> = new Set(["response.created", "response.queued", "response.in_progress"]);

/**
 * `Codec.decodeStream` of Responses. The stream is whole when an event said how the response ended. Events of hosted tools, and those that nobody knows yet, are
 * handed on as `extra`. Errors: `upstream_interrupted` when it ends before, `upstream_protocol`, the vendor's own, what `chunks` throws.
 */
export function decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<ModelEvent> {
  return decodeEvents(chunks, new ResponseDecoder());
}

interface ItemDeltas {
  /** False when the event is none that such an item knows. */
  push(event: Json): boolean;
  done(item: Json): void;
  close?(responseIsCut: boolean): void;
}

/** The events of one response as neutral ones. */
class ResponseDecoder implements EventDecoder {
  complete = false;
  readonly #blocks = new Blocks();
  readonly #items = new Map<unknown, ItemDeltas>();
  #ids: CallIds | null = null;

  get done(): boolean {
    return this.complete;
  }

  take(): ModelEvent[] {
    return this.#blocks.take();
  }

  push(event: SseEvent): void {
    if (this.complete || event.data.startsWith("[DONE]")) return;
    const body = parseUpstreamJson(event.data);
    const error = errorInEvent(event.event, body);
    if (error !== null) throw error;
    const { type, response } = body;
    if (lifecycleTypes.has(type)) this.#begin(isObject(response) ? response : {});
    else if (terminalTypes.has(type)) this.#end(isObject(response) ? response : {}, type);
    else this.#item(body);
  }

  end(): GatewayError | null {
    return this.complete ? null : new GatewayError("upstream_interrupted", "The vendor's stream ended before the answer was complete.");
  }

  #begin(response: Json): CallIds {
    if (this.#ids !== null) return this.#ids;
    const id = textOf(response["id"]) ?? newId("resp");
    const createdAtMs = createdMs(response["created_at"]);
    this.#blocks.emit({ type: "start", id, model: textOf(response["model"]) ?? "", createdAtMs, ...responseExtras(response) });
    return (this.#ids = new CallIds(id, 0));
  }

  #item(body: Json): void {
    const ids = this.#begin({});
    const { type, item, output_index: place } = body;
    if (type === "response.output_item.added" && isObject(item)) this.#add(place, item, ids);
    else if (type === "response.output_item.done" && isObject(item)) this.#done(place, item, ids);
    else if (this.#items.get(place)?.push(body) === true) return;
    if (!this.#isOurs(type, item)) this.#blocks.emit({ type: "extra", ...extraOf(body) });
  }

  /** Whether the event was read as a part of an item with a neutral form. */
  #isOurs(type: unknown, item: unknown): boolean {
    if (type !== "response.output_item.added") return type === "response.output_item.done";
    return isObject(item) && hasDeltas(item);
  }

  #add(place: unknown, item: Json, ids: CallIds): ItemDeltas | null {
    const blocks = this.#blocks;
    const deltas =
      item["type"] === "message"
        ? new MessageDeltas(item, blocks)
        : item["type"] === "reasoning"
          ? new ReasoningDeltas(item, blocks)
          : callTypes.has(item["type"])
            ? new CallDeltas(item, { id: ids.take(item["call_id"]), blocks })
            : null;
    if (deltas !== null) this.#items.set(place, deltas);
    return deltas;
  }

  #done(place: unknown, item: Json, ids: CallIds): void {
    const deltas = this.#items.get(place) ?? this.#add(place, item, ids);
    if (deltas !== null) {
      deltas.done(item);
      return;
    }
    this.#items.set(place, wholeItem);
    const image = decodeImage(item);
    const block = this.#blocks.begin("native", null);
    if (image?.source.kind !== "base64")
      this.#blocks.emit({ type: "native", index: 0, block, protocol: "openai-responses", item: item as JsonObject });
    else {
      const { mediaType, source, extras } = image;
      this.#blocks.emit({ type: "media", index: 0, block, mediaType, data: source.data, ...(extras === undefined ? {} : { extras }) });
    }
  }

  #end(given: Json, type: unknown): void {
    const ids = this.#begin(given);
    const response: Json = { status: String(type).slice("response.".length), ...given };
    // Some send what is whole only here.
    itemsOf(response["output"]).forEach((item, place) => {
      if (!this.#items.has(place)) this.#done(place, item, ids);
    });
    this.#blocks.end();
    const cut = response["status"] !== "completed";
    for (const item of this.#items.values()) item.close?.(cut);
    this.#blocks.emit({ type: "usage", usage: decodeUsage(response), ...responseExtras(response) });
    const { finishReason, rawFinishReason, extras } = decodeFinish(response, this.#blocks.told);
    this.#blocks.emit({
      type: "finish",
      index: 0,
      reason: finishReason,
      ...(rawFinishReason === undefined ? {} : { raw: rawFinishReason }),
      ...(extras === undefined ? {} : { extras }),
    });
    this.complete = true;
  }
}

/** An item that was told at once. */
const wholeItem: ItemDeltas = { push: () => false, done: () => undefined };

function hasDeltas(item: Json): boolean {
  return item["type"] === "message" || item["type"] === "reasoning" || callTypes.has(item["type"]);
}

function extraOf(body: Json): { readonly extras: Extract<ModelEvent, { type: "extra" }>["extras"] } {
  const { obfuscation: _obfuscation, ...event } = body;
  return { extras: asExtras({ event }).extras ?? {} };
}
