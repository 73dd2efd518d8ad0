import { isObject } from "../../util/json.js";
import { isProvenance } from "./sealer.js";
import type { Provenance } from "./provenance.js";

/** A tool call by what a client gives back of it. */
export interface CallKey {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}
/** A part of an answer that the caller's dialect could not carry, or a text that says where the others stood. */
export type Piece =
  | { readonly type: "reasoning"; readonly text: string; readonly token: Provenance }
  /** `hash` of the text; "": the text was empty. */
  | { readonly type: "text"; readonly hash: string; readonly token: Provenance | null };

/** What is kept for one tool call: what stood between the call before it and itself, its own token, and for the last call of a turn what followed. */
export interface Kept {
  readonly before: readonly Piece[];
  readonly own: Provenance | null;
  readonly after: readonly Piece[];
}
export interface KeptCall {
  readonly call: CallKey;
  readonly kept: Kept;
}

/** A part as it went by: its text is hashed only when something of the turn is kept. */
type Seen = Extract<Piece, { type: "reasoning" }> | { readonly type: "text"; readonly text: string; readonly token: Provenance | null };

/** Collects one candidate's parts in their order, to be kept by its tool calls. */
export class TurnPieces {
  readonly #mark: (text: string) => string;
  readonly #calls: { call: CallKey; before: Seen[]; own: Provenance | null }[] = [];
  #pieces: Seen[] = [];

  /** `mark`: the hash of a text. */
  constructor(mark: (text: string) => string) {
    this.#mark = mark;
  }

  push(piece: Seen): void {
    this.#pieces.push(piece);
  }
  pushCall(call: CallKey, own: Provenance | null): void {
    this.#calls.push({ call, before: this.#pieces, own });
    this.#pieces = [];
  }

  /** The calls that have something to be kept; a turn without calls has nothing to be found by. */
  keep(): KeptCall[] {
    return this.#calls.flatMap(({ call, before, own }, i) => {
      const after = i === this.#calls.length - 1 ? this.#pieces : [];
      const isNeeded = own !== null || before.some(hasToken) || after.some(hasToken);
      return isNeeded ? [{ call, kept: { before: before.map(this.#piece), own, after: after.map(this.#piece) } }] : [];
    });
  }

  readonly #piece = (seen: Seen): Piece =>
    seen.type === "reasoning" ? seen : { type: "text", hash: this.#mark(seen.text), token: seen.token };
}

/** null: it was written by another version of ours. */
export function asKept(value: unknown): Kept | null {
  if (!isObject(value)) return null;
  const { before, own, after } = value;
  if (!isPieces(before) || !isPieces(after) || !(own === null || isProvenance(own))) return null;
  return { before, own, after };
}

function isPieces(value: unknown): value is Piece[] {
  return (
    Array.isArray(value) &&
    value.every((piece: unknown) => {
      if (!isObject(piece)) return false;
      if (piece["type"] === "reasoning") return typeof piece["text"] === "string" && isProvenance(piece["token"]);
      return piece["type"] === "text" && typeof piece["hash"] === "string" && (piece["token"] === null || isProvenance(piece["token"]));
    })
  );
}

function hasToken(piece: { readonly token: Provenance | null }): boolean {
  return piece.token !== null;
}
