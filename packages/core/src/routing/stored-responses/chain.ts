import type { Caller } from "../../calls/index.js";
import type { StoredResponseRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject, parseJsonText } from "../../util/json.js";
import { referenceOf, type ResponsesRequest } from "./read-request.js";
import { isFinal, noResponse, type ResponseRecords } from "./records.js";

/** Longer conversations are refused: each turn reads all that came before. */
const LONGEST_CHAIN = 500;

/** What a request goes on from. */
export interface Chain {
  /** The ids of the earlier responses, the first one first. */
  readonly ids: readonly string[];
  /** The request's own items, whole: what is kept of it. */
  readonly own: string;
  /** Their items and those of the request itself: the text of a JSON list. null: the request's own input is all there is. */
  readonly input: string | null;
}

/**
 * Puts earlier responses, and items that are named by their id, in their place: what whoever makes the next response is told is whole, whichever vendor, key or region that is.
 * Errors: `not_found` for a response or item that the caller may not see, `conflict` for one that is still being made, `bad_request` for more than 500 turns.
 */
export async function expandChain(request: ResponsesRequest, records: ResponseRecords, caller: Caller): Promise<Chain> {
  const resolved = await resolveReferences(request, records, caller);
  const { previousId } = request;
  const own = resolved ?? request.input;
  if (previousId === undefined) return { ids: [], own, input: resolved };
  const previous = await records.get(previousId, caller);
  if (previous === null) throw noResponse(previousId, "previous_response_id");
  if (!isFinal(previous.status))
    throw new GatewayError("conflict", "The previous response is still being made.", {
      hint: "Wait until it has ended, then go on from it.",
      details: { param: "previous_response_id" },
    });
  const ids = [...previous.chain, previous.id];
  if (ids.length > LONGEST_CHAIN)
    throw new GatewayError("bad_request", `The conversation has more than ${LONGEST_CHAIN} responses.`, {
      hint: "Begin a new one with a summary.",
    });
  const items = await itemsOfChain(previous, records, caller);
  return { ids, own, input: joinLists([...items, own]) };
}

/** The items of a response's conversation up to it and with it, a list for each turn. Errors: `not_found` when one of them is gone. */
export async function itemsOfChain(last: StoredResponseRow, records: ResponseRecords, caller: Caller): Promise<string[]> {
  const earlier = await records.getAll(last.chain, caller);
  const rows = last.chain.map((id) => {
    const row = earlier.get(id);
    if (row === undefined) throw noResponse(id, "previous_response_id");
    return row;
  });
  return [...rows, last].flatMap((row) => [row.input, JSON.stringify(replayable(outputOf(row.response)))]);
}

/** The items of lists in one list, as they stand. */
export function joinLists(lists: readonly string[]): string {
  const inner = lists.map((list) => list.trim().slice(1, -1).trim()).filter((items) => items !== "");
  return `[${inner.join(",")}]`;
}

export function outputOf(response: string): readonly Record<string, unknown>[] {
  const parsed = parseJsonText(response);
  const output = isObject(parsed) ? parsed["output"] : undefined;
  return Array.isArray(output) ? output.filter(isObject) : [];
}

/**
 * The items of an answer as its next request may carry them. Reasoning without its sealed form is only a name for something that nobody kept, and would be refused; then the ids of the
 * items beside it go too, for they say that it belongs to them.
 */
function replayable(output: readonly Record<string, unknown>[]): readonly Record<string, unknown>[] {
  const kept = output.filter((item) => item["type"] !== "reasoning" || typeof item["encrypted_content"] === "string");
  if (kept.length === output.length) return output;
  return kept.map((item) => (idIsOptional.has(item["type"]) ? withoutId(item) : item));
}
const idIsOptional: ReadonlySet<unknown> = new Set(["message", "function_call", "custom_tool_call"]);

function withoutId({ id: _id, ...item }: Record<string, unknown>): Record<string, unknown> {
  return item;
}

/** The input with every reference replaced by what it means; null: it has none. Errors: `not_found`. */
async function resolveReferences(request: ResponsesRequest, records: ResponseRecords, caller: Caller): Promise<string | null> {
  // Cheap to ask, and nearly always answered at once.
  if (!request.input.includes("item_reference") && !/\{\s*"id"\s*:\s*"[^"]*"\s*\}/.test(request.input)) return null;
  const items = parseJsonText(request.input);
  if (!Array.isArray(items)) return null;
  const references = new Map(
    items.map((item, at) => [at, referenceOf(item)] as const).filter(([, id]) => id !== null) as [number, string][],
  );
  if (references.size === 0) return null;
  const owners = await records.ownersOf([...new Set(references.values())], caller);
  const rows = await records.getAll([...new Set(owners.values())], caller);
  const known = new Map([...rows.values()].flatMap((row) => outputOf(row.response).map((item) => [item["id"], item] as const)));
  const whole = items.map((item: unknown, at) => {
    const id = references.get(at);
    if (id === undefined) return item;
    const found = known.get(id);
    if (found !== undefined) return found;
    throw new GatewayError("not_found", `There is no item "${id.slice(0, 100)}" in the responses that this key may see.`, {
      hint: "Send the item itself.",
      details: { param: `input[${at}]` },
    });
  });
  return JSON.stringify(
    whole.filter((item) => !isObject(item) || item["type"] !== "reasoning" || typeof item["encrypted_content"] === "string"),
  );
}
