import { withoutNulls } from "../extras.js";

type Json = Record<string, unknown>;

/** Of the fields of a message those that are known at its end only: in a stream they come with its last delta. */
const atEnd = new Set(["stop_details", "container", "context_management", "input_transformations"]);

/** What a message says beside what is neutral, in the two places where a stream says it. */
export function messageFields(message: Json): { readonly start: Json; readonly end: Json } {
  const { id, type, role, model, content, stop_reason, stop_sequence, usage, ...own } = message;
  void [id, type, role, model, content, stop_reason, stop_sequence, usage];
  const said = Object.entries(withoutNulls(own));
  return {
    start: Object.fromEntries(said.filter(([key]) => !atEnd.has(key))),
    end: Object.fromEntries(said.filter(([key]) => atEnd.has(key))),
  };
}
