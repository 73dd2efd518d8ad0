import type { Extras, ModelEvent } from "../../../calls/index.js";
import type { ItemIds } from "../answer/encode-items.js";
import { ownExtras, type Json } from "../extras.js";
import { encodeReasoning, isSegments, segmentSeparator, splitReasoning, type ReasoningKind } from "../items/reasoning-item.js";
import type { DeltaEvent, StartEvent } from "./message-frames.js";
import type { ResponseFrames } from "./response-frames.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;

/**
 * One reasoning item in a stream. A delta that begins another text of the item says so (see `ReasoningDeltas`); reasoning that comes whole says at its start how it is
 * cut, and is cut at its end. All else is one summary.
 */
export class ReasoningFrames {
  readonly #frames: ResponseFrames;
  readonly #id: string;
  readonly #place: number;
  readonly #extras: Extras | undefined;
  readonly #texts: { readonly kind: ReasoningKind; text: string }[] = [];
  /** Set where the text is cut at the end only. */
  #held: string | null;

  constructor(event: StartEvent, o: { readonly frames: ResponseFrames; readonly ids: ItemIds }) {
    this.#frames = o.frames;
    this.#id = o.ids.of(event.itemId, "rs");
    this.#extras = event.extras;
    this.#held = isSegments(ownExtras(event)["segments"]) ? "" : null;
    this.#place = o.frames.begin({ id: this.#id, type: "reasoning", summary: [] });
  }

  delta(event: DeltaEvent): void {
    if (this.#held !== null) {
      this.#held += event.text;
      return;
    }
    const { segment } = ownExtras(event);
    const kind = segment === "content" || segment === "summary" ? segment : undefined;
    if (kind !== undefined && this.#texts.length > 0) {
      // The text is only what separates them.
      this.#closeText();
      this.#openText(kind);
      return;
    }
    if (this.#texts.length === 0) this.#openText(kind ?? "summary");
    this.#say(event.text);
  }

  end(event: Of<"reasoning-end">): void {
    for (const [kind, text] of splitReasoning(this.#held ?? "", ownExtras({ extras: this.#extras })["segments"])) {
      if (this.#texts.length > 0) this.#closeText();
      this.#openText(kind);
      if (text !== "") this.#say(text);
    }
    if (this.#texts.length > 0) this.#closeText();
    const segments = this.#texts.map(({ kind, text }) => [kind, text.length]);
    const own = { ...ownExtras({ extras: this.#extras }), ...ownExtras(event), segments };
    const text = this.#texts.map((part) => part.text).join(segmentSeparator);
    const part = { type: "reasoning" as const, text, opaque: event.opaque, extras: { "openai-responses": own } };
    this.#frames.done(this.#place, encodeReasoning(part, this.#id));
  }

  #openText(kind: ReasoningKind): void {
    this.#texts.push({ kind, text: "" });
    if (kind === "summary") this.#add("response.reasoning_summary_part.added", { part: { type: "summary_text", text: "" } });
    else this.#add("response.content_part.added", { part: { type: "reasoning_text", text: "" } });
  }
  #say(delta: string): void {
    const current = this.#texts.at(-1);
    if (current === undefined) return;
    current.text += delta;
    this.#add(current.kind === "summary" ? "response.reasoning_summary_text.delta" : "response.reasoning_text.delta", { delta });
  }
  #closeText(): void {
    const { kind, text } = this.#texts.at(-1) ?? { kind: "summary", text: "" };
    this.#add(kind === "summary" ? "response.reasoning_summary_text.done" : "response.reasoning_text.done", { text });
    if (kind === "summary") this.#add("response.reasoning_summary_part.done", { part: { type: "summary_text", text } });
    else this.#add("response.content_part.done", { part: { type: "reasoning_text", text } });
  }

  /** The texts of each kind are numbered apart. */
  #add(type: string, fields: Json): void {
    const kind = this.#texts.at(-1)?.kind ?? "summary";
    const index = this.#texts.filter((text) => text.kind === kind).length - 1;
    this.#frames.add(type, { item_id: this.#id, output_index: this.#place, [`${kind}_index`]: index, ...fields });
  }
}
