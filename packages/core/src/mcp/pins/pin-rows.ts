import { inboxItem, toolDefinition, toolPin, type PinStatus, type ToolPinRow } from "../../entities/index.js";
import { insert, remove, update, type FindQuery, type Unit, type Write } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { cutText } from "../../util/well-formed.js";
import { changeItem } from "./change-item.js";
import type { SeenTool } from "./definition.js";

const SCOPE = { system: "definitions of MCP tools" };
const WITHIN_MS = 10_000;
const PAGE = 500;
const UNITS = 100;

/** What one look at a server's list showed that nobody knew before. */
export interface News {
  readonly pinId: string;
  readonly tool: string;
  readonly status: Extract<PinStatus, "new" | "changed">;
}

const approvedId = (pinId: string): string => `${pinId}_a`;
const seenId = (pinId: string): string => `${pinId}_s`;

/** Who decided, and what they said. */
export interface Decided {
  readonly id: string;
  readonly name: string;
  readonly note?: string | undefined;
}

/** The rows of pinned definitions, and the items of the inbox that ask for them. Every change of a row, its definitions and its item is one unit, made to the version that was read: of two processes that see a change the first writes it. */
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
   * Notes what a server shows: what is seen with the server for the first time is trusted, all else that is not the approved definition waits. What was never approved and is gone is forgotten, and what waits beside what was approved, unless they are what one user is shown of more (`isPartial`). Gives what is new.
   * Errors: those of the store.
   */
  async note(
    server: string,
    o: { readonly serverPin: string; readonly tools: readonly SeenTool[]; readonly isPartial: boolean },
  ): Promise<readonly News[]> {
    const known = await this.ofServer(server);
    const isFirst = !known.has(o.serverPin);
    const nowMs = this.#services.clock.now();
    const news: News[] = [];
    const units: Write[][] = [];
    const approved = await this.#approvedOf(o.tools.map(({ pinId, digest }) => ({ row: known.get(pinId), digest })));
    for (const seen of o.tools) {
      const row = known.get(seen.pinId);
      const item = () => changeItem({ server, seen, approved: approved.get(seen.pinId) ?? null });
      const writes =
        row === undefined
          ? begun({ server, seen, seenAtMs: isFirst ? null : nowMs, item })
          : moved(row, { seen, nowMs, item, isPartial: o.isPartial });
      if (writes.length === 0) continue;
      units.push(writes);
      const isNews = row === undefined ? !isFirst : row.digest !== seen.digest && row.seenDigest !== seen.digest;
      if (isNews) news.push({ pinId: seen.pinId, tool: seen.tool, status: (row?.digest ?? null) === null ? "new" : "changed" });
    }
    const shown = new Set(o.tools.map(({ pinId }) => pinId));
    for (const row of o.isPartial ? [] : known.values())
      if (row.tool !== "" && row.digest === null && !shown.has(row.id)) units.push(forgotten(row));
    await this.#commit(units);
    // Last: a process that dies before leaves the server as one that was never seen.
    if (isFirst) await this.#commit([[insert(toolPin, pinRow(server, { pinId: o.serverPin, tool: "" }, {}), "skip")]]);
    return news;
  }

  /** False: the row is not what it was, or another definition was seen meanwhile. Errors: those of the store. */
  async approve(row: ToolPinRow, by: Decided): Promise<boolean> {
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
      ...this.#answered(row, "approved", by),
    ]);
  }

  /** False: as of `approve`. */
  reject(row: ToolPinRow, by: Decided): Promise<boolean> {
    const set = { status: "rejected" as const, ...this.#decided(by) };
    return this.#apply([update(toolPin, row.id, { change: { set }, ifVersion: row.version }), ...this.#answered(row, "denied", by)]);
  }

  #decided({ name }: Decided) {
    return { itemId: null, decidedBy: cutText(name, 100), decidedAtMs: this.#services.clock.now() };
  }

  #answered({ itemId }: ToolPinRow, status: "approved" | "denied", { id, note }: Decided): Write[] {
    if (itemId === null) return [];
    const decision = {
      decidedBy: cutText(id, 100),
      decidedAtMs: this.#services.clock.now(),
      note: note === undefined ? null : cutText(note, 1_000),
    };
    return [update(inboxItem, itemId, { change: { set: { status, ...decision } }, where: { status: "pending" } })];
  }

  /** The approved definitions of the tools that show another one, by pin. */
  async #approvedOf(
    tools: readonly { readonly row: ToolPinRow | undefined; readonly digest: string }[],
  ): Promise<ReadonlyMap<string, string>> {
    const changed = tools.flatMap(({ row, digest }) => (row === undefined || row.digest === null || row.digest === digest ? [] : [row.id]));
    const found = new Map<string, string>();
    for (let from = 0; from < changed.length; from += PAGE) {
      const ids = changed.slice(from, from + PAGE).map(approvedId);
      const query = { where: { id: { in: ids } }, orderBy: "id" as const, limit: PAGE };
      const { rows } = await this.#services.store.find(toolDefinition, query, SCOPE, this.#within());
      for (const { pinId, definition } of rows) found.set(pinId, definition);
    }
    return found;
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

type Draft = () => ReturnType<typeof changeItem>;

function pinRow(server: string, { pinId, tool }: Pick<SeenTool, "pinId" | "tool">, more: Partial<ToolPinRow>) {
  const nothing = { digest: null, seenDigest: null, seenAtMs: null, itemId: null, decidedBy: null, decidedAtMs: null };
  return { id: pinId, server, tool, status: "approved" as const, ...nothing, ...more };
}

/** `seenAtMs` null: it is trusted. */
function begun(o: { readonly server: string; readonly seen: SeenTool; readonly seenAtMs: number | null; readonly item: Draft }): Write[] {
  const { server, seen, seenAtMs } = o;
  const { pinId, digest } = seen;
  if (seenAtMs === null)
    return [
      insert(toolPin, pinRow(server, seen, { digest })),
      insert(toolDefinition, { id: approvedId(pinId), pinId, definition: seen.text() }),
    ];
  const item = o.item();
  return [
    insert(toolPin, pinRow(server, seen, { status: "new", seenDigest: digest, seenAtMs, itemId: item.id })),
    insert(toolDefinition, { id: seenId(pinId), pinId, definition: seen.text() }),
    insert(inboxItem, item),
  ];
}

function moved(
  row: ToolPinRow,
  o: { readonly seen: SeenTool; readonly nowMs: number; readonly item: Draft; readonly isPartial: boolean },
): Write[] {
  const { seen, nowMs, isPartial } = o;
  if (row.digest === seen.digest) {
    // Another user may be shown what waits still, or what was rejected.
    if (row.seenDigest === null || isPartial) return [];
    // It is again what was approved: what waited is of no matter any more.
    const set = { status: "approved" as const, seenDigest: null, seenAtMs: null, itemId: null };
    return [
      update(toolPin, row.id, { change: { set }, ifVersion: row.version }),
      remove(toolDefinition, seenId(row.id)),
      ...takenBack(row),
    ];
  }
  if (row.seenDigest === seen.digest) {
    if (row.itemId !== null || row.status === "rejected") return [];
    // The pin came from another store, without what asks for it.
    const item = o.item();
    return [update(toolPin, row.id, { change: { set: { itemId: item.id } }, ifVersion: row.version }), insert(inboxItem, item)];
  }
  const item = o.item();
  const status = row.digest === null ? ("new" as const) : ("changed" as const);
  const set = { status, seenDigest: seen.digest, seenAtMs: nowMs, itemId: item.id };
  const id = seenId(row.id);
  return [
    update(toolPin, row.id, { change: { set }, ifVersion: row.version }),
    row.seenDigest === null
      ? insert(toolDefinition, { id, pinId: row.id, definition: seen.text() })
      : update(toolDefinition, id, { change: { set: { definition: seen.text() } } }),
    ...takenBack(row),
    insert(inboxItem, item),
  ];
}

function forgotten(row: ToolPinRow): Write[] {
  return [remove(toolDefinition, seenId(row.id)), ...takenBack(row), remove(toolPin, row.id, { ifVersion: row.version })];
}

/** Nobody has to decide on it any more: no server fills the inbox by changing its mind. */
function takenBack({ itemId }: ToolPinRow): Write[] {
  return itemId === null ? [] : [remove(inboxItem, itemId)];
}
