import type { SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { SessionRecords, StoredMessage } from "./session-records.js";

/** What is read at once has about so much at the most, but always a message: each may have 16 MB. */
const PAGE_BYTES = 8_388_608;
/** What a turn is given of a session is no longer than about this, whatever its window allows: pictures count as few tokens and are many bytes. No vendor takes more. */
export const CONTEXT_BYTES = 33_554_432;

type Heavy = Pick<SessionRow, "id" | "projectId" | "bytes">;

/** Whether all of the session fits into one page, whatever its messages are: then nothing has to be measured. */
export function isLight({ bytes }: Pick<SessionRow, "bytes">): boolean {
  return bytes <= PAGE_BYTES;
}

/** Messages after a sequence number, oldest first: `limit` of them, or fewer where they are large. */
export function readAfter(
  records: SessionRecords,
  row: Heavy,
  o: { readonly after: number; readonly limit: number; readonly upTo?: number },
): Promise<StoredMessage[]> {
  return records.read(row.id, { afterSeq: o.after, upToSeq: o.upTo, limit: o.limit, maxBytes: boundOf(row) }, row.projectId);
}

/** The newest messages, or the newest up to a sequence number, oldest first: `limit` of them, or fewer where they are large. */
export function readNewest(
  records: SessionRecords,
  row: Heavy,
  o: { readonly limit: number; readonly upTo?: number },
): Promise<StoredMessage[]> {
  return records.read(row.id, { afterSeq: 0, upToSeq: o.upTo, limit: o.limit, last: true, maxBytes: boundOf(row) }, row.projectId);
}

/** Single messages, by their sequence numbers; those that are not there are left out. Errors: `payload_too_large` when they are longer together than a context may be. */
export async function readSingle(records: SessionRecords, row: Heavy, seqs: readonly number[]): Promise<StoredMessage[]> {
  const one = (seq: number): Promise<StoredMessage[]> => records.read(row.id, { afterSeq: seq - 1, upToSeq: seq, limit: 1 }, row.projectId);
  if (isLight(row)) return (await Promise.all(seqs.map(one))).flat();
  const found: StoredMessage[] = [];
  let bytes = 0;
  for (const seq of seqs) {
    for (const message of await one(seq)) {
      bytes += sizeOf(message);
      found.push(message);
    }
    if (bytes > CONTEXT_BYTES)
      throw new GatewayError("payload_too_large", `The session's pinned messages are longer together than ${CONTEXT_BYTES} bytes.`, {
        hint: "Pin fewer, or shorter ones: PATCH the session's pinned.",
        details: { session: row.id },
      });
  }
  return found;
}

/** About, as JSON. */
export function sizeOf({ message }: Pick<StoredMessage, "message">): number {
  return JSON.stringify(message).length;
}

function boundOf(row: Heavy): number | undefined {
  return isLight(row) ? undefined : PAGE_BYTES;
}
