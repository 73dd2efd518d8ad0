import { mayDo } from "../../access/grants.js";
import type { Caller } from "../../calls/index.js";
import { toolResult, toolResultPart, type ToolResultRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, nowPlus, remove, update, type Unit, type UnitResult, type Where } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { newId } from "../../util/ids.js";

const SCOPE = { system: "results of tools that were too large to hand over" };
const WITHIN_MS = 30_000;
/** Of a row. */
const PART_CHARACTERS = 262_144;
/** Of one caller: an older one gives way. */
const MOST_OF_ONE = 100;
const PAGE = 200;
const SWEEP_EVERY_MS = 600_000;
const MAX_CALLER = 100;

export interface KeepOptions {
  readonly caller: Caller;
  /** In full. */
  readonly tool: string;
  /** What it is the result of, where it may come again. */
  readonly sameAs?: string | undefined;
  readonly keepMs: number;
}

/** Results kept whole, each for the caller that it was for alone, until it expires. */
export class KeptResults {
  readonly #services: Pick<Services, "store" | "clock" | "log" | "crypto">;
  #cancelSweep: (() => void) | null = null;
  #closed = false;

  constructor(services: Pick<Services, "store" | "clock" | "log" | "crypto">) {
    this.#services = services;
  }

  /** Begins to remove what expired, whoever kept it. */
  start(): void {
    this.#sweepLater();
  }

  /** Keeps the text and gives the id that it is read by; null: it could not be kept. The same text of the same `sameAs` is kept once, for longer. */
  async keep(text: string, o: KeepOptions): Promise<string | null> {
    const callerId = ownerOf(o.caller);
    if (callerId === null) return null;
    const id = o.sameAs === undefined ? newId("res") : this.#idOf([callerId, o.tool, o.sameAs, text]);
    const parts = piecesOf(text);
    const bytes = new TextEncoder().encode(text).length;
    const row = { id, callerId, tool: o.tool, bytes, parts: parts.length, expiresAtMs: nowPlus(o.keepMs) };
    const writes = [
      insert(toolResult, row, "skip"),
      ...parts.map((part, at) => insert(toolResultPart, { id: partId(id, at), resultId: id, text: part }, "skip")),
    ];
    const longer = update(toolResult, id, { change: { set: { expiresAtMs: nowPlus(o.keepMs) } } });
    try {
      const done = await this.#commit([{ scope: SCOPE, writes }, ...(o.sameAs === undefined ? [] : [{ scope: SCOPE, writes: [longer] }])]);
      if (done.some(({ ok }) => !ok)) throw new GatewayError("conflict", "It was removed at the same time.");
      await this.#makeRoom(callerId);
    } catch (error) {
      this.#services.log.warn("a result that is too large could not be kept; it is handed over whole", {
        tool: o.tool,
        code: GatewayError.from(error).code,
      });
      return null;
    }
    return id;
  }

  /** The text; null: there is none of this id for this caller, or no longer, or the caller may not call the tool any more. Errors: those of the store. */
  async read(id: string, caller: Caller): Promise<string | null> {
    const { store } = this.#services;
    const query = { where: { id, expiresAtMs: { gt: now } }, orderBy: "id", limit: 1 } as const;
    const [row] = (await store.find(toolResult, query, SCOPE, this.#within())).rows;
    if (row === undefined || row.callerId !== ownerOf(caller) || !mayDo(caller, "mcp", row.tool)) return null;
    const parts: string[] = [];
    for (let at = 0; at < row.parts; at++) {
      const part = await store.get(toolResultPart, partId(id, at), SCOPE, this.#within());
      if (part === null) return null;
      parts.push(part.text);
    }
    return parts.join("");
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep?.();
  }

  /** Removes what expired; every process does it. Errors: those of the store. */
  async sweep(): Promise<void> {
    const where = { expiresAtMs: { lte: now } };
    for (;;) {
      const query = { where, orderBy: "expiresAtMs", limit: PAGE } as const;
      const { rows } = await this.#services.store.find(toolResult, query, SCOPE, this.#within());
      await this.#remove(rows, where);
      if (rows.length < PAGE) return;
    }
  }

  #idOf(said: readonly string[]): string {
    return `res_${toHex(this.#services.crypto.sha256(new TextEncoder().encode(JSON.stringify(said)))).slice(0, 40)}`;
  }

  #sweepLater(): void {
    if (this.#closed) return;
    const { clock, log } = this.#services;
    this.#cancelSweep?.();
    this.#cancelSweep = clock.at(clock.now() + SWEEP_EVERY_MS, () => {
      this.sweep().catch((error: unknown) => log.debug("kept results were not swept", { code: GatewayError.from(error).code }));
      this.#sweepLater();
    });
  }

  async #makeRoom(callerId: string): Promise<void> {
    const query = { where: { callerId }, orderBy: "createdAtMs", desc: true, limit: MOST_OF_ONE + PAGE } as const;
    const { rows } = await this.#services.store.find(toolResult, query, SCOPE, this.#within());
    await this.#remove(rows.slice(MOST_OF_ONE));
  }

  /** `where`: only of which this holds still, since one may be kept for longer meanwhile. */
  async #remove(rows: readonly ToolResultRow[], where?: Where<ToolResultRow>): Promise<void> {
    const units = rows.map(({ id, parts }) => {
      const pieces = Array.from({ length: parts }, (_part, at) => remove(toolResultPart, partId(id, at)));
      return { scope: SCOPE, writes: [...pieces, remove(toolResult, id, where === undefined ? {} : { where })] };
    });
    if (units.length > 0) await this.#commit(units);
  }

  #commit(units: readonly Unit[]): Promise<readonly UnitResult[]> {
    return this.#services.store.commit(units, this.#within());
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

/** null: nothing is kept for it, since a row could not tell it from another. */
function ownerOf({ id }: Caller): string | null {
  return id.length <= MAX_CALLER ? id : null;
}

function partId(id: string, at: number): string {
  return `${id}_${at}`;
}

/** Never between the halves of a character. */
function piecesOf(text: string): readonly string[] {
  const pieces: string[] = [];
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + PART_CHARACTERS);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to--;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
