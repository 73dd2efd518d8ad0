import type { Extras } from "../../calls/index.js";

type Fields = Readonly<Record<string, unknown>>;

const none: Fields = {};

/** What rides along for this protocol; nothing of the others. */
export function messagesExtras(of: { readonly extras?: Extras | undefined }): Fields {
  return of.extras?.["anthropic-messages"] ?? none;
}

const nothing: { extras?: Extras } = {};

/** Fields with no neutral meaning, as the `extras` of what they stood in; nothing at all when none of them was said. */
export function asExtras(fields: Fields | undefined): { extras?: Extras } {
  if (fields === undefined) return nothing;
  // Not by assignment: a member called __proto__ must stay a member.
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return said.length === 0 ? nothing : { extras: { "anthropic-messages": Object.fromEntries(said) } };
}

/** The members that say something: the vendor writes null for what does not apply. */
export function withoutNulls(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}
