import { asExtras, textOf, type Json } from "../extras.js";
import { decodeReasoning, reasoningExtras, segmentSeparator, splitReasoning, type ReasoningKind } from "../items/reasoning-item.js";
import { ownExtras } from "../extras.js";
import type { Blocks } from "./blocks.js";

/**
 * One reasoning item of a stream: its summaries and its own text as one text, with what separates them. The delta that begins another text than the first summary
 * says so in `extras.segment`. The sealed form is taken from the item that is done: the one that was added may not be complete.
 */
export class ReasoningDeltas {
  readonly #blocks: Blocks;
  readonly #id: string | undefined;
  readonly #segments: [kind: ReasoningKind, length: number][] = [];
  #block: number | null;
  #text = "";
  #current = "";
  /** The kind of a text that began and of which nothing was told yet. */
  #begun: ReasoningKind | null = null;
  #end: Json = {};

  constructor(item: Json, blocks: Blocks) {
    this.#blocks = blocks;
    this.#id = textOf(item["id"]);
    this.#block = blocks.begin("reasoning", () => this.#close());
    blocks.emit({ type: "reasoning-start", index: 0, block: this.#block, ...(this.#id === undefined ? {} : { itemId: this.#id }) });
  }

  push(event: Json): boolean {
    switch (event["type"]) {
      case "response.reasoning_summary_part.added":
        this.#begin("summary", event["summary_index"]);
        return true;
      case "response.content_part.added":
        this.#begin("content", event["content_index"]);
        return true;
      case "response.reasoning_summary_text.delta":
        this.#say("summary", event["summary_index"], event["delta"]);
        return true;
      case "response.reasoning_text.delta":
        this.#say("content", event["content_index"], event["delta"]);
        return true;
      case "response.reasoning_summary_part.done":
      case "response.reasoning_summary_text.done":
      case "response.reasoning_text.done":
      case "response.content_part.done":
        return true;
      default:
        return false;
    }
  }

  done(item: Json): void {
    const whole = decodeReasoning(item);
    if (this.#segments.length === 0)
      splitReasoning(whole.text, ownExtras(whole)["segments"]).forEach(([kind, text], i) => this.#say(kind, i, text));
    this.#end = item;
    if (this.#block !== null) this.#blocks.end();
  }

  #begin(kind: ReasoningKind, index: unknown): void {
    const key = `${kind} ${String(index)}`;
    if (this.#block === null || key === this.#current) return;
    this.#current = key;
    if (this.#segments.length > 0) this.#tell(segmentSeparator, kind);
    else this.#begun = kind === "summary" ? null : kind;
    this.#segments.push([kind, 0]);
  }

  #say(kind: ReasoningKind, index: unknown, text: unknown): void {
    this.#begin(kind, index);
    const segment = this.#segments.at(-1);
    if (typeof text !== "string" || text === "" || segment === undefined || this.#block === null) return;
    segment[1] += text.length;
    this.#tell(text, this.#begun ?? undefined);
    this.#begun = null;
  }

  #tell(text: string, segment: ReasoningKind | undefined): void {
    if (this.#block === null) return;
    this.#text += text;
    this.#blocks.emit({ type: "reasoning-delta", index: 0, block: this.#block, text, ...asExtras({ segment }) });
  }

  #close(): void {
    if (this.#block === null) return;
    const itemId = textOf(this.#end["id"]) ?? this.#id;
    const opaque = textOf(this.#end["encrypted_content"]);
    this.#blocks.emit({
      type: "reasoning-end",
      index: 0,
      block: this.#block,
      ...(opaque === undefined ? {} : { opaque }),
      ...(itemId === undefined ? {} : { itemId }),
      ...reasoningExtras(this.#segments, this.#end),
    });
    this.#block = null;
  }
}
