import { toolDefinition, toolPin, type PinStatus, type ToolPinRow } from "../../entities/index.js";
import { insert, remove, update, type FindQuery, type Unit, type Write } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";

const SCOPE = { system: "definitions of MCP tools" };
const WITHIN_MS = 10_000;
const PAGE = 500;
const UNITS = 100;

/** A tool as its server shows it now. */
export interface SeenTool {
  readonly pinId: string;
  readonly tool: string;
  readonly digest: string;
  /** Canonical JSON. */
  readonly text: () => string;
}
/** What one look at a server's list showed that nobody knew before. */
export interface News {
  readonly pinId: string;
  readonly tool: string;
  readonly status: Extract<PinStatus, "new" | "changed">;
}

const approvedId = (pinId: string): string => `${pinId}_a`;
const seenId = (pinId: string): string => `${pinId}_s`;

/** The rows of pinned definitions. Every change of a row and of its definitions is one unit, made to the version that was read: of two processes that see a change the first writes it. */
export class PinRows {
  readonly #services: Pick<Services, "store" | "clock">;

  constructor(services: Pick<Services, "store" | "clock">) {
    this.#services = services;
  }

  /** Every row of the server, by id. Errors: those of the store. */
  async ofServer(server: string): Promise<ReadonlyMap<string, ToolPinRow>> {
    const rows = new Map<string, ToolPinRow>();
    let cursor: string | undefined;
    do {
      const page = await this.find({ where: { server }, orderBy: "id", limit: PAGE, cursor });
      for (const row of page.rows) rows.set(row.id, row);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rows;
  }

  find(query: FindQuery<ToolPinRow>): Promise<{ rows: ToolPinRow[]; next: string | null }> {
    return this.#services.store.find(toolPin, query, SCOPE, this.#within());
  }

  get(id: string): Promise<ToolPinRow | null> {
    return this.#services.store.get(toolPin, id, SCOPE, this.#within());
  }

  /** The approved definition and the other one, as canonical JSON; null: there is none. */
  async definitions(pinId: string): Promise<{ readonly approved: string | null; readonly seen: string | null }> {
    const { store } = this.#services;
    const [approved, seen] = await Promise.all([
      store.get(toolDefinition, approvedId(pinId), SCOPE, this.#within()),
      store.get(toolDefinition, seenId(pinId), SCOPE, this.#within()),
    ]);
    return { approved: approved?.definition ?? null, seen: seen?.definition ?? null };
  }

  /**
   * Notes what a server shows: what is seen with the server for the first time is trusted, all else that is not the approved definition waits. What was never approved and is gone is forgotten. Gives what is new.
   * Errors: those of the store.
   */
  async note(server: string, o: { readonly serverPin: string; readonly tools: readonly SeenTool[] }): Promise<readonly News[]> {
    const known = await this.ofServer(server);
    const isFirst = !known.has(o.serverPin);
    const nowMs = this.#services.clock.now();
    const news: News[] = [];
    const units: Write[][] = [];
    for (const seen of o.tools) {
      const row = known.get(seen.pinId);
      const writes = row === undefined ? begun(server, seen, isFirst ? null : nowMs) : moved(row, seen, nowMs);
      if (writes.length === 0) continue;
      units.push(writes);
      if (row === undefined ? !isFirst : row.digest !== seen.digest)
        news.push({ pinId: seen.pinId, tool: seen.tool, status: (row?.digest ?? null) === null ? "new" : "changed" });
    }
    const shown = new Set(o.tools.map(({ pinId }) => pinId));
    for (const row of known.values()) if (row.tool !== "" && row.digest === null && !shown.has(row.id)) units.push(forgotten(row));
    await this.#commit(units);
    // Last: a process that dies before leaves the server as one that was never seen.
    if (isFirst) await this.#commit([[insert(toolPin, pinRow(server, { pinId: o.serverPin, tool: "" }, {}), "skip")]]);
    return news;
  }

  /** False: the row is not what it was, or another definition was seen meanwhile. Errors: those of the store. */
  async approve(row: ToolPinRow, by: string): Promise<boolean> {
    const { seen } = await this.definitions(row.id);
    if (row.seenDigest === null || seen === null) return false;
    const set = { status: "approved" as const, digest: row.seenDigest, seenDigest: null, seenAtMs: null, ...this.#decided(by) };
    const definition = { set: { definition: seen } };
    return this.#apply([
      update(toolPin, row.id, { change: { set }, ifVersion: row.version }),
      row.digest === null
        ? insert(toolDefinition, { id: approvedId(row.id), pinId: row.id, definition: seen })
        : update(toolDefinition, approvedId(row.id), { change: definition }),
      remove(toolDefinition, seenId(row.id)),
    ]);
  }

  /** False: as of `approve`. */
  reject(row: ToolPinRow, by: string): Promise<boolean> {
    const set = { status: "rejected" as const, ...this.#decided(by) };
    return this.#apply([update(toolPin, row.id, { change: { set }, ifVersion: row.version })]);
  }

  #decided(by: string) {
    return { decidedBy: by.slice(0, 100), decidedAtMs: this.#services.clock.now() };
  }

  async #apply(writes: readonly Write[]): Promise<boolean> {
    const [result] = await this.#services.store.commit([{ scope: SCOPE, writes }], this.#within());
    return result?.ok === true;
  }

  /** What another process wrote first stays as that wrote it. */
  async #commit(units: readonly (readonly Write[])[]): Promise<void> {
    for (let from = 0; from < units.length; from += UNITS) {
      const some: Unit[] = units.slice(from, from + UNITS).map((writes) => ({ scope: SCOPE, writes }));
      await this.#services.store.commit(some, this.#within());
    }
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function pinRow(server: string, { pinId, tool }: Pick<SeenTool, "pinId" | "tool">, more: Partial<ToolPinRow>) {
  const nothing = { digest: null, seenDigest: null, seenAtMs: null, decidedBy: null, decidedAtMs: null };
  return { id: pinId, server, tool, status: "approved" as const, ...nothing, ...more };
}

/** `seenAtMs` null: it is trusted. */
function begun(server: string, seen: SeenTool, seenAtMs: number | null): Write[] {
  const { pinId, digest } = seen;
  const trusted = seenAtMs === null;
  const more = trusted ? { digest } : { status: "new" as const, seenDigest: digest, seenAtMs };
  const id = trusted ? approvedId(pinId) : seenId(pinId);
  return [insert(toolPin, pinRow(server, seen, more)), insert(toolDefinition, { id, pinId, definition: seen.text() })];
}

function moved(row: ToolPinRow, seen: SeenTool, nowMs: number): Write[] {
  if (row.digest === seen.digest) {
    if (row.seenDigest === null) return [];
    // It is again what was approved: what waited is of no matter any more.
    const set = { status: "approved" as const, seenDigest: null, seenAtMs: null };
    return [update(toolPin, row.id, { change: { set }, ifVersion: row.version }), remove(toolDefinition, seenId(row.id))];
  }
  if (row.seenDigest === seen.digest) return [];
  const set = { status: row.digest === null ? ("new" as const) : ("changed" as const), seenDigest: seen.digest, seenAtMs: nowMs };
  const id = seenId(row.id);
  return [
    update(toolPin, row.id, { change: { set }, ifVersion: row.version }),
    row.seenDigest === null
      ? insert(toolDefinition, { id, pinId: row.id, definition: seen.text() })
      : update(toolDefinition, id, { change: { set: { definition: seen.text() } } }),
  ];
}

function forgotten(row: ToolPinRow): Write[] {
  return [remove(toolDefinition, seenId(row.id)), remove(toolPin, row.id, { ifVersion: row.version })];
}
