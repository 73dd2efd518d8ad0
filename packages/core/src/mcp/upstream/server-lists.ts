import { GatewayError } from "../../errors/index.js";
import { valueMember, type RpcMessage } from "../frames/message.js";
import { LISTS, readPage, type ListEntry, type ListKind, type ListPage, type ListSpec } from "./list-entries.js";
import { ownRequest, type Connection } from "../lanes/own-request.js";

const MAX_PAGES = 500;
const MAX_ENTRIES = 20_000;
const MAX_LIST_BYTES = 64 * 1024 * 1024;

export type Entries = ReadonlyMap<string, ListEntry>;
export type Lists = Readonly<Record<ListKind, Entries>>;
export const LIST_KINDS = Object.keys(LISTS) as readonly ListKind[];
export const NO_LISTS: Lists = { tools: new Map(), resources: new Map(), resourceTemplates: new Map(), prompts: new Map() };

/** Which lists the server says it has. */
export function listsOf(connection: Connection): readonly ListKind[] {
  return LIST_KINDS.filter((kind) => connection.capabilities[LISTS[kind].capability] !== undefined);
}

/**
 * Reads a whole list, page by page, in the server's order; of entries with one name the first counts. Bounded in pages, entries and bytes; a cursor that comes again
 * ends it. Errors: those of a lane, `upstream_protocol`.
 */
export async function readList(
  connection: Connection,
  kind: ListKind,
  o: {
    readonly deadlineMs: number;
    readonly signal?: AbortSignal;
    readonly onRejected: (why: string) => void;
    /** What each page says of being kept; called once a page. */
    readonly onHints?: (hints: Pick<ListPage, "ttlMs" | "isPublic">) => void;
  },
): Promise<Entries> {
  const list = LISTS[kind];
  const entries = new Map<string, ListEntry>();
  const seen = new Set<string>();
  let bytes = 0;
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const read = readPage(await fetchPage(connection, list, { ...o, cursor }), list);
    for (const why of read.rejected) o.onRejected(why);
    o.onHints?.(read);
    for (const entry of read.entries) {
      bytes += entry.raw.length;
      if (entries.size >= MAX_ENTRIES || bytes > MAX_LIST_BYTES)
        return (o.onRejected(`everything past ${MAX_ENTRIES} entries or ${MAX_LIST_BYTES} bytes`), entries);
      if (!entries.has(entry.name)) entries.set(entry.name, entry);
      else o.onRejected(`${entry.name}: there is one of this name already`);
    }
    cursor = read.nextCursor;
    if (cursor === null) return entries;
    if (seen.has(cursor)) return (o.onRejected("the rest: its cursors go round in a circle"), entries);
    seen.add(cursor);
  }
  o.onRejected(`everything past ${MAX_PAGES} pages`);
  return entries;
}

/** Byte by byte, in the same order. */
export function sameEntries(before: Entries, after: Entries): boolean {
  if (before.size !== after.size) return false;
  const others = after.values();
  for (const entry of before.values()) {
    const other = others.next().value;
    if (other === undefined || other.raw.length !== entry.raw.length || !entry.raw.every((byte, i) => byte === other.raw[i])) return false;
  }
  return true;
}

async function fetchPage(
  connection: Connection,
  list: ListSpec,
  o: { readonly deadlineMs: number; readonly signal?: AbortSignal; readonly cursor: string | null },
): Promise<Uint8Array> {
  const params = o.cursor === null ? {} : { params: `"cursor":${JSON.stringify(o.cursor)}` };
  const reply = await connection.lane.exchange(ownRequest(connection, { method: list.method, mayBeDeep: true, ...params }), {
    ...o,
    owner: null,
  });
  if (reply.error !== null) throw refused(reply, list.method);
  return reply.bytes;
}

/** A JSON-RPC error of the server as one of ours. Its text is the server's and is not repeated. */
export function refused(reply: RpcMessage, method: string): GatewayError {
  const code = valueMember(reply.bytes, reply.error, "code");
  return new GatewayError(
    "upstream_rejected",
    `The server refused ${method}${typeof code === "number" ? ` with the JSON-RPC error ${code}` : ""}.`,
    {
      details: { method, ...(typeof code === "number" ? { rpcCode: code } : {}) },
    },
  );
}
