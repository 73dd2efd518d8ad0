import type { Extras } from "../../calls/index.js";

type Fields = Readonly<Record<string, unknown>>;

const none: Fields = {};

/** What rides along for this protocol; nothing of the others. */
export function googleExtras(of: { readonly extras?: Extras | undefined }): Fields {
  return of.extras?.["google-genai"] ?? none;
}

/** Fields with no neutral meaning, as the `extras` of what they stood in; nothing at all when none of them was said. */
export function asExtras(fields: Fields | undefined): { extras?: Extras } {
  const own = said(fields);
  return own === undefined ? {} : { extras: { "google-genai": own } };
}

/** The fields that have a value; undefined when none has. */
export function said(fields: Fields | undefined): Fields | undefined {
  if (fields === undefined) return undefined;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  // Not by assignment: a member called __proto__ must stay a member.
  return given.length === 0 ? undefined : Object.fromEntries(given);
}
