import type { Message } from "../../calls/index.js";
import type { Sealer } from "./sealer.js";

const LENGTH = 16;

/**
 * What users had said up to each place of a conversation, as one short hash. A vendor that binds its tokens to what came before them refuses them once that was
 * edited. Only texts count: clients write all else anew with every turn.
 */
export class Prefixes {
  readonly #sealer: Sealer;
  #hash = "";

  constructor(sealer: Sealer) {
    this.#sealer = sealer;
  }

  /** Of all messages so far. */
  get current(): string {
    return this.#hash;
  }

  push(message: Message): void {
    if (message.role !== "user") return;
    const texts = message.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
    if (texts.length > 0) this.#hash = this.#sealer.hash(`prefix\n${this.#hash}\n${texts.join("\n")}`).slice(0, LENGTH);
  }
}

/** Of a whole conversation: what an answer to it is bound to. */
export function prefixOf(messages: readonly Message[], sealer: Sealer): string {
  const prefixes = new Prefixes(sealer);
  for (const message of messages) prefixes.push(message);
  return prefixes.current;
}
