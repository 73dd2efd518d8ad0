import type { Extras } from "../../calls/index.js";

type Fields = Readonly<Record<string, unknown>>;

const none: Fields = {};

/** What rides along for this protocol; nothing of the others. */
export function chatExtras(of: { readonly extras?: Extras | undefined }): Fields {
  return of.extras?.["openai-chat"] ?? none;
}

const nothing: { extras?: Extras } = {};

/** Fields with no neutral meaning, as the `extras` of what they stood in; nothing at all when none of them was said. */
export function asExtras(fields: Fields | undefined): { extras?: Extras } {
  if (fields === undefined) return nothing;
  const keys = Object.keys(fields);
  const said = keys.filter((key) => fields[key] !== undefined);
  if (said.length === 0) return nothing;
  // Not by assignment: a member called __proto__ must stay a member.
  const own = said.length === keys.length ? fields : Object.fromEntries(said.map((key) => [key, fields[key]]));
  return { extras: { "openai-chat": own } };
}
