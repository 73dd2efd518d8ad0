import type { TokenBond } from "../../wire/shared/codec.js";
import type { Provenance, Spoken } from "./provenance.js";

/** Where a call goes, and with which key. */
export interface Destination {
  readonly protocol: Spoken;
  readonly provider: string;
  readonly model: string;
  readonly keyPrint: string | null;
  readonly bonds: readonly TokenBond[];
}
/** Where in a call a token stands now. */
export interface Place {
  readonly prefix: string;
  /** A short hash of the text beside it; undefined: it seals none. */
  readonly text: string | undefined;
}

/** For a protocol that says nothing of its tokens. */
export const STRICTEST: readonly TokenBond[] = ["model", "key"];

/** Why a token may not go there: null: it may. */
export function whyNot(token: Provenance, to: Destination, place: Place): string | null {
  if (token.protocol !== to.protocol || token.provider !== to.provider) return `it is from ${token.provider}, which alone can read it`;
  for (const bond of to.bonds) {
    const broken = broke(bond, { token, to, place });
    if (broken !== null) return broken;
  }
  return null;
}

function broke(bond: TokenBond, o: { readonly token: Provenance; readonly to: Destination; readonly place: Place }): string | null {
  const { token, to, place } = o;
  switch (bond) {
    case "model":
      return token.model === to.model ? null : `it is from ${token.model}, which alone can read it`;
    case "family":
      return familyOf(token.model) === familyOf(to.model) ? null : `it is from ${token.model}, and another family of models cannot read it`;
    case "key":
      return token.keyPrint === to.keyPrint ? null : "it was made with another key of the provider";
    case "prefix":
      return token.prefix === place.prefix ? null : "what was said before it has been changed";
    case "text":
      return token.text === place.text ? null : "the text beside it has been changed";
  }
}

/** `gemini-3.8-flash` → `gemini-3`: the name up to and with its first number. */
export function familyOf(model: string): string {
  return /^[^0-9]*[0-9]+/.exec(model)?.[0] ?? model;
}
