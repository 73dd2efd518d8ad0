import type { ModelEvent } from "../../../calls/index.js";
import { encodeImage, encodeReasoning } from "../answer/encode-blocks.js";
import { encodeCitation } from "../citations.js";
import { messagesExtras } from "../extras.js";
import { frame } from "./frame.js";

type Of<T extends ModelEvent["type"]> = Extract<ModelEvent, { type: T }>;
export type BlockEvent = Exclude<ModelEvent, { type: "start" | "usage" | "extra" | "finish" }>;
type Json = Record<string, unknown>;

interface Block {
  /** Its place in the answer, once a frame of it was told. */
  index: number | null;
  /** Events that wait for another block to end. */
  readonly waiting: BlockEvent[];
  ended: boolean;
  /** Of what stood at its beginning. */
  own: Json;
}

/**
 * The blocks of one answer as frames: one block at a time, each begun once and ended once, with places that count up. Calls that come interleaved wait for each other. A
 * text or reasoning that says nothing makes no block.
 */
export class BlockFrames {
  anyCall = false;
  /** The words of refusals, which have no block here. */
  refusal: string | undefined;
  readonly #blocks = new Map<number, Block>();
  #open: number | null = null;
  #count = 0;

  encode(event: BlockEvent): string {
    let block = this.#blocks.get(event.block);
    if (block === undefined) this.#blocks.set(event.block, (block = { index: null, waiting: [], ended: false, own: {} }));
    if (this.#open !== null && this.#open !== event.block) {
      block.waiting.push(event);
      return "";
    }
    const frames = this.#tell(event, block);
    return block.ended ? frames + this.#next() : frames;
  }

  /** The end of the answer: a call that is open was cut off, and what waited behind it is told. A call that waited and was cut off stays untold. */
  close(): string {
    let frames = "";
    for (const [number, block] of this.#blocks) {
      if (block.ended || (number !== this.#open && isCutCall(block))) continue;
      for (const event of block.waiting.splice(0)) frames += this.#tell(event, block);
      if (!block.ended) frames += this.#end(block);
    }
    return frames;
  }

  /** The blocks that waited, up to one that has not ended. */
  #next(): string {
    this.#open = null;
    let frames = "";
    for (const [number, block] of this.#blocks) {
      if (block.ended || block.waiting.length === 0) continue;
      this.#open = number;
      for (const event of block.waiting.splice(0)) frames += this.#tell(event, block);
      if (!block.ended) return frames;
      this.#open = null;
    }
    return frames;
  }

  #tell(event: BlockEvent, block: Block): string {
    this.#open = event.block;
    switch (event.type) {
      case "text-start":
      case "reasoning-start":
        block.own = messagesExtras(event);
        return "";
      case "tool-call-start":
        this.anyCall = true;
        return this.#begin(block, { ...messagesExtras(event), type: "tool_use", id: event.id, name: event.name, input: {} });
      case "text-delta":
        return event.text === "" ? "" : this.#beginText(block) + delta(block, { type: "text_delta", text: event.text });
      case "citation":
        return this.#beginText(block) + delta(block, { type: "citations_delta", citation: encodeCitation(event.citation) });
      case "reasoning-delta":
        return event.text === "" ? "" : this.#beginThinking(block) + delta(block, { type: "thinking_delta", thinking: event.text });
      case "tool-call-delta":
        return delta(block, { type: "input_json_delta", partial_json: event.text });
      case "refusal-delta":
        this.refusal = (this.refusal ?? "") + event.text;
        return "";
      case "refusal-start":
        return "";
      case "reasoning-end":
        return this.#endReasoning(event, block);
      case "text-end":
      case "tool-call-end":
      case "refusal-end":
        return this.#end(block);
      case "native":
        return event.protocol === "anthropic-messages" ? this.#whole(block, event.item) : this.#end(block);
      case "media": {
        const image = encodeImage(event.mediaType, event.data, messagesExtras(event));
        return image === null ? this.#end(block) : this.#whole(block, image);
      }
    }
  }

  #endReasoning(event: Of<"reasoning-end">, block: Block): string {
    if (block.index !== null)
      return (event.opaque === undefined ? "" : delta(block, { type: "signature_delta", signature: event.opaque })) + this.#end(block);
    const whole = encodeReasoning({ ...event, type: "reasoning", text: "", extras: { "anthropic-messages": block.own } });
    if (whole === null) return this.#end(block);
    if (whole["type"] === "redacted_thinking") return this.#whole(block, whole);
    // Text that is not shown has its signature all the same, where clients look for it.
    return this.#beginThinking(block) + delta(block, { type: "signature_delta", signature: event.opaque }) + this.#end(block);
  }

  #beginText(block: Block): string {
    return block.index === null ? this.#begin(block, { ...block.own, type: "text", text: "" }) : "";
  }
  #beginThinking(block: Block): string {
    return block.index === null ? this.#begin(block, { ...block.own, type: "thinking", thinking: "", signature: "" }) : "";
  }
  #whole(block: Block, item: Json): string {
    return this.#begin(block, item) + this.#end(block);
  }

  #begin(block: Block, item: Json): string {
    block.index = this.#count++;
    return frame({ type: "content_block_start", index: block.index, content_block: item });
  }
  #end(block: Block): string {
    block.ended = true;
    return stopped(block);
  }
}

function isCutCall({ waiting }: Block): boolean {
  return waiting.some((event) => event.type === "tool-call-start") && !waiting.some((event) => event.type === "tool-call-end");
}

function stopped({ index }: Block): string {
  return index === null ? "" : frame({ type: "content_block_stop", index });
}
function delta({ index }: Block, said: Json): string {
  return frame({ type: "content_block_delta", index, delta: said });
}
