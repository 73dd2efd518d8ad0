import type { Caller } from "../calls/index.js";
import { message, session, type SessionRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { append, insert, nowPlus, update, type Where, type Write } from "../ports/index.js";
import { newId } from "../util/ids.js";
import { isLight, readAfter } from "./read-pages.js";
import { noSuchSession, seenBy } from "./session-access.js";
import type { SessionEraser } from "./session-eraser.js";
import { invalid } from "./session-input.js";
import { entryOf, type SessionRecords, type StoredMessage } from "./session-records.js";

export interface BranchOptions {
  /** The last message that both have; the newest when left out. */
  readonly atSeq?: number | undefined;
  /** The parent's when left out. */
  readonly title?: string | undefined;
}

/** Messages that one unit copies at the most. */
const PIECE = 500;
/** A branch whose process died while it copied is taken away after this. */
const COPY_MS = 600_000;
const encoder = new TextEncoder();

/**
 * A new session that begins with the messages of another, up to one of them. It has copies of its own: what becomes of its parent is nothing to it. A long one is copied piece by piece and is there, to anybody
 * but the sweeper, when all of it is. Errors: `not_found`, also when the parent goes meanwhile; `validation_failed` for a message that is not there.
 */
export async function branchSession(
  row: SessionRow,
  o: BranchOptions & { readonly records: SessionRecords; readonly eraser: SessionEraser; readonly caller: Caller },
): Promise<string> {
  const { records, eraser, caller } = o;
  const atSeq = o.atSeq ?? row.lastSeq;
  if (!Number.isSafeInteger(atSeq) || atSeq < 0 || atSeq > row.lastSeq)
    throw invalid("atSeq", `a sequence number from 0 to ${row.lastSeq} is expected.`);
  const isShort = atSeq <= PIECE && isLight(row);
  const fresh = branched(row, { atSeq, title: o.title ?? row.title, records, isShort });
  const scope = { projects: [row.projectId] };
  // Refused when the parent is gone: then there is nothing to copy.
  const stands = update(session, row.id, { change: {}, where: seenBy(caller) });
  const first = isShort ? await copied(records, { from: row, to: fresh.id, after: 0, upTo: atSeq }) : null;
  if (first !== null && first.lastSeq !== atSeq) throw noSuchSession(row.id);
  const begun = await records.commit({ scope, writes: [stands, insert(session, fresh), ...(first?.writes ?? [])] });
  if (!begun.ok) throw noSuchSession(row.id);
  if (isShort) return fresh.id;
  try {
    await copyAll(row, { to: fresh.id, atSeq, records });
  } catch (error) {
    const half = await records.services.store.get(session, fresh.id, scope, records.within()).catch(() => null);
    if (half !== null) await eraser.erase(half, { where: { status: "copying" } }).catch(() => false); // else the sweeper does
    throw error;
  }
  return fresh.id;
}

async function copyAll(
  row: SessionRow,
  o: { readonly to: string; readonly atSeq: number; readonly records: SessionRecords },
): Promise<void> {
  const { records, to, atSeq } = o;
  const scope = { projects: [row.projectId] };
  const held: Where<SessionRow> = { status: "copying" };
  for (let after = 0; after < atSeq; ) {
    const piece = await copied(records, { from: row, to, after, upTo: atSeq, where: held });
    const done = await records.commit({ scope, writes: piece.writes });
    if (!done.ok) throw new GatewayError("conflict", "The branch was taken away while it was copied.", { hint: "Branch again." });
    after = piece.lastSeq;
  }
  const change = { set: { status: "active", expiresAtMs: nowPlus(records.ttlMs) } } as const;
  const finished = await records.commit({ scope, writes: [update(session, to, { change, where: held })] });
  if (!finished.ok) throw new GatewayError("conflict", "The branch was taken away while it was copied.", { hint: "Branch again." });
}

/** The writes of one piece, as large as may be read at once, and the last message of it. Errors: `not_found` when the parent has lost it. */
async function copied(
  records: SessionRecords,
  o: { readonly from: SessionRow; readonly to: string; readonly after: number; readonly upTo: number; readonly where?: Where<SessionRow> },
): Promise<{ readonly writes: readonly Write[]; readonly lastSeq: number }> {
  const { from, to, after, upTo, where } = o;
  if (upTo === after) return { writes: [], lastSeq: upTo };
  const { projectId } = from;
  const found = await readAfter(records, from, { after, upTo, limit: PIECE });
  const lastSeq = found.at(-1)?.seq ?? after;
  if (found.length === 0 || lastSeq !== after + found.length) throw noSuchSession(from.id);
  const entries = found.map((one) => ({ ...entryOf(one.message, one), projectId }));
  const bytes = found.reduce((sum, one) => sum + sizeOf(one), 0);
  const add = { messageCount: found.length, bytes, lastSeq: found.length };
  // While it is copied it is not given up, however long that takes.
  const change = where === undefined ? { add } : { add, set: { expiresAtMs: nowPlus(COPY_MS) } };
  return {
    lastSeq,
    writes: [
      update(session, to, { change, ...(where === undefined ? {} : { where }) }),
      append(message, to, { entries: entries.map(asEntry), ifLast: after }),
    ],
  };
}

function asEntry({ projectId, message: said, author, model, usage, runId }: ReturnType<typeof entryOf> & { readonly projectId: string }) {
  return { projectId, message: said, author, model, usage, runId };
}
function sizeOf({ message: said }: StoredMessage): number {
  return encoder.encode(JSON.stringify(said)).byteLength;
}

function branched(
  row: SessionRow,
  o: { readonly atSeq: number; readonly title: string | null; readonly records: SessionRecords; readonly isShort: boolean },
) {
  const { version: _v, createdAtMs: _c, updatedAtMs: _u, ...kept } = row;
  const hasSummary = row.summarySeq > 0 && row.summarySeq <= o.atSeq;
  const nowMs = o.records.services.clock.now();
  return {
    ...kept,
    id: newId("session"),
    title: o.title,
    status: o.isShort ? ("active" as const) : ("copying" as const),
    ...{ messageCount: 0, bytes: 0, lastSeq: 0, lastMessageAtMs: o.atSeq === 0 ? null : row.lastMessageAtMs },
    ...{ parentId: row.id, branchSeq: o.atSeq, pinned: row.pinned.filter((seq) => seq <= o.atSeq) },
    ...{ summary: hasSummary ? row.summary : null, summarySeq: hasSummary ? row.summarySeq : 0, summaryUntilMs: 0, turnId: null },
    lastAccessedAtMs: nowMs,
    expiresAtMs: nowPlus(o.isShort ? o.records.ttlMs : COPY_MS),
  };
}
