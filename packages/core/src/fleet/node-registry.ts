import { node, type NodeOffers, type NodeRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { insert, now, nowPlus, remove, update, type Change } from "../ports/index.js";
import type { Services } from "../seams/index.js";
import { cutText } from "../util/well-formed.js";

export interface NodeRegistryOptions {
  /** Of the package. */
  readonly release: string;
  /** Host and process id; no secret. */
  readonly label: string;
  readonly offers: () => NodeOffers;
  /** Nodes that this one found gone: what they held is free. */
  readonly onGone: (nodeIds: readonly string[]) => void;
  /** False: nobody else can be on this store. */
  readonly durable: boolean;
  /** How long a node may be silent before the others go on without it; 6,000 when left out. */
  readonly leaseMs?: number | undefined;
}

/** A gateway process on this store. */
export interface NodeView {
  readonly id: string;
  /** Renewed in time. */
  readonly alive: boolean;
  readonly state: NodeRow["state"];
  readonly release: string;
  readonly label: string;
  readonly startedAtMs: number;
  readonly leaseUntilMs: number;
  readonly offers: NodeOffers;
  /** This process. */
  readonly self: boolean;
}

type State = "starting" | "ready" | "draining";

const LEASE_MS = 6_000;
const WITHIN_MS = 2_000;
const KEPT_MS = 3_600_000;
const PRUNE_EVERY_MS = 60_000;
const MOST = 1_000;
/** No process of a store in memory is followed by another one. */
const FOR_EVER_MS = 1e12;
const TOPIC = "nodes";
const SCOPE = { system: "the processes of this gateway" };
const live = ["starting", "ready", "draining"] as const;

/**
 * Which processes run on this store. Each renews its own row three times a lease and looks for others that were not renewed in time: `take` gives each of those to one finder, which marks it gone and says so
 * (`onGone`). Nobody leads. A node that could not renew its own row for a lease, because the store was away or it was frozen, judges nobody until it has renewed for a whole lease: after an outage all are late.
 */
export class NodeRegistry {
  readonly #services: Services;
  readonly #o: NodeRegistryOptions;
  readonly #leaseMs: number;
  #state: State = "starting";
  /** What the row says. */
  #written = "";
  #attempt = 0;
  #isRegistered = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #steadySinceMs = Number.POSITIVE_INFINITY;
  #prunedAtMs = 0;
  #seen: ReadonlyMap<string, State> = new Map();
  #beating: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #cancelTimer: () => void = () => undefined;
  #unsubscribe: Promise<(() => Promise<void>) | null> = Promise.resolve(null);

  constructor(services: Services, options: NodeRegistryOptions) {
    this.#services = services;
    this.#o = options;
    this.#leaseMs = options.leaseMs ?? LEASE_MS;
  }

  /** How many nodes are known to live, this one among them. */
  get alive(): number {
    return Math.max(1, this.#seen.size);
  }

  /** Others are known to live. */
  get hasPeers(): boolean {
    return this.alive > 1;
  }

  /** Writes this node's row and begins to renew it. Errors: those of the store. */
  async start(): Promise<void> {
    await this.#register();
    if (!this.#o.durable) return;
    const { bus } = this.#services;
    const kick = (): void => void this.#kick();
    this.#unsubscribe = bus.subscribe(TOPIC, kick, () => undefined).catch(() => null); // the loop sees it all the same
    await this.#kick();
    this.#tellOthers();
    this.#schedule();
  }

  /** What the node does now; written at once. */
  enter(state: State): void {
    if (this.#state === state || this.#closed) return;
    this.#state = state;
    if (this.#isRegistered) void this.#kick();
  }

  /** Every node there is a row of, also those that went within the last hour. Errors: those of the store. */
  async list(): Promise<NodeView[]> {
    const { store, nodeId } = this.#services;
    const nowMs = await store.now(this.#within());
    const { rows } = await store.find(node, { orderBy: "leaseUntilMs", limit: MOST }, SCOPE, this.#within());
    rows.sort((a, b) => a.startedAtMs - b.startedAtMs || (a.id < b.id ? -1 : 1));
    return rows.map(({ id, state, release, label, startedAtMs, leaseUntilMs, offers }) => {
      const alive = state !== "gone" && leaseUntilMs > nowMs;
      return { ...{ id, alive, state, release, label, startedAtMs, leaseUntilMs, offers }, self: id === nodeId };
    });
  }

  /** Removes the row: this node has given back what it held. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelTimer();
    await (await this.#unsubscribe)?.().catch(() => undefined);
    await this.#beating;
    if (!this.#isRegistered) return;
    const { store, nodeId, log } = this.#services;
    const unit = { scope: SCOPE, writes: [remove(node, nodeId, { where: { attempt: this.#attempt } })] };
    await store
      .commit([unit], this.#within())
      .catch((error: unknown) => log.debug("this node's row is left to the others", { code: GatewayError.from(error).code }));
    this.#tellOthers();
  }

  #tellOthers(): void {
    this.#services.bus.publish(TOPIC, [this.#services.nodeId]).catch(() => undefined); // they look by themselves
  }

  async #register(): Promise<void> {
    const { store, clock, nodeId } = this.#services;
    const { release, durable } = this.#o;
    const offers = this.#o.offers();
    const row = {
      ...{ id: nodeId, state: this.#state, release, label: cutText(this.#o.label, 200), startedAtMs: clock.now() },
      ...{ leaseUntilMs: nowPlus(durable ? this.#leaseMs : FOR_EVER_MS), attempt: this.#attempt, offers },
    };
    const sentAtMs = clock.monotonic();
    await store.commit([{ scope: SCOPE, writes: [insert(node, row, "skip")] }], this.#within());
    this.#isRegistered = true;
    this.#written = JSON.stringify([this.#state, offers]);
    this.#renewed(sentAtMs);
  }

  #schedule(): void {
    const { clock } = this.#services;
    if (this.#closed) return;
    this.#cancelTimer();
    // Jittered, so that nodes that were started together do not ask together.
    const inMs = Math.round((this.#leaseMs / 3) * (0.8 + Math.random() / 5));
    this.#cancelTimer = clock.at(clock.now() + inMs, () => void this.#kick().then(() => this.#schedule()));
  }

  /** Resolves when a beat that began after this is over. Never rejects. */
  #kick(): Promise<void> {
    if (this.#closed || !this.#o.durable) return Promise.resolve();
    this.#again = true;
    return (this.#beating ??= this.#beatAll().finally(() => (this.#beating = null)));
  }

  async #beatAll(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#renew();
        await this.#look();
        if (this.#services.clock.monotonic() - this.#steadySinceMs >= this.#leaseMs) await this.#sweep();
      } catch (error) {
        this.#services.log.debug("this node was not renewed; it is tried again", { code: GatewayError.from(error).code });
      }
    }
  }

  async #renew(): Promise<void> {
    const { store, clock, nodeId, log } = this.#services;
    const sentAtMs = clock.monotonic();
    const offers = this.#o.offers();
    const says = JSON.stringify([this.#state, offers]);
    const lease = { leaseUntilMs: nowPlus(this.#leaseMs) };
    const set: Change<NodeRow>["set"] = says === this.#written ? lease : { ...lease, state: this.#state, offers };
    const write = update(node, nodeId, { change: { set }, where: { attempt: this.#attempt } });
    const [result] = await store.commit([{ scope: SCOPE, writes: [write] }], this.#within());
    if (result?.ok === true) {
      this.#written = says;
      return this.#renewed(sentAtMs);
    }
    // Taken for gone: frozen, or cut off. What it held then has been given to others, whose writes fence its own.
    log.warn("this node was taken for gone by another, and comes back");
    this.#steadySinceMs = Number.POSITIVE_INFINITY;
    const current = (result?.current ?? null) as NodeRow | null;
    if (current === null) return this.#register();
    const back = update(node, nodeId, {
      change: { set: { ...lease, state: this.#state, offers }, add: { attempt: 1 } },
      where: { attempt: current.attempt },
    });
    const [again] = await store.commit([{ scope: SCOPE, writes: [back] }], this.#within());
    if (again?.ok !== true) return;
    this.#attempt = current.attempt + 1;
    this.#written = says;
    this.#renewed(sentAtMs);
  }

  #renewed(sentAtMs: number): void {
    if (sentAtMs - this.#renewedAtMs >= this.#leaseMs || this.#steadySinceMs === Number.POSITIVE_INFINITY) this.#steadySinceMs = sentAtMs;
    this.#renewedAtMs = sentAtMs;
  }

  /** Notes who lives, and says what is new. */
  async #look(): Promise<void> {
    const { store, events } = this.#services;
    const where = { state: { in: live }, leaseUntilMs: { gt: now } };
    const { rows } = await store.find(node, { where, orderBy: "leaseUntilMs", limit: MOST }, SCOPE, this.#within());
    const before = this.#seen;
    this.#seen = new Map(rows.map(({ id, state }) => [id, state as State]));
    for (const [nodeId, state] of this.#seen) if (before.get(nodeId) !== state) events.emit("node.changed", { nodeId, state });
    for (const nodeId of before.keys()) if (!this.#seen.has(nodeId)) events.emit("node.changed", { nodeId, state: "gone" });
  }

  async #sweep(): Promise<void> {
    const { store, clock, log } = this.#services;
    const gone = await store.take(
      node,
      {
        where: { state: { in: live }, leaseUntilMs: { lte: now } },
        orderBy: ["leaseUntilMs"],
        limit: 100,
        change: { set: { state: "gone" }, add: { attempt: 1 } },
      },
      this.#within(),
    );
    for (const { id, label } of gone) log.warn("a node is gone: others go on with what it held", { node: id, label });
    if (gone.length > 0) this.#o.onGone(gone.map(({ id }) => id));
    if (clock.now() - this.#prunedAtMs < PRUNE_EVERY_MS) return;
    this.#prunedAtMs = clock.now();
    const where = { state: "gone" as const, leaseUntilMs: { lt: nowPlus(-KEPT_MS) } };
    const old = await store.find(node, { where, orderBy: "leaseUntilMs", limit: 100 }, SCOPE, this.#within());
    const units = old.rows.map(({ id, attempt }) => ({ scope: SCOPE, writes: [remove(node, id, { where: { attempt, state: "gone" } })] }));
    if (units.length > 0) await store.commit(units, this.#within());
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}
