import type { Citation, Extras, ModelEvent, TokenLogprob } from "../../../calls/index.js";
import { messageItem, type ItemIds } from "../answer/encode-items.js";
import { ownExtras, type Json } from "../extras.js";
import { encodeAnnotation, encodeLogprobs } from "../items/annotations.js";
import { encodeSpoken, markOf, type SpokenPart } from "../items/message-item.js";
import type { ResponseFrames } from "./response-frames.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;
export type StartEvent = Of<"text-start" | "reasoning-start" | "refusal-start">;
export type DeltaEvent = Of<"text-delta" | "reasoning-delta" | "refusal-delta">;

/** The assistant's words in a stream: parts that follow each other are parts of one message, which stays open until something else comes. */
export class MessageFrames {
  readonly #frames: ResponseFrames;
  readonly #ids: ItemIds;
  #item: { readonly id: string; readonly place: number; mark: Json | undefined; readonly content: Json[] } | null = null;
  #part: {
    kind: "text" | "refusal";
    text: string;
    citations: Citation[];
    logprobs: TokenLogprob[];
    annotations: number;
    extras: Extras | undefined;
  } | null = null;

  constructor(frames: ResponseFrames, ids: ItemIds) {
    this.#frames = frames;
    this.#ids = ids;
  }

  start(event: StartEvent): void {
    const mark = markOf(event);
    if (mark !== undefined) this.close("completed");
    if (this.#item === null) {
      const id = this.#ids.of(mark?.["id"], "msg");
      const place = this.#frames.begin(messageItem(mark, { id, status: "in_progress", content: [] }));
      this.#item = { id, place, mark, content: [] };
    }
    const kind = event.type === "text-start" ? "text" : "refusal";
    this.#part = { kind, text: "", citations: [], logprobs: [], annotations: 0, extras: event.extras };
    this.#add("response.content_part.added", { part: encodeSpoken({ type: kind, text: "" }) });
  }

  delta(event: DeltaEvent): void {
    const part = this.#part;
    if (part === null) return;
    part.text += event.text;
    if (part.kind === "refusal") {
      this.#add("response.refusal.delta", { delta: event.text });
      return;
    }
    part.logprobs.push(...(event.logprobs ?? []));
    this.#add("response.output_text.delta", { delta: event.text, logprobs: encodeLogprobs(event.logprobs) });
  }

  cite({ citation }: Of<"citation">): void {
    const part = this.#part;
    if (part === null) return;
    part.citations.push(citation);
    const annotation = encodeAnnotation(citation, part.text.length);
    if (annotation !== null) this.#add("response.output_text.annotation.added", { annotation_index: part.annotations++, annotation });
  }

  end(event: Of<"text-end" | "refusal-end">): void {
    const part = this.#part;
    if (part === null || this.#item === null) return;
    this.#item.mark = markOf(event) ?? this.#item.mark;
    const extras = { "openai-responses": { ...ownExtras(part), ...ownExtras(event) } };
    const { citations, logprobs } = part;
    const whole: SpokenPart =
      part.kind === "text" ? { type: "text", text: part.text, citations, logprobs, extras } : { type: "refusal", text: part.text, extras };
    const said = encodeSpoken(whole);
    if (part.kind === "text") this.#add("response.output_text.done", { text: part.text, logprobs: said["logprobs"] });
    else this.#add("response.refusal.done", { refusal: part.text });
    this.#add("response.content_part.done", { part: said });
    this.#item.content.push(said);
    this.#part = null;
  }

  /** Something else follows, or nothing does. */
  close(status: "completed" | "incomplete"): void {
    const item = this.#item;
    if (item === null) return;
    this.#item = null;
    this.#frames.done(item.place, messageItem(item.mark, { id: item.id, status, content: item.content }));
  }

  #add(type: string, fields: Json): void {
    const item = this.#item;
    if (item !== null)
      this.#frames.add(type, { item_id: item.id, output_index: item.place, content_index: item.content.length, ...fields });
  }
}
