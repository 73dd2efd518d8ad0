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
 * What a candidate rests on. Google says it last, for the whole text, so it is told when the text is about to end; the last word counts. What of it has no neutral form
 * (queries, the vendor's own search box) is given by `own`.
 */
export class Grounding {
  readonly #index: number;
  readonly #emit: (event: ModelEvent) => void;
  readonly #whole: boolean;
  readonly #texts: TextBlock[] = [];
  /** Of each of the vendor's parts, the block that it became part of and its text. */
  readonly #parts: { block: number; start: number; text: string }[] = [];
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

  /** Citations that are to be told now: all but, in a stream, none twice. Of a text that was ended only a whole answer can still tell the place. */
  late(): readonly PlacedCitation[] {
    return this.#placed().map((placed) => this.#inBlock(placed));
  }

  /** Tells citations: of `open`, the text block that is open, or of the block that each belongs to. */
  tell(open: number, citations: readonly PlacedCitation[]): void {
    for (const { citation, start, end, part } of citations) {
      const block = part ?? open;
      const isThere = block === open || this.#whole;
      const place = isThere ? { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) } : {};
      this.#emit({ type: "citation", index: this.#index, block: isThere ? block : open, citation: { ...citation, ...place } });
    }
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
  #inBlock({ citation, start = 0, end, part }: PlacedCitation): PlacedCitation {
    if (end === undefined) return { citation };
    if (part !== undefined) {
      const given = this.#parts[part];
      return given === undefined || given.block < 0
        ? { citation }
        : { citation, start: given.start + start, end: given.start + end, part: given.block };
    }
    let before = 0;
    for (const { block, text } of this.#texts) {
      if (start < before + text.length || block === this.#texts.at(-1)?.block)
        return { citation, start: start - before, end: Math.min(end - before, text.length), part: block };
      before += text.length;
    }
    return { citation };
  }
}
