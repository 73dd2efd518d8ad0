import type { ModelEvent } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { newId } from "../../../util/ids.js";
import { isObject, utf8 } from "../../../util/json.js";
import type { SseEvent } from "../../../util/sse.js";
import { decodeEvents, type EventDecoder } from "../../shared/decode-events.js";
import { rawJsonAt } from "../../shared/raw-json.js";
import { parseUpstreamJson } from "../../shared/upstream-json.js";
import { finishFields, refusalIn } from "../answer/decode-answer.js";
import { decodeFinish } from "../answer/finish-reason.js";
import { messageFields } from "../answer/message-fields.js";
import { decodeUsage, mergedUsage } from "../answer/usage.js";
import { errorInEvent } from "../decode-error.js";
import { asExtras, withoutNulls } from "../extras.js";
import { BlockDeltas } from "./block-deltas.js";

type Json = Record<string, unknown>;

/**
 * `Codec.decodeStream` of Messages. The stream is whole when `message_stop` came; what the connection does afterwards does not matter. Errors: `upstream_interrupted`
 * when it ends before, `upstream_protocol` also when another answer begins within the first, what the vendor says in an error event, what `chunks` throws.
 */
export function decodeStream(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ModelEvent> {
  return decodeEvents(chunks, new MessageDecoder());
}

/** The events of one stream as neutral ones. */
class MessageDecoder implements EventDecoder {
  done = false;
  #events: ModelEvent[] = [];
  readonly #blocks = new BlockDeltas((event) => void this.#events.push(event));
  #id: string | null = null;
  #usage: Json = {};
  /** Said by the last delta, or by the beginning of an answer that came whole. */
  #end: Json = {};
  #word: unknown;
  #sequence: unknown;
  /** Events that nobody knows, until no block is open. */
  #unknown: Json[] = [];

  get complete(): boolean {
    return this.done;
  }

  take(): ModelEvent[] {
    const events = this.#events;
    if (events.length > 0) this.#events = [];
    return events;
  }

  push(event: SseEvent): void {
    if (this.done) return;
    const body = parseUpstreamJson(event.data);
    if (event.event === "error" || body["type"] === "error") throw errorInEvent(body);
    const type = body["type"];
    if (type === "message_start") this.#begin(body["message"], event.data);
    else if (type === "ping") return;
    else if (this.#id === null) throw new GatewayError("upstream_protocol", "The vendor's stream does not begin with message_start.");
    else this.#push(type, body, event.data);
    this.#tellUnknown();
  }

  end(): GatewayError | null {
    return this.done ? null : new GatewayError("upstream_interrupted", "The vendor's stream ended before the answer was complete.");
  }

  #push(type: unknown, body: Json, data: string): void {
    switch (type) {
      case "content_block_start":
        if (isObject(body["content_block"])) this.#blocks.start(body["index"], body["content_block"], inputIn(body["content_block"], data));
        return;
      case "content_block_delta":
        if (isObject(body["delta"])) this.#blocks.delta(body["index"], body["delta"]);
        return;
      case "content_block_stop":
        this.#blocks.stop(body["index"]);
        return;
      case "message_delta":
        this.#delta(body);
        return;
      case "message_stop":
        this.#finish();
        return;
      default:
        this.#unknown.push(body);
    }
  }

  #begin(message: unknown, data: string): void {
    if (!isObject(message)) throw new GatewayError("upstream_protocol", "The vendor's message_start has no message.");
    const id = typeof message["id"] === "string" ? message["id"] : newId("msg");
    if (this.#id !== null) {
      // What was said cannot be taken back, and a call of the first must not be ended by the second.
      if (id !== this.#id) throw new GatewayError("upstream_protocol", "The vendor began another answer within the first.");
      return;
    }
    this.#id = id;
    const { start, end } = messageFields(message);
    this.#end = end;
    this.#word = message["stop_reason"] ?? undefined;
    this.#sequence = message["stop_sequence"];
    const model = typeof message["model"] === "string" ? message["model"] : "";
    this.#events.push({ type: "start", id, model, createdAtMs: Date.now(), ...asExtras(start) });
    this.#tellUsage(message["usage"]);
    const content = Array.isArray(message["content"]) ? (message["content"] as unknown[]) : [];
    const inputs = content.length === 0 ? null : rawJsonAt(utf8(data), ["message", "content", "*", "input"]);
    content.forEach((block, i) => {
      if (!isObject(block)) return;
      this.#blocks.start(i, block, inputs?.get(String(i)));
      this.#blocks.stop(i);
    });
  }

  #delta(body: Json): void {
    const { type: _type, delta, usage, ...beside } = body;
    const { stop_reason: word, stop_sequence: sequence, ...own } = isObject(delta) ? delta : {};
    this.#word = word ?? this.#word;
    this.#sequence = sequence ?? this.#sequence;
    this.#end = { ...this.#end, ...withoutNulls(beside), ...withoutNulls(own) };
    this.#tellUsage(usage);
  }

  #tellUsage(usage: unknown): void {
    if (!isObject(usage)) return;
    this.#usage = mergedUsage(this.#usage, usage);
    this.#events.push({ type: "usage", usage: decodeUsage(this.#usage), ...asExtras({ usage: this.#usage }) });
  }

  #finish(): void {
    this.done = true;
    const finish = decodeFinish(this.#word, this.#sequence, this.#blocks.anyCall);
    this.#blocks.close(finish.reason);
    this.#tellUnknown();
    const refusal = refusalIn(this.#end);
    if (refusal !== undefined) this.#blocks.refuse(refusal);
    this.#events.push({
      type: "finish",
      index: 0,
      reason: finish.reason,
      ...(finish.raw === undefined ? {} : { raw: finish.raw }),
      ...(finish.stopSequence === undefined ? {} : { stopSequence: finish.stopSequence }),
      ...asExtras(finishFields(this.#end, finish)),
    });
  }

  #tellUnknown(): void {
    if (this.#unknown.length === 0 || this.#blocks.isOpen) return;
    for (const event of this.#unknown) this.#events.push({ type: "extra", ...asExtras({ event }) } as ModelEvent);
    this.#unknown = [];
  }
}

/** The JSON text of an input that came whole with its call; nearly always it comes in pieces. */
function inputIn({ type, input }: Json, data: string): string | undefined {
  if (type !== "tool_use" || !isObject(input) || Object.keys(input).length === 0) return undefined;
  return rawJsonAt(utf8(data), ["content_block", "input"]).get("");
}
