import type { Json } from "../../calls/index.js";
import type { PinMode, ToolPinRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { PinDecision, PinDetail, PinQuery, Services, ToolPins } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";
import type { Sha256 } from "../shape/outer-names.js";
import type { ListEntry } from "../upstream/list-entries.js";
import type { Vetting } from "../upstream/upstream-deps.js";
import { differences, digestOf, pinnedText, type SeenTool } from "./definition.js";
import { PinRows } from "./pin-rows.js";

export interface PinKeeperOptions {
  /** What becomes of a server's tools whose definition nobody approved. */
  readonly modeOf: (server: string) => PinMode;
  /** The stored rows as this process knows them; the same array as long as none changed. */
  readonly rows: () => readonly ToolPinRow[];
  /** Rows were read or written that the snapshot may not have yet. */
  readonly onChange: () => void;
}

const encoder = new TextEncoder();

/**
 * Holds each tool's definition to the one that was approved. A server that is seen first is trusted with what it shows; from then on a definition that is new or changed waits for a person: with `quarantine` it is neither listed
 * nor callable, wherever it came from (T27). The rows of the store decide, so that all processes hold to the same; what cannot be compared is not shown.
 */
export class PinKeeper implements ToolPins {
  readonly #services: Services;
  readonly #o: PinKeeperOptions;
  readonly #rows: PinRows;
  /** Rows that this process read or wrote itself, by server and id; the newest version of those and the snapshot's counts. */
  readonly #own = new Map<string, Map<string, ToolPinRow>>();
  readonly #digests = new WeakMap<ListEntry, { readonly pinId: string; readonly digest: string; readonly text: string }>();
  readonly #indexes = new WeakMap<readonly ToolPinRow[], ReadonlyMap<string, ToolPinRow>>();

  constructor(services: Services, options: PinKeeperOptions) {
    this.#services = services;
    this.#o = options;
    this.#rows = new PinRows(services);
  }

  /** Whether nobody may see or call the tool for now. */
  withholds(server: string, entry: ListEntry): boolean {
    if (this.#o.modeOf(server) !== "quarantine") return false;
    const { pinId, digest } = this.#seen(server, entry);
    return this.#row(server, pinId)?.digest !== digest;
  }

  /** A server's list of tools was read and is about to be shown. Errors: those of the store, with `quarantine`: what cannot be compared is not shown. */
  async vet(server: string, tools: ReadonlyMap<string, ListEntry>, { isPartial }: Vetting = { isPartial: false }): Promise<void> {
    const mode = this.#o.modeOf(server);
    if (mode === "off") return;
    try {
      await this.#note(server, { tools, isPartial }, mode);
    } catch (error) {
      if (mode === "quarantine") throw error;
      this.#services.log.warn("definitions of an MCP server's tools could not be compared", {
        server,
        code: GatewayError.from(error).code,
      });
    }
  }

  async #note(server: string, o: Vetting & { readonly tools: ReadonlyMap<string, ListEntry> }, mode: PinMode): Promise<void> {
    const { events, log } = this.#services;
    const seen: SeenTool[] = [...o.tools.values()].map((entry) => {
      const { pinId, digest, text } = this.#seen(server, entry);
      return { pinId, digest, tool: entry.name, text: () => text };
    });
    const news = await this.#rows.note(server, { serverPin: this.#pinId(server, ""), tools: seen, isPartial: o.isPartial });
    this.#own.set(server, new Map(await this.#rows.ofServer(server)));
    this.#o.onChange();
    const quarantined = mode === "quarantine";
    for (const one of news) {
      events.emit("tool.changed", { ...one, server, quarantined });
      log.warn("the definition of an MCP tool was not approved", { server, tool: one.tool, status: one.status, quarantined });
    }
  }

  async list({ server, status, limit, cursor }: PinQuery): Promise<{ rows: readonly ToolPinRow[]; next: string | null }> {
    const where = { ...(server === undefined ? {} : { server }), ...(status === undefined ? {} : { status }) };
    const { rows, next } = await this.#rows.find({ where, orderBy: "id", limit, cursor });
    // The row that stands for a server is no tool.
    return { rows: rows.filter(({ tool }) => tool !== ""), next };
  }

  async get(id: string): Promise<PinDetail> {
    const pin = await this.#found(id);
    const { approved, seen } = await this.#rows.definitions(id);
    const before = parsed(approved);
    const after = parsed(seen);
    return { pin, approved: before, seen: after, differences: seen === null ? [] : differences(before ?? undefined, after) };
  }

  async decide(id: string, o: PinDecision): Promise<ToolPinRow> {
    const row = await this.#found(id);
    if (row.seenDigest !== o.digest) throw anotherWaits(row);
    const by = { id: o.caller.id, name: o.caller.name, note: o.note };
    const done = o.approve ? await this.#rows.approve(row, by) : await this.#rows.reject(row, by);
    const now = await this.#found(id);
    if (!done) throw anotherWaits(now);
    this.#own.get(now.server)?.set(id, now);
    this.#o.onChange();
    const { server, tool } = now;
    this.#services.events.emit("tool.decided", { pinId: id, server, tool, status: o.approve ? "approved" : "rejected" });
    return now;
  }

  async #found(id: string): Promise<ToolPinRow> {
    const row = await this.#rows.get(id);
    if (row !== null && row.tool !== "") return row;
    throw new GatewayError("not_found", "There is no pinned tool of this id.", { hint: "GET /api/v1/mcp/pins lists them." });
  }

  #row(server: string, pinId: string): ToolPinRow | undefined {
    const rows = this.#o.rows();
    let index = this.#indexes.get(rows);
    if (index === undefined) this.#indexes.set(rows, (index = new Map(rows.map((row) => [row.id, row]))));
    const followed = index.get(pinId);
    const own = this.#own.get(server)?.get(pinId);
    return own !== undefined && own.version >= (followed?.version ?? 0) ? own : followed;
  }

  #seen(server: string, entry: ListEntry): { readonly pinId: string; readonly digest: string; readonly text: string } {
    let seen = this.#digests.get(entry);
    if (seen === undefined) {
      const text = pinnedText(entry);
      seen = { pinId: this.#pinId(server, entry.name), digest: digestOf(text, this.#sha256), text };
      this.#digests.set(entry, seen);
    }
    return seen;
  }

  /** Short enough that the ids of its definitions are ids. */
  #pinId(server: string, tool: string): string {
    return toHex(this.#sha256(encoder.encode(`${server}\n${tool}`))).slice(0, 60);
  }

  readonly #sha256: Sha256 = (bytes) => this.#services.crypto.sha256(bytes);
}

function parsed(text: string | null): Json {
  return text === null ? null : (JSON.parse(text) as Json);
}

function anotherWaits(row: ToolPinRow): GatewayError {
  return new GatewayError(
    "conflict",
    row.seenDigest === null ? "No definition of this tool waits." : "Another definition of this tool waits.",
    {
      hint: "Read the pin again, look at what differs, and decide on the seen_digest that it shows.",
      details: { seenDigest: row.seenDigest },
    },
  );
}
