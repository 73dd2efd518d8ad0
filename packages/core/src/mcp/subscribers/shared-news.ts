import { mcpNews, type McpNewsRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, now, nowPlus, remove, update } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";

export type News = Pick<McpNewsRow, "server" | "what" | "uri" | "principal">;

/** News of one kind are written at most so often. */
const QUIET_MS = 200;
const KEPT_MS = 3_600_000;
const WITHIN_MS = 5_000;
const PAGE = 500;
const MOST_PAGES = 200;
const SCOPE = { system: "what MCP servers said" };
const encoder = new TextEncoder();

/** What this process tells the others of its MCP servers, and what it reads of theirs. */
export class SharedNews {
  readonly #services: Services;
  readonly #onWritten: () => void;
  /** What of each row was read or written here. A row that was removed and made anew begins with version 1 again; `movedAtMs` is null for what was written here and not read. */
  readonly #known = new Map<string, { readonly version: number; readonly movedAtMs: number | null }>();
  /** Written just now, and whether more came since. */
  readonly #quiet = new Map<string, { more: boolean; readonly cancel: () => void }>();
  #isBased = false;

  constructor(services: Services, onWritten: () => void) {
    this.#services = services;
    this.#onWritten = onWritten;
  }

  /** Never waits and never throws: what could not be written is logged. */
  tell(news: News): void {
    const { clock, crypto } = this.#services;
    const id = toHex(crypto.sha256(encoder.encode(`${news.server}\n${news.what}\n${news.principal}\n${news.uri}`)));
    const quiet = this.#quiet.get(id);
    if (quiet !== undefined) return void (quiet.more = true);
    const over = (): void => {
      const { more } = this.#quiet.get(id)!;
      this.#quiet.delete(id);
      if (more) this.tell(news);
    };
    this.#quiet.set(id, { more: false, cancel: clock.at(clock.now() + QUIET_MS, over) });
    this.#write(id, news).catch((error: unknown) =>
      this.#services.log.warn("other processes were not told what an MCP server said", {
        server: news.server,
        code: GatewayError.from(error).code,
      }),
    );
  }

  /** What others wrote within the last `backMs` and was not read before. The first time nothing: it was said before this process was there to hear. Errors: those of the store. */
  async read(backMs: number): Promise<readonly McpNewsRow[]> {
    const fresh: McpNewsRow[] = [];
    let cursor: string | undefined;
    do {
      const query = { where: { movedAtMs: { gte: nowPlus(-backMs) } }, orderBy: "movedAtMs", limit: PAGE, cursor } as const;
      const page = await this.#services.store.find(mcpNews, query, SCOPE, this.#within());
      for (const row of page.rows) {
        const known = this.#known.get(row.id);
        this.#known.set(row.id, { version: row.version, movedAtMs: row.movedAtMs });
        const isKnown = known?.version === row.version && (known.movedAtMs ?? row.movedAtMs) === row.movedAtMs;
        if (this.#isBased && !isKnown) fresh.push(row);
      }
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    this.#isBased = true;
    return fresh;
  }

  /** Removes what every process has read; each of them does it. Errors: those of the store. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#services;
    const query = { where: { movedAtMs: { lt: nowPlus(-KEPT_MS) } }, orderBy: "movedAtMs", limit: PAGE } as const;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const { rows } = await store.find(mcpNews, query, SCOPE, this.#within());
      const units = rows.map(({ id, version }) => ({ scope: SCOPE, writes: [remove(mcpNews, id, { ifVersion: version })] }));
      if (units.length > 0) await store.commit(units, this.#within());
      for (const { id } of rows) this.#known.delete(id);
      if (rows.length < PAGE) break;
    }
    // Those that another process removed.
    const oldestMs = clock.now() - 2 * KEPT_MS;
    for (const [id, { movedAtMs }] of this.#known) if (movedAtMs !== null && movedAtMs < oldestMs) this.#known.delete(id);
  }

  close(): void {
    for (const { cancel } of this.#quiet.values()) cancel();
    this.#quiet.clear();
  }

  async #write(id: string, news: News): Promise<void> {
    const { store } = this.#services;
    // A row that another has just made, or just removed, is met on the second try.
    for (let tries = 0; tries < 3; tries++) {
      const moved = update(mcpNews, id, { change: { set: { movedAtMs: now } } });
      const [result] = await store.commit([{ scope: SCOPE, writes: [moved] }], this.#within());
      if (result?.ok === true) return this.#written(id, result.versions[0] ?? 0);
      const made = insert(mcpNews, { id, ...news, movedAtMs: now });
      const [first] = await store.commit([{ scope: SCOPE, writes: [made] }], this.#within());
      if (first?.ok === true) return this.#written(id, 1);
    }
  }

  /** Ours, unless others wrote between: then it is read as theirs. */
  #written(id: string, version: number): void {
    if (version === (this.#known.get(id)?.version ?? 0) + 1) this.#known.set(id, { version, movedAtMs: null });
    this.#onWritten();
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
