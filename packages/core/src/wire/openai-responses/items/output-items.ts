import type { AnswerPart, JsonObject, NativePart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import type { Json } from "../extras.js";
import { decodeImage } from "./image-item.js";
import { decodeMessage } from "./message-item.js";
import { decodeReasoning } from "./reasoning-item.js";
import { callTypes, decodeToolCall } from "./tool-call-item.js";

/**
 * Items of a model as parts of an answer, or of a turn of the assistant, in order. What has no neutral form (the use of a hosted tool, a compaction) stays whole.
 */
export class OutputItems {
  readonly parts: AnswerPart[] = [];
  readonly #idOf: (given: unknown) => string;

  /** `idOf` says under which id a call with this `call_id` goes on. */
  constructor(idOf: (given: unknown) => string) {
    this.#idOf = idOf;
  }

  push(item: Json): void {
    this.parts.push(...this.#decode(item));
  }

  #decode(item: Json): readonly AnswerPart[] {
    const { type } = item;
    if (type === "message" || type === undefined) {
      const last = this.parts.at(-1)?.type;
      return decodeMessage(item, last === "text" || last === "refusal") ?? [asNative(item)];
    }
    if (type === "reasoning") return [decodeReasoning(item)];
    if (callTypes.has(type)) return [decodeToolCall(item, this.#idOf(item["call_id"]))];
    return [decodeImage(item) ?? asNative(item)];
  }
}

/** An item as it is. */
export function asNative(item: Json): NativePart {
  return { type: "native", protocol: "openai-responses", item: item as JsonObject };
}

/** The items of an `output`, whatever else stands there. */
export function itemsOf(list: unknown): Json[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}
