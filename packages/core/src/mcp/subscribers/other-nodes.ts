import type { McpNewsRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Services } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { readMessage, upstreamPlan } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import type { ListKind } from "../upstream/list-entries.js";
import type { LegacySessions } from "./legacy-sessions.js";
import type { ListName, Notifier } from "./notifier.js";
import { SharedNews, type News } from "./shared-news.js";
import type { SharedSessions } from "./shared-sessions.js";

export interface OtherNodesOptions {
  /** Whether other processes are on this store. */
  readonly fleet: { readonly hasPeers: boolean };
  readonly shared: SharedSessions;
  readonly sessions: LegacySessions;
  readonly catalogue: Catalogue;
  readonly notifier: Notifier;
}

/** Without a bus others hear after this; the bus hurries it. */
const POLL_MS = 1_000;
/** Rows are asked for by when they moved: a commit may be that late, and a poll that long away. */
const BACK_MS = 10_000;
const SWEEP_EVERY_MS = 60_000;
/** The same change of a list, heard from the server itself and from another process within this time, is told once: what is in it is compared besides. */
const SAME_MS = 2_000;
/** Of a resource, which is not compared: rather told twice than not at all. */
const SAME_RESOURCE_MS = 300;
const TOPIC = "mcp";

/**
 * MCP clients and this gateway's other processes: what a server says to one process reaches the clients of all, whichever process their stream hangs at; and sessions follow what was done to them
 * elsewhere. The rows say it, polled each second; the bus only hurries that. Alone on its store it does nothing.
 */
export class OtherNodes {
  readonly #services: Services;
  readonly #o: OtherNodesOptions;
  readonly #news: SharedNews;
  /** When this process was told a list or a resource by the server itself, by its name. */
  readonly #heard = new Map<string, number>();
  /** Lists that are read again because another process said so: that they are changed is no news to it. */
  readonly #induced = new Map<string, number>();
  #readAtMs: number;
  #sweptAtMs: number;
  #reading: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #cancelTimer: () => void = () => undefined;
  #unsubscribe: Promise<(() => Promise<void>) | null> = Promise.resolve(null);

  constructor(services: Services, options: OtherNodesOptions) {
    this.#services = services;
    this.#o = options;
    this.#news = new SharedNews(services, () => this.hint());
    this.#readAtMs = this.#sweptAtMs = services.clock.now();
  }

  start(): void {
    const look = (): void => void this.#look();
    this.#unsubscribe = this.#services.bus.subscribe(TOPIC, look, look).catch(() => null); // it polls all the same
    this.#schedule();
  }

  /** Something was written that others should read. */
  hint(): void {
    if (this.#o.fleet.hasPeers) this.#services.bus.publish(TOPIC, []).catch(() => undefined); // they poll
  }

  /** `principal`: whose list it is; empty: everybody's. */
  listChanged(server: string, kind: ListKind, principal = ""): void {
    const what = kind === "resourceTemplates" ? "resources" : kind;
    const key = keyOf({ server, what, principal, uri: "" });
    const nowMs = this.#note(this.#heard, key);
    const inducedAtMs = this.#induced.get(key);
    this.#induced.delete(key);
    if (inducedAtMs !== undefined && nowMs - inducedAtMs < SAME_MS) return;
    if (this.#o.fleet.hasPeers) this.#news.tell({ server, what, principal, uri: "" });
  }

  /** `principal`: whose connection said it; empty: everybody's. */
  resourceUpdated(server: string, uri: string, principal = ""): void {
    this.#note(this.#heard, keyOf({ server, what: "updated", principal, uri }));
    if (this.#o.fleet.hasPeers) this.#news.tell({ server, what: "updated", principal, uri });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer();
    this.#news.close();
    await (await this.#unsubscribe)?.().catch(() => undefined);
    await this.#reading;
  }

  #schedule(): void {
    if (this.#closed) return;
    const { clock } = this.#services;
    this.#cancelTimer = clock.at(clock.now() + POLL_MS, () => void this.#look().then(() => this.#schedule()));
  }

  /** Never rejects. */
  #look(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#again = true;
    return (this.#reading ??= this.#readAll().finally(() => (this.#reading = null)));
  }

  async #readAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#read();
      } catch (error) {
        this.#services.log.debug("what other processes did was not read; it is tried again", { code: GatewayError.from(error).code });
      }
    }
  }

  async #read(): Promise<void> {
    const { clock } = this.#services;
    const { fleet, shared, sessions } = this.#o;
    const startedAtMs = clock.now();
    if (fleet.hasPeers) {
      const backMs = BACK_MS + startedAtMs - this.#readAtMs;
      for (const row of await shared.moved(backMs)) sessions.follow(row);
      for (const row of await this.#news.read(backMs)) await this.#pass(row);
    }
    this.#readAtMs = startedAtMs;
    if (startedAtMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = startedAtMs;
    for (const heard of [this.#heard, this.#induced]) for (const [key, atMs] of heard) if (startedAtMs - atMs > SAME_MS) heard.delete(key);
    await shared.touch([...sessions.all()].map(({ id }) => id));
    await shared.sweep();
    await this.#news.sweep();
  }

  /** Tells the clients of this process, unless the server has told it just the same. */
  async #pass(row: McpNewsRow): Promise<void> {
    const { server, what, uri, principal } = row;
    const { catalogue, notifier } = this.#o;
    const whose = principal === "" ? undefined : principal;
    const key = keyOf(row);
    const upstream = catalogue.get(server);
    if (upstream === undefined) return;
    if (what === "updated") {
      upstream.stale(uri, whose);
      if (this.#isHeard(key, SAME_RESOURCE_MS)) return;
      const text = `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":${JSON.stringify(uri)}}}`;
      return notifier.resourceUpdated(server, readMessage(utf8(text), upstreamPlan), whose);
    }
    const known = this.#isHeard(key, SAME_MS);
    this.#note(this.#induced, key);
    if (what === "resources") upstream.stale(null, whose);
    const kinds: readonly ListKind[] = what === "resources" ? ["resources", "resourceTemplates"] : [what];
    // Read first: who hears of it looks at once.
    await Promise.all(kinds.map((kind) => upstream.refresh(kind, whose)));
    if (!known && !this.#isHeard(key, SAME_MS)) notifier.listChanged(server, what satisfies ListName, whose);
  }

  #isHeard(key: string, withinMs: number): boolean {
    return this.#services.clock.now() - (this.#heard.get(key) ?? Number.NEGATIVE_INFINITY) < withinMs;
  }

  #note(times: Map<string, number>, key: string): number {
    const nowMs = this.#services.clock.now();
    times.set(key, nowMs);
    return nowMs;
  }
}

/** Of what was said, and to whom. */
function keyOf({ server, what, principal, uri }: News): string {
  return `${server}\n${what}\n${principal}\n${uri}`;
}
