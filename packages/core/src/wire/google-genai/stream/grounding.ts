import type { ModelEvent } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";
import { decodeCitations, encodeCitations, type PlacedCitation } from "../answer/citations.js";
import { camelKeys } from "../proto-json.js";

type Json = Record<string, unknown>;
interface TextBlock {
  readonly block: number;
  text: string;
}

/**
 * What a candidate rests on. Google says it last, for the whole text, so it is told when a text is about to end; the last word counts. What of it has no neutral form
 * (queries, the vendor's own search box) is given by `own`.
 */
export class Grounding {
  readonly #index: number;
  readonly #emit: (event: ModelEvent) => void;
  readonly #whole: boolean;
  readonly #texts: TextBlock[] = [];
  /** Of each of the vendor's parts, the block that it became part of and its text. */
  readonly #parts: { block: number; start: number; text: string }[] = [];
  /** The citations that were told, by their places in the vendor's list, which grows. */
  readonly #told = new Set<number>();
  #given: { groundingMetadata?: unknown; citationMetadata?: unknown } = {};

  constructor(index: number, o: { readonly emit: (event: ModelEvent) => void; readonly whole: boolean }) {
    this.#index = index;
    this.#emit = o.emit;
    this.#whole = o.whole;
  }

  push(candidate: Json): void {
    const grounding = camelKeys(candidate["groundingMetadata"]);
    const citations = camelKeys(candidate["citationMetadata"]);
    if (isObject(grounding) && Object.keys(grounding).length > 0) this.#given.groundingMetadata = grounding;
    if (isObject(citations)) this.#given.citationMetadata = citations;
  }
  nextPart(): void {
    this.#parts.push({ block: -1, start: 0, text: "" });
  }
  text(block: number, text: string): void {
    const last = this.#texts.at(-1);
    const part = this.#parts.at(-1);
    if (part !== undefined) Object.assign(part, { block, start: last?.block === block ? last.text.length : 0, text });
    if (last?.block === block) last.text += text;
    else this.#texts.push({ block, text });
  }

  /** Tells what a text rests on that is about to end, as far as it is known. `last`: no other text follows, so that what lies behind all text is of this one. */
  tell(block: number, last: boolean): void {
    this.#placed().forEach((placed, i) => {
      if (this.#told.has(i)) return;
      const at = this.#inBlock(placed, last);
      if (at.part === block || placed.end === undefined) this.#emitOne(i, block, at);
    });
  }

  /** Nothing is left to be told. */
  get done(): boolean {
    return this.#placed().every((_placed, i) => this.#told.has(i));
  }
  /** The text that citations without a place can still be told of; undefined when there is none. */
  get latest(): number | undefined {
    return this.#whole ? this.#texts.at(-1)?.block : undefined;
  }
  /** Tells the rest. A text that was ended in a stream can be told of no more: its citations are told of `block`, without their places. */
  tellRest(block: number): void {
    this.#placed().forEach((placed, i) => {
      if (this.#told.has(i)) return;
      const at = this.#inBlock(placed, true);
      if (this.#whole && at.part !== undefined) this.#emitOne(i, at.part, at);
      else this.#emitOne(i, block, { citation: placed.citation });
    });
  }

  #emitOne(i: number, block: number, { citation, start, end }: PlacedCitation): void {
    this.#told.add(i);
    const place = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
    this.#emit({ type: "citation", index: this.#index, block, citation: { ...citation, ...place } });
  }

  /** What citations do not say: all of the vendor's words when they could not be said again from the citations. */
  own(): Json {
    const { groundingMetadata: grounding } = this.#given;
    if (!isObject(grounding)) return {};
    const { groundingChunks, groundingSupports, ...rest } = grounding;
    const again = encodeCitations(this.#placed(), this.#text(undefined))["groundingMetadata"];
    const given = { groundingChunks, groundingSupports };
    if (JSON.stringify(again ?? {}) !== JSON.stringify(given)) return { groundingMetadata: grounding };
    return Object.keys(rest).length === 0 ? {} : { groundingMetadata: rest };
  }

  #placed(): readonly PlacedCitation[] {
    return decodeCitations(this.#given, (part) => this.#text(part));
  }
  #text(part: number | undefined): string {
    return part === undefined ? this.#texts.map(({ text }) => text).join("") : (this.#parts[part]?.text ?? "");
  }

  /** A place in the whole text as one in its block, which `part` then is. */
  #inBlock({ citation, start = 0, end, part }: PlacedCitation, last: boolean): PlacedCitation {
    if (end === undefined) return { citation };
    if (part !== undefined) {
      const given = this.#parts[part];
      return given === undefined || given.block < 0
        ? { citation }
        : { citation, start: given.start + start, end: given.start + end, part: given.block };
    }
    let before = 0;
    for (const { block, text } of this.#texts) {
      if (start < before + text.length || (last && block === this.#texts.at(-1)?.block))
        return { citation, start: start - before, end: Math.min(end - before, text.length), part: block };
      before += text.length;
    }
    return { citation };
  }
}
