import type { Caller } from "../../calls/index.js";
import type { StoredResponseRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { isObject, parseJsonText } from "../../util/json.js";
import { ENVELOPE_MARK } from "../opaque/index.js";
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
  /** Reasoning of another provider was left out. */
  readonly isCut: boolean;
}
export interface ChainOptions {
  readonly records: ResponseRecords;
  readonly caller: Caller;
  /** Who is going to make the response; null: it is not known yet. */
  readonly provider: string | null;
}

/**
 * Puts earlier responses, and items that are named by their id, in their place: what whoever makes the next response is told is whole, whichever vendor, key or region that is.
 * Errors: `not_found` for a response or item that the caller may not see, `conflict` for one that is still being made, `bad_request` for more than 500 turns.
 */
export async function expandChain(request: ResponsesRequest, o: ChainOptions): Promise<Chain> {
  const { records, caller } = o;
  const resolved = await resolveReferences(request, records, caller);
  const { previousId } = request;
  const own = resolved ?? request.input;
  if (previousId === undefined) return { ids: [], own, input: resolved, isCut: false };
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
  const rows = await rowsOfChain(previous, o);
  const turns = rows.map((row) => ({ input: row.input, output: replayable(row, o.provider) }));
  return {
    ids,
    own,
    input: joinLists([...turns.flatMap(({ input, output }) => [input, JSON.stringify(output.items)]), own]),
    isCut: turns.some(({ output }) => output.isCut),
  };
}

/** A response and all that it goes on from, the first one first. Errors: `not_found` when one of them is gone. */
export async function rowsOfChain(
  last: StoredResponseRow,
  { records, caller }: Pick<ChainOptions, "records" | "caller">,
): Promise<readonly StoredResponseRow[]> {
  const earlier = await records.getAll(last.chain, caller);
  const rows = last.chain.map((id) => {
    const row = earlier.get(id);
    if (row === undefined) throw noResponse(id, "previous_response_id");
    return row;
  });
  return [...rows, last];
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

interface Replayable {
  readonly items: readonly Record<string, unknown>[];
  readonly isCut: boolean;
}

/**
 * The items of an answer as its next request may carry them. Reasoning without its sealed form is only a name for something that nobody kept, and reasoning that another provider sealed is
 * of no use to this one: either would be refused. Without it the ids of the items beside it go too, for they say that it belongs to them. What is in an envelope of ours says itself where it may go.
 */
function replayable(row: StoredResponseRow, provider: string | null): Replayable {
  const output = outputOf(row.response);
  const isForeign = provider !== null && row.provider !== null && row.provider !== provider;
  let isCut = false;
  const kept = output.filter((item) => {
    if (item["type"] !== "reasoning") return true;
    const sealed = item["encrypted_content"];
    if (typeof sealed !== "string") return false;
    if (!isForeign || sealed.startsWith(ENVELOPE_MARK)) return true;
    isCut = true;
    return false;
  });
  if (kept.length === output.length) return { items: output, isCut };
  return { items: kept.map((item) => (idIsOptional.has(item["type"]) ? withoutId(item) : item)), isCut };
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
