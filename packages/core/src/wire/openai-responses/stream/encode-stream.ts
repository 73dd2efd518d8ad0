import type { MediaPart, ModelAnswer, ModelEvent, Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject, utf8 } from "../../../util/json.js";
import { encodeFrames, type FrameEncoder } from "../../shared/answers/encode-frames.js";
import { encodeResponse } from "../answer/encode-answer.js";
import { imageId, ItemIds } from "../answer/encode-items.js";
import { encodeFinish } from "../answer/finish-status.js";
import { ownExtras, textOf, type Json } from "../extras.js";
import { encodeImage } from "../items/image-item.js";
import { errorEvent, errorOfResponse } from "../response-error.js";
import { CallFrames } from "./call-frames.js";
import { MessageFrames } from "./message-frames.js";
import { ReasoningFrames } from "./reasoning-frames.js";
import { ResponseFrames } from "./response-frames.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

/**
 * `Codec.encodeStream` of Responses: `response.created`, `response.in_progress`, each item with its parts added, told and done, and how the response ended, with its
 * usage, which this protocol always tells. A stream that fails ends in an `error` event, at which the vendor's SDK throws, and in `response.failed` behind it, as the
 * vendor itself does it; items that were open then stay open. Only the first candidate is told: the protocol has no other.
 */
export function encodeStream(
  events: AsyncIterable<ModelEvent>,
  o: { readonly includeUsage: boolean; readonly onError: (error: GatewayError) => void },
): AsyncGenerator<Uint8Array> {
  const encoder = new ResponseEncoder();
  return encodeFrames(events, encoder, { onError: o.onError, errorFrame: (error) => utf8(encoder.fail(error)) });
}

interface Begun {
  readonly head: Of<"start">;
  readonly ids: ItemIds;
  readonly message: MessageFrames;
}

class ResponseEncoder implements FrameEncoder {
  readonly #frames = new ResponseFrames();
  readonly #calls = new Map<number, CallFrames>();
  /** Items of hosted tools that were added and are not done, by their ids: their places. */
  readonly #native = new Map<string, number>();
  #begun: Begun | null = null;
  #reasoning: ReasoningFrames | null = null;
  #refused = false;
  #usage: Usage | null = null;
  #usageExtras: ModelAnswer["extras"];
  #finish: Of<"finish"> | null = null;

