import type { Message } from "../../calls/index.js";
import type { Kept, Piece } from "./kept-turn.js";
import type { Provenance } from "./provenance.js";
import type { Sealer } from "./sealer.js";
import { textMark } from "./text-mark.js";

export type AssistantPart = Extract<Message, { role: "assistant" }>["content"][number];
export interface Weaving {
  readonly sealer: Sealer;
  /** null: nothing is kept for this call. */
  readonly keptFor: (part: AssistantPart) => Kept | null;
  /** Told of every part that has its token back. */
  readonly restored: (part: AssistantPart, token: Provenance) => void;
}

/**
 * A turn as it was before the caller's dialect left something out: reasoning in front of the calls that it led to, each token at the part it came with. Reasoning that came
 * back without a token is the shadow of what is put there, and goes.
 */
export function weaveTurn(content: readonly AssistantPart[], o: Weaving): AssistantPart[] {
  const out: AssistantPart[] = [];
  let segment: AssistantPart[] = [];
  let after: readonly Piece[] = [];
  for (const part of content) {
    if (part.type !== "tool-call") {
      segment.push(part);
      continue;
    }
    const kept = o.keptFor(part);
    out.push(...weaveSegment(segment, kept?.before ?? [], o), part);
    const own = kept === null ? null : kept.own;
    if (own !== null && part.opaque === undefined) o.restored(part, own);
    segment = [];
    after = kept?.after ?? [];
  }
  out.push(...weaveSegment(segment, after, o));
  return out;
}

function weaveSegment(segment: readonly AssistantPart[], kept: readonly Piece[], o: Weaving): readonly AssistantPart[] {
  // What came in its own envelope is not put there a second time: the same calls may have been answered to a client of another dialect as well.
  const isCarried = segment.some((part) => part.type === "reasoning" && part.opaque !== undefined);
  const pieces = isCarried ? kept.filter(({ type }) => type !== "reasoning") : kept;
  if (pieces.length === 0) return segment;
  const { behind, texts } = laidOut(pieces, o);
  const out: AssistantPart[] = [...(behind.get(0) ?? [])];
  let count = 0;
  for (const part of segment) {
    if (part.type === "reasoning" && part.opaque === undefined && behind.size > 0) continue;
    out.push(part);
    if (part.type !== "text" || part.text === "") continue;
    const token = part.opaque === undefined ? texts.get(textMark(part.text, o.sealer)) : undefined;
    if (token !== undefined) o.restored(part, token);
    out.push(...(behind.get(++count) ?? []));
  }
  // A dialect that joins texts has fewer of them than there were.
  for (const [place, parts] of behind) if (place > count) out.push(...parts);
  return out;
}

/** The parts that have to be put back by the number of texts in front of them, and the tokens of texts by their hash. */
function laidOut(pieces: readonly Piece[], o: Weaving) {
  const behind = new Map<number, AssistantPart[]>();
  const texts = new Map<string, Provenance>();
  let count = 0;
  for (const piece of pieces) {
    if (piece.type === "text" && piece.hash !== "") {
      count++;
      if (piece.token !== null) texts.set(piece.hash, piece.token);
      continue;
    }
    const part: AssistantPart = { type: piece.type, text: piece.type === "reasoning" ? piece.text : "" };
    if (piece.token !== null) o.restored(part, piece.token);
    const place = behind.get(count);
    if (place === undefined) behind.set(count, [part]);
    else place.push(part);
  }
  return { behind, texts };
}
