import { GatewayError } from "../errors/index.js";
import { cutText } from "../util/well-formed.js";
import { scanJson, scanPlan, textAt } from "./frames/json-scan.js";
import { member, readMessage, requestPlan, type RpcMessage } from "./frames/message.js";
import { insertMembers, splice, utf8, type Edit } from "./frames/splice.js";
import type { ListEntry } from "./upstream/list-entries.js";

const PURPOSE_CHARACTERS = 500;
const SCHEMA =
  '"purpose":{"type":"string","maxLength":500,"description":"Why this is done, in a sentence: kept for the audit, and not seen by the tool."}';
const entryPlan = scanPlan({ inputSchema: { properties: { purpose: {} } } });
const argumentsPlan = scanPlan({ purpose: {} });

/** What makes a tool take a purpose; null for one that has an argument of this name of its own. Made once for each entry. */
export function purposeEdit(entry: ListEntry): Edit | null {
  let edit = edits.get(entry);
  if (edit === undefined) edits.set(entry, (edit = editOf(entry)));
  return edit;
}
const edits = new WeakMap<ListEntry, Edit | null>();

function editOf({ raw }: ListEntry): Edit | null {
  const schema = member(scanJson(raw, entryPlan), "inputSchema");
  if (schema === null || schema.kids === null) return null;
  const properties = member(schema, "properties");
  if (properties === null) return insertMembers(schema, `"properties":{${SCHEMA}}`);
  if (properties.kids === null || member(properties, "purpose") !== null) return null;
  return insertMembers(properties, SCHEMA);
}

/** The arguments without the purpose that they stated. Errors: `validation_failed` for one that is no text. */
export function takePurpose(bytes: Uint8Array): { readonly purpose: string | null; readonly bytes: Uint8Array } {
  const root = scanJson(bytes, argumentsPlan);
  const node = member(root, "purpose");
  if (node === null || root.kids === null) return { purpose: null, bytes };
  const value: unknown = JSON.parse(textAt(bytes, node));
  if (typeof value !== "string") throw new GatewayError("validation_failed", '"purpose" is not a text.');
  const at = root.kids.indexOf(node);
  const [previous, next] = [root.kids[at - 1], root.kids[at + 1]];
  const start = next === undefined && previous !== undefined ? previous.end : node.keyStart;
  const stripped = splice(bytes, [{ start, end: next?.keyStart ?? node.end, bytes: utf8("") }]);
  return { purpose: value === "" ? null : cutText(value, PURPOSE_CHARACTERS), bytes: stripped };
}

/** A `tools/call` without the purpose that its arguments stated. */
export function takeRpcPurpose(message: RpcMessage): { readonly purpose: string | null; readonly message: RpcMessage } {
  const args = member(message.params, "arguments");
  if (args === null) return { purpose: null, message };
  const taken = takePurpose(message.bytes.subarray(args.start, args.end));
  if (taken.purpose === null && taken.bytes.length === args.end - args.start) return { purpose: null, message };
  const bytes = splice(message.bytes, [{ start: args.start, end: args.end, bytes: taken.bytes }]);
  return { purpose: taken.purpose, message: readMessage(bytes, requestPlan) };
}
