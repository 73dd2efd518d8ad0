import type { Headers } from "../../calls/index.js";
import { KeyTable } from "../../util/json-scanner.js";
import { fromUtf8, isObject, parseJsonText, utf8 } from "../../util/json.js";
import { parseSse, sseFrameEnd } from "../../util/sse.js";
import type { StoredResponseRow } from "../../entities/index.js";
import { JsonFields } from "./json-fields.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

/** What a response says of itself when it is kept here, whoever made it. */
export interface Own {
  readonly id: string;
  readonly previousId: string | undefined;
  readonly background: boolean;
  /** False: it could not be kept after all. True when left out. */
  readonly isKept?: boolean | undefined;
}

/** A response as its caller gets it, and as it is kept. */
export interface OwnResponse {
  readonly bytes: Uint8Array;
  readonly status: StoredResponseRow["status"];
  readonly itemIds: readonly string[];
}

const responseTable = new KeyTable(["id", "store", "background", "previous_response_id"]);
const eventTable = new KeyTable(["type", "response", "sequence_number"]);
const statuses: ReadonlySet<string> = new Set(["queued", "in_progress", "completed", "failed", "incomplete", "cancelled"]);

/** A response with our id and what else says where it is kept; all other bytes as they came. Errors: `invalid_json`, `validation_failed` for what is no response. */
export function ownResponse(bytes: Uint8Array, own: Own): OwnResponse {
  const rewritten = new JsonFields(bytes, responseTable).with({
    id: JSON.stringify(own.id),
    store: String(own.isKept ?? true),
    background: String(own.background),
    previous_response_id: own.previousId === undefined ? "null" : JSON.stringify(own.previousId),
  });
  const parsed = parseJsonText(fromUtf8(rewritten)) as Record<string, unknown>;
  const output = Array.isArray(parsed["output"]) ? parsed["output"].filter(isObject) : [];
  const status = parsed["status"];
  return {
    bytes: rewritten,
    // A server that leaves the status out has answered all the same.
    status: typeof status === "string" && statuses.has(status) ? (status as OwnResponse["status"]) : "completed",
    itemIds: output.map((item) => item["id"]).filter((id) => typeof id === "string"),
  };
}

/** Which provider an answer says that it is from. */
export function providerOf(headers: Headers): string | null {
  return headers.find(([name]) => name === "x-sallyport-provider")?.[1] ?? null;
}

/** One frame of a stream of events. */
export interface OwnFrame {
  /** The frame as its caller gets it. */
  readonly bytes: Uint8Array;
  /** JSON of its event, on one line; null: it has none. */
  readonly data: string | null;
  readonly type: string;
  readonly sequence: number | null;
  /** The response that the event tells of, where it does. */
  readonly response: OwnResponse | null;
}

/** Whole frames that tell of no response pass unread. */
const telling = /"response\.(?:created|queued|in_progress|completed|failed|incomplete)"/;

export function tellsOfResponse(text: string): boolean {
  return telling.test(text);
}

/** The frames of a chunk, each with what it tells. Frames whose data is not the JSON of an event pass as they are. */
export function* ownFrames(chunk: Uint8Array, own: Own): Generator<OwnFrame> {
  for (let start = 0; start < chunk.length; ) {
    const end = sseFrameEnd(chunk, start);
    yield ownFrame(chunk.subarray(start, end), own);
    start = end;
  }
}

function ownFrame(bytes: Uint8Array, own: Own): OwnFrame {
  const [event] = parseSse(fromUtf8(bytes));
  const plain: OwnFrame = { bytes, data: null, type: "", sequence: null, response: null };
  if (event === undefined || event.data.startsWith("[DONE]")) return plain;
  try {
    const fields = new JsonFields(utf8(event.data), eventTable);
    const type = fields.text("type") ?? event.event;
    const sequence = fields.value("sequence_number");
    const told = { type, sequence: typeof sequence === "number" ? sequence : null };
    const raw = telling.test(`"${type}"`) ? fields.raw("response") : undefined;
    if (raw === undefined) return { ...plain, ...told, data: oneLine(event.data) };
    const response = ownResponse(raw, own);
    const data = oneLine(fromUtf8(fields.with({ response: fromUtf8(response.bytes) })));
    return { ...told, bytes: frameOf(type, data), data, response };
  } catch {
    return plain;
  }
}

export function frameOf(type: string, data: string): Uint8Array {
  return utf8(`event: ${type}\ndata: ${data}\n\n`);
}

/** Frames as one chunk. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : joinBytes(parts);
}

/** Line breaks of JSON that stand between its values. */
function oneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, " ") : json;
}
