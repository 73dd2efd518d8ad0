import type { AnswerPart, MediaPart, ToolCallPart } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { ownExtras, textOf, type Json } from "../extras.js";
import { encodeImage } from "../items/image-item.js";
import { encodeSpoken, markOf, type SpokenPart } from "../items/message-item.js";
import { encodeReasoning } from "../items/reasoning-item.js";
import { encodeToolCall } from "../items/tool-call-item.js";

/** Ids of the items of one response, made of its id and their place, so that they are the same whenever it is encoded. */
export class ItemIds {
  readonly #base: string;
  #count = 0;

  constructor(responseId: string) {
    this.#base = responseId
      .replace(/^resp_/, "")
      .replace(/[^A-Za-z0-9]/g, "")
      .slice(-40);
  }

  /** The id that the item has, or one for it. */
  of(given: unknown, prefix: "msg" | "rs" | "fc" | "ctc" | "ig"): string {
    return textOf(given) ?? `${prefix}_${this.#base}${String(this.#count++).padStart(4, "0")}`;
  }
}

/** An item of the assistant's words around its `content`. */
export function messageItem(
  mark: Json | undefined,
  o: { readonly id: string; readonly status: string; readonly content: readonly Json[] },
): Json {
  return { id: o.id, ...mark, type: "message", status: o.status, content: o.content, role: "assistant" };
}

/** The parts of one candidate as `output`. The last item is incomplete when the response is, if it is the assistant's words. */
export function encodeItems(parts: readonly AnswerPart[], o: { readonly responseId: string; readonly incomplete: boolean }): Json[] {
  const ids = new ItemIds(o.responseId);
  const items: Json[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as AnswerPart;
    if (part.type !== "text" && part.type !== "refusal") {
      items.push(...encodeItem(part, ids));
      continue;
    }
    const said: SpokenPart[] = [part];
    for (let next = parts[i + 1]; isContinued(next); next = parts[i + 1]) {
      said.push(next);
      i++;
    }
    const mark = markOf(part);
    const status = o.incomplete && i === parts.length - 1 ? "incomplete" : "completed";
    items.push(messageItem(mark, { id: ids.of(mark?.["id"], "msg"), status, content: said.map(encodeSpoken) }));
  }
  return items;
}

function isContinued(part: AnswerPart | undefined): part is SpokenPart {
  return (part?.type === "text" || part?.type === "refusal") && markOf(part) === undefined;
}

function encodeItem(part: Exclude<AnswerPart, SpokenPart>, ids: ItemIds): Json[] {
  switch (part.type) {
    case "reasoning":
      return [encodeReasoning(part, ids.of(part.itemId, "rs"))];
    case "tool-call":
      return [callItem(part, ids.of(ownExtras(part)["id"], part.input === "text" ? "ctc" : "fc"))];
    case "native":
      return part.protocol === "openai-responses" ? [part.item] : [];
    case "media":
      return imageItem(part, ids);
  }
}

/** A call as an answer has it. */
export function callItem(part: ToolCallPart, id: string): Json {
  return { id, status: "completed", ...encodeToolCall(part) };
}

/** The protocol's answers have pictures, made by its image tool; they have no other media. */
function imageItem(part: MediaPart, ids: ItemIds): Json[] {
  if (part.source.kind !== "base64" || !part.mediaType.startsWith("image/")) return [];
  return [encodeImage(part, { id: ids.of(imageId(part), "ig"), data: part.source.data })];
}
export function imageId(part: { readonly extras?: MediaPart["extras"] }): unknown {
  const { item } = ownExtras(part);
  return isObject(item) ? item["id"] : undefined;
}