  encode(event: ModelEvent): string {
    if (event.type === "start") this.#start(event);
    else if (event.type === "usage") {
      this.#usage = event.usage;
      this.#usageExtras = event.extras ?? this.#usageExtras;
    } else if (event.type === "extra" || event.index === 0) {
      if (this.#begun === null) throw new GatewayError("upstream_interrupted", "The model's answer has no beginning.");
      if (event.type === "finish") this.#finish = event;
      else this.#block(event, this.#begun);
    }
    return this.#frames.take();
  }

  /** What ends a stream that came to its end. Errors: `upstream_interrupted` when it did not. */
  end(): string {
    const finish = this.#finish;
    if (this.#begun === null || finish === null)
      throw new GatewayError("upstream_interrupted", "The model's answer broke off before it was complete.");
    const parts = this.#refused ? [{ type: "refusal" }] : [];
    const ended = encodeFinish({ finishReason: finish.reason, parts, extras: finish.extras });
    this.#begun.message.close(ended.status === "incomplete" ? "incomplete" : "completed");
    for (const call of this.#calls.values()) call.cut();
    const type = ended.status === "completed" ? "response.completed" : "response.incomplete";
    this.#frames.add(type, { response: this.#response(this.#begun.head, { ...ended, usage: this.#usage ?? {} }) });
    return this.#frames.take();
  }

  /** What ends a stream that failed. */
  fail(error: GatewayError): string {
    this.#frames.add("error", errorEvent(error));
    if (this.#begun !== null) {
      const state = { status: "failed", error: errorOfResponse(error), usage: this.#usage };
      this.#frames.add("response.failed", { response: this.#response(this.#begun.head, state) });
    }
    return this.#frames.take();
  }

  #start(event: Of<"start">): void {
    if (this.#begun !== null) return;
    const ids = new ItemIds(event.id);
    this.#begun = { head: event, ids, message: new MessageFrames(this.#frames, ids) };
    const response = this.#response(event, { status: "in_progress", usage: null });
    this.#frames.add("response.created", { response });
    this.#frames.add("response.in_progress", { response });
  }

  #response(head: Of<"start">, state: Omit<Parameters<typeof encodeResponse>[1], "output">): Json {
    const own = { ...ownExtras(head), ...ownExtras({ extras: this.#usageExtras }) };
    const extras = Object.keys(own).length === 0 ? {} : { extras: { "openai-responses": own } };
    return encodeResponse(
      { id: head.id, model: head.model, createdAtMs: head.createdAtMs, ...extras },
      { ...state, output: this.#frames.output.filter(isObject) },
    );
  }

  #block(event: Exclude<ModelEvent, { type: "start" | "usage" | "finish" }>, { ids, message }: Begun): void {
    switch (event.type) {
      case "text-start":
      case "refusal-start":
        if (event.type === "refusal-start") this.#refused = true;
        message.start(event);
        return;
      case "text-delta":
      case "refusal-delta":
        message.delta(event);
        return;
      case "citation":
        message.cite(event);
        return;
      case "text-end":
      case "refusal-end":
        message.end(event);
        return;
      case "reasoning-start":
        message.close("completed");
        this.#reasoning = new ReasoningFrames(event, { frames: this.#frames, ids });
        return;
      case "reasoning-delta":
        this.#reasoning?.delta(event);
        return;
      case "reasoning-end":
        this.#reasoning?.end(event);
        return;
      case "tool-call-start":
        message.close("completed");
        this.#calls.set(event.block, new CallFrames(event, { frames: this.#frames, ids }));
        return;
      case "tool-call-delta":
        this.#calls.get(event.block)?.delta(event.text);
        return;
      case "tool-call-end":
        this.#calls.get(event.block)?.end(event);
        this.#calls.delete(event.block);
        return;
      case "native":
        if (event.protocol !== "openai-responses") return;
        message.close("completed");
        this.#whole(event.item, event.item);
        return;
      case "media":
        this.#image(event, { ids, message });
        return;
      case "extra":
        this.#extra(ownExtras(event)["event"], message);
    }
  }

  #whole(begun: Json, item: Json): void {
    const id = textOf(item["id"]) ?? "";
    const place = this.#native.get(id) ?? this.#frames.begin(begun);
    this.#native.delete(id);
    this.#frames.done(place, item);
  }

  #image(event: Of<"media">, { ids, message }: Pick<Begun, "ids" | "message">): void {
    if (!event.mediaType.startsWith("image/")) return;
    message.close("completed");
    const part: Pick<MediaPart, "mediaType" | "extras"> = event;
    const item = encodeImage(part, { id: ids.of(imageId(part), "ig"), data: event.data });
    this.#whole({ id: item["id"], type: item["type"], status: "in_progress", result: null }, item);
  }

  /** An event of this protocol that has no neutral form: told again, in this stream's numbers. */
  #extra(body: unknown, message: MessageFrames): void {
    if (!isObject(body) || typeof body["type"] !== "string") return;
    const { type, item, item_id: id } = body;
    if (type === "response.output_item.added") {
      const itemId = isObject(item) ? textOf(item["id"]) : undefined;
      if (itemId === undefined) return;
      message.close("completed");
      this.#native.set(itemId, this.#frames.begin(item as Json));
      return;
    }
    const place = typeof id === "string" ? this.#native.get(id) : undefined;
    if (place !== undefined) this.#frames.add(type, { ...body, output_index: place });
    else if (id === undefined && body["output_index"] === undefined) this.#frames.add(type, body);
  }
}
