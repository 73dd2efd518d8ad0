import { isObject } from "../../../util/json.js";
import { asExtras, saidFields, type Json } from "../extras.js";
import { decodeAnnotation, decodeAnnotations, decodeLogprobs } from "../items/annotations.js";
import { itemMark } from "../items/message-item.js";
import type { Blocks } from "./blocks.js";

type Kind = "text" | "refusal";

interface PartState {
  readonly kind: Kind;
  text: string;
  citations: number;
  logprobs: boolean;
  block: number | null;
  /** What is told with its end. */
  own: Json;
}

/** One message item of a stream. Parts may come with or without the events around their deltas; what did not come in deltas is told from where it came whole. */
export class MessageDeltas {
  readonly #blocks: Blocks;
  readonly #parts = new Map<number, PartState>();
  #item: Json;

  constructor(item: Json, blocks: Blocks) {
    this.#item = item;
    this.#blocks = blocks;
  }

  /** An event of this item; false when it is none that a message knows. */
  push(event: Json): boolean {
    const index = Number.isSafeInteger(event["content_index"]) ? (event["content_index"] as number) : 0;
    switch (event["type"]) {
      case "response.content_part.added":
        if (isObject(event["part"])) this.#open(index, event["part"]);
        return true;
      case "response.output_text.delta":
        this.#say(this.#part(index, "text"), event);
        return true;
      case "response.refusal.delta":
        this.#say(this.#part(index, "refusal"), event);
        return true;
      case "response.output_text.annotation.added":
        if (isObject(event["annotation"])) this.#cite(this.#part(index, "text"), event["annotation"]);
        return true;
      case "response.output_text.done":
        this.#complete(this.#part(index, "text"), event["text"]);
        return true;
      case "response.refusal.done":
        this.#complete(this.#part(index, "refusal"), event["refusal"]);
        return true;
      case "response.content_part.done":
        if (isObject(event["part"])) this.#completePart(index, event["part"]);
        return true;
      default:
        return false;
    }
  }

  done(item: Json): void {
    this.#item = item;
    const content = Array.isArray(item["content"]) ? (item["content"] as unknown[]) : [];
    content.forEach((part, index) => {
      if (isObject(part)) this.#completePart(index, part);
    });
    this.#blocks.end();
  }

  #open(index: number, part: Json): PartState | null {
    const kind = part["type"] === "refusal" ? "refusal" : part["type"] === "output_text" || part["type"] === "text" ? "text" : null;
    return kind === null ? null : this.#part(index, kind);
  }

  #part(index: number, kind: Kind): PartState {
    let part = this.#parts.get(index);
    if (part !== undefined) return part;
    part = { kind, text: "", citations: 0, logprobs: false, block: null, own: {} };
    const mark = this.#parts.size === 0 ? itemMark(this.#item, this.#blocks.lastIsSpoken) : undefined;
    this.#parts.set(index, part);
    this.#begin(part, mark);
    return part;
  }

  #begin(part: PartState, mark: Json | undefined): void {
    part.block = this.#blocks.begin(part.kind, () => this.#end(part, mark));
    this.#blocks.emit({ type: `${part.kind}-start`, index: 0, block: part.block, ...asExtras({ item: mark }) });
  }

  /** The item's own fields may be known only when it is done; they stand at its first part. */
  #end(part: PartState, mark: Json | undefined): void {
    if (part.block === null) return;
    const now = mark === undefined ? undefined : itemMark(this.#item, true);
    const more = now !== undefined && Object.keys(now).length > Object.keys(mark ?? {}).length ? { item: now } : {};
    this.#blocks.emit({ type: `${part.kind}-end`, index: 0, block: part.block, ...asExtras({ ...part.own, ...more }) });
    part.block = null;
  }

  #say(part: PartState, event: Json): void {
    const logprobs = decodeLogprobs(event["logprobs"]);
    if (typeof event["delta"] === "string") this.#tell(part, event["delta"], logprobs);
  }
  #tell(part: PartState, text: string, logprobs: ReturnType<typeof decodeLogprobs>): void {
    if (text === "" && logprobs.length === 0) return;
    if (part.block === null) this.#begin(part, undefined);
    part.text += text;
    if (logprobs.length > 0) part.logprobs = true;
    const said = logprobs.length === 0 ? {} : { logprobs };
    this.#blocks.emit({ type: `${part.kind}-delta`, index: 0, block: part.block as number, text, ...said });
  }
  #cite(part: PartState, annotation: Json): void {
    if (part.block === null) return;
    part.citations++;
    this.#blocks.emit({ type: "citation", index: 0, block: part.block, citation: decodeAnnotation(annotation) });
  }

  #complete(part: PartState, whole: unknown): void {
    if (typeof whole === "string" && whole.startsWith(part.text)) this.#tell(part, whole.slice(part.text.length), []);
  }
  #completePart(index: number, given: Json): void {
    const part = this.#open(index, given);
    if (part === null) return;
    const { type: _type, text, refusal, annotations, logprobs, ...own } = given;
    this.#complete(part, part.kind === "text" ? text : refusal);
    if (part.block === null) return;
    const missed = decodeAnnotations(annotations).slice(part.citations);
    part.citations += missed.length;
    for (const citation of missed) this.#blocks.emit({ type: "citation", index: 0, block: part.block, citation });
    if (!part.logprobs) this.#tell(part, "", decodeLogprobs(logprobs));
    part.own = saidFields(own);
  }
}
