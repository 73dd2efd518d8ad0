import type { SessionRow } from "../../entities/index.js";
import { CONTEXT_BYTES, isLight, readAfter, readNewest, sizeOf } from "../read-pages.js";
import type { HotTails } from "./hot-tails.js";
import type { SessionRecords, StoredMessage } from "../session-records.js";
import { tokensOf, type Placed, type WindowRules } from "./window.js";

const PAGE = 100;
/** Read beyond what the window takes, so that it finds where its first turn begins. */
const MARGIN = 50;

/**
 * The newest messages up to a sequence number, as many as a window of these rules can need and seldom more; never the whole of a long session. What the cache has is not read from the store.
 */
export async function readTail(
  from: { readonly records: SessionRecords; readonly tails: HotTails },
  o: { readonly row: Pick<SessionRow, "id" | "projectId" | "bytes">; readonly upToSeq: number; readonly rules: WindowRules },
): Promise<Placed[]> {
  const { records, tails } = from;
  const { row, upToSeq, rules } = o;
  const { id } = row;
  const kept = upToSeq === 0 ? [] : await tails.get(id);
  let tail = kept.filter(({ seq }) => seq <= upToSeq);
  let isNews = false;
  for (let newest = tail.at(-1)?.seq; newest !== undefined && newest < upToSeq; newest = tail.at(-1)?.seq) {
    // So much was said since that it is read from the end, as if nothing were kept.
    const more = upToSeq - newest > PAGE ? [] : placed(await readAfter(records, row, { after: newest, upTo: upToSeq, limit: PAGE }));
    tail = more.length < upToSeq - newest ? [] : [...tail, ...more];
    isNews = true;
  }
  const bytesOf = isLight(row) ? () => 0 : sizeOf;
  let tokens = tail.reduce((sum, { message }) => sum + tokensOf(message), 0);
  let bytes = tail.reduce((sum, one) => sum + bytesOf(one), 0);
  for (
    let first = tail[0]?.seq ?? upToSeq + 1;
    first > 1 && tail.length < rules.messages + MARGIN && tokens <= rules.tokens && bytes <= CONTEXT_BYTES;
    first = tail[0]?.seq ?? 1
  ) {
    const more = placed(await readNewest(records, row, { upTo: first - 1, limit: PAGE }));
    if (more.length === 0) break;
    for (const one of more) {
      tokens += tokensOf(one.message);
      bytes += bytesOf(one);
    }
    tail = [...more, ...tail];
    isNews = true;
  }
  if (tail.length > rules.messages + MARGIN) tail = tail.slice(-(rules.messages + MARGIN));
  if (isNews && (kept.at(-1)?.seq ?? 0) <= upToSeq) {
    await tails.set(id, tail);
    // Whoever deleted it meanwhile may have emptied the cache before this was in it.
    if (!(await records.stands(row))) await tails.forget(id);
  }
  return tail;
}

function placed(messages: readonly StoredMessage[]): Placed[] {
  return messages.map(({ seq, message }) => ({ seq, message }));
}
