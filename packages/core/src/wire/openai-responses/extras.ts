import type { Extras } from "../../calls/index.js";

export type Json = Record<string, unknown>;
type Fields = Readonly<Json>;

const none: Fields = {};

/** What rides along for this protocol; nothing of the others. */
export function ownExtras(of: { readonly extras?: Extras | undefined }): Fields {
  return of.extras?.["openai-responses"] ?? none;
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
  return { extras: { "openai-responses": own } };
}

/** Whether it was decoded from this protocol: then what it does not say was not said, and nothing is added. */
export function isOwn(of: { readonly extras?: Extras | undefined }): boolean {
  return of.extras?.["openai-responses"] !== undefined;
}

/** The fields that say something: vendors send `null` for what is not there. */
export function saidFields(fields: Fields): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** A text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
