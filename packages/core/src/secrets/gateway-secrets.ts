import type { Snapshot } from "../config/snapshot.js";
import type { Environment } from "../config/substitute.js";
import { dataKey, type AnyEntity } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { Clock, Crypto, RecordStore, SecretSource } from "../ports/index.js";
import type { Vault } from "../seams/index.js";
import type { Log } from "../util/log.js";
import type { Secret } from "../util/secret.js";
import { infisicalSource } from "./infisical.js";
import { addNextKey, openKeys, processKeys, type KeyRingOptions, type OpenKeys } from "./key-ring.js";
import type { Redactor } from "./redactor.js";
import { resealAll, type Resealed } from "./reseal.js";
import { finishRotation, isUnfinished, SETTLE_MS } from "./rotation.js";
import { secretsIn, SecretResolver } from "./resolve-secrets.js";
import { SealedVault } from "./sealed-vault.js";
import { environmentSource, fileSource, type ReadFile } from "./secret-sources.js";

export interface GatewaySecretsOptions {
  readonly store: RecordStore;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Environment;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  readonly previous: readonly Uint8Array[];
  /** The secret was made for this process: so are the keys, and the store has none of them. */
  readonly isOwn?: boolean;
  /** Beside `env:`, `file:` and `infisical:`; one of the same scheme stands before ours. */
  readonly sources: readonly SecretSource[];
  readonly redactor: Redactor;
  readonly readFile: ReadFile;
  /** What may hold sealed values. */
  readonly entities: readonly AnyEntity[];
  /** How long every node surely takes to follow the store's keys; 3 s when left out. */
  readonly settleMs?: number | undefined;
}

/** A gateway's secrets: those of its configuration get their values, those of its rows are sealed, and none is in a text that leaves. */
export class GatewaySecrets implements Vault {
  readonly #o: GatewaySecretsOptions;
  readonly #ring: KeyRingOptions;
  readonly #resolver: SecretResolver;
  #keys: OpenKeys | null = null;
  #vault: SealedVault | null = null;
  readonly #closing = new AbortController();
  #cancelLook: (() => void) | null = null;
  #isFollowing = false;
  #finishing: Promise<Resealed> | null = null;

  constructor(options: GatewaySecretsOptions) {
    this.#o = options;
    const { store, crypto, clock, log, env, secret, previous, redactor } = options;
    this.#ring = { store, crypto, clock, secret, previous };
    const sources = [...options.sources, environmentSource(env), fileSource(clock, options.readFile), infisicalSource(env, clock)];
    this.#resolver = new SecretResolver({ clock, log, redactor, sources });
  }

  /** Opens the store's keys, and reads what the configuration names. Errors: those of `openKeys` and of the sources. */
  async start(config: unknown): Promise<void> {
    this.#keys = this.#o.isOwn === true ? processKeys(this.#ring) : await openKeys(this.#ring);
    const onUnknownKey = (): void => this.#follow();
    this.#vault = new SealedVault({ crypto: this.#o.crypto, redactor: this.#o.redactor, keys: this.#keys, onUnknownKey });
    await this.#resolver.resolveAll(secretsIn(config));
  }

  /** Nothing that is sealed now opens in another process. */
  get areOfThisProcess(): boolean {
    return this.#o.isOwn === true;
  }

  /** What keys for other purposes are derived from. Errors: `misconfigured` before the start. */
  root(): Uint8Array {
    return this.#started(this.#keys).root;
  }

  seal(value: Secret | string, place: Parameters<Vault["seal"]>[1]): string {
    return this.#started(this.#vault).seal(value, place);
  }

  open(sealed: string, place: Parameters<Vault["open"]>[1]): Secret {
    return this.#started(this.#vault).open(sealed, place);
  }

  /**
   * A new data key: once all nodes have it, values are sealed with it, and those that stand are sealed anew, row by row, while gateways run. Takes some seconds. A rotation that broke off, here or on
   * another node, is brought to its end instead. Errors: `shutting_down`, those of the store.
   */
  async rotate(): Promise<Resealed> {
    const vault = this.#started(this.#vault);
    if (this.#o.isOwn === true) {
      vault.useKeys((this.#keys = processKeys(this.#ring, this.#started(this.#keys))));
      return resealAll({ store: this.#o.store, clock: this.#o.clock, entities: this.#o.entities, vault });
    }
    await this.#finishing?.catch(() => undefined);
    await addNextKey(this.#ring);
    await this.refresh();
    return this.#finish();
  }

  /** Goes on with a key that another node made, as soon as it is seen, and with a rotation that another node left unfinished. */
  follow(snapshots: { onSwap(listener: (now: Snapshot, before: Snapshot) => void): () => void }): void {
    snapshots.onSwap((now, before) => {
      if (this.#vault !== null && now.records.of(dataKey) !== before.records.of(dataKey)) this.#follow();
    });
  }

  #follow(): void {
    if (this.#o.isOwn === true || this.#isFollowing) return;
    this.#isFollowing = true;
    this.refresh()
      .then(async () => {
        if (await isUnfinished(this.#ring)) this.#lookLater();
      })
      .catch((error: unknown) => this.#o.log.warn("the store's keys could not be read again", { code: GatewayError.from(error).code }))
      .finally(() => (this.#isFollowing = false));
  }

  /** Whoever rotates is at the end by then, unless it is gone; nodes do not all look at once. */
  #lookLater(): void {
    if (this.#finishing !== null || this.#cancelLook !== null || this.#closing.signal.aborted) return;
    const settleMs = this.#o.settleMs ?? SETTLE_MS;
    this.#cancelLook = this.#o.clock.at(this.#o.clock.now() + Math.round(settleMs * (3 + Math.random())), () => {
      this.#cancelLook = null;
      this.#finish().catch((error: unknown) => {
        if (this.#closing.signal.aborted) return;
        this.#o.log.warn("a rotation of the store's keys could not be finished; it is tried again", {
          code: GatewayError.from(error).code,
        });
        this.#lookLater();
      });
    });
  }

  #finish(): Promise<Resealed> {
    const { entities, settleMs = SETTLE_MS } = this.#o;
    const vault = this.#started(this.#vault);
    const work = { ...this.#ring, entities, vault, settleMs, refresh: () => this.refresh(), signal: this.#closing.signal };
    return (this.#finishing ??= finishRotation(work).finally(() => (this.#finishing = null)));
  }

  /** Reads the store's keys again. */
  async refresh(): Promise<void> {
    this.#keys = await openKeys(this.#ring);
    this.#started(this.#vault).useKeys(this.#keys);
  }

  close(): void {
    this.#closing.abort();
    this.#cancelLook?.();
    this.#resolver.close();
  }

  #started<T>(value: T | null): T {
    if (value !== null) return value;
    throw new GatewayError("misconfigured", "The gateway's keys are not open yet.", {
      hint: "Start the gateway first: `await gateway.start()`.",
    });
  }
}
