import { clock as systemClock, crypto, files, httpClient, writeLine } from "#platform";
import { purposeKeys, readKeys, type PurposeKeys } from "./access/index.js";
import type { LoadedConfig } from "./config/load-config.js";
import { sharedAdapterFor } from "./config/open-shared.js";
import { adapterFor } from "./config/open-storage.js";
import { changedSettings, EffectiveConfig } from "./config/runtime/index.js";
import type { Config } from "./config/schema.js";
import { SnapshotHolder } from "./config/snapshot-holder.js";
import { allEntities, type AnyEntity } from "./entities/index.js";
import { GatewayError } from "./errors/index.js";
import { loadedConfigOf, processEnvironment, secretsOf, type GatewayOptions } from "./gateway-options.js";
import { followedRecords } from "./gateway-policy.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup, SharedOrOwn } from "./memory/index.js";
import { GroupCommit } from "./policy/group-commit.js";
import type { Clock, HttpClient, RecordStore } from "./ports/index.js";
import { LazyStore } from "./ports/lazy-store.js";
import { readRoutes } from "./routing/index.js";
import { GatewaySecrets, Redactor } from "./secrets/index.js";
import { createSeams, EventHub, type Services } from "./seams/index.js";
import { newId } from "./util/ids.js";
import { Log, loggerLines, logLines, type WriteLine } from "./util/log.js";

/** What a gateway stands on: its store, its secrets, what calls are decided by, and the way out. */
export interface Foundation {
  /** As it was given; what of it can be changed is in the snapshots. */
  readonly config: Config;
  readonly effective: EffectiveConfig;
  readonly services: Services;
  readonly store: LazyStore;
  /** null: this process is alone. */
  readonly shared: SharedOrOwn | null;
  readonly secrets: GatewaySecrets;
  /** Once the gateway has started. */
  readonly keys: () => PurposeKeys;
  readonly snapshots: SnapshotHolder;
  readonly ledger: GroupCommit;
  readonly http: HttpClient;
  /** Nothing outlives the process. */
  readonly isInMemory: boolean;
}

/** Without a database the usage and audit ledgers keep their newest rows only, so that the process does not grow with its calls. */
const MEMORY_LEDGER_ROWS = 10_000;

/** Opens nothing yet. Errors: `invalid_config`, naming every problem with its path. */
export function foundationOf(options: GatewayOptions): Foundation {
  const env = options.env ?? processEnvironment();
  const loaded = loadedConfigOf(options, env);
  const { config } = loaded;
  const clock = options.clock ?? systemClock;
  const redactor = new Redactor();
  const log = new Log(config.logging.level, redactor.ofLines(linesOf(options, { config, clock })));
  const store = new LazyStore(() => openStore(options, { config, clock }));
  const events = new EventHub();
  const shared = sharedOf(options, { config, clock, log, events });
  const services = servicesOf(options, { store, clock, log, redactor, events, shared });
  const secrets = new GatewaySecrets({
    ...{ store, crypto, clock, log, env, redactor },
    ...secretsOf(options, env),
    sources: options.secretSources ?? [],
    readFile: (path) => files.read(path),
    entities: allEntities.filter((entity): entity is AnyEntity => entity.kind !== "log"),
  });
  services.seams.vault.fill(secrets);
  const effective = effectiveOf(loaded, services);
  const snapshots = new SnapshotHolder(services, {
    config,
    configOf: effective.of,
    readKeys: (within) => readKeys(store, within),
    readRoutes: (within) => readRoutes(store, within),
    follows: followedRecords,
  });
  secrets.follow(snapshots);
  snapshots.onSwap((now, before) => settingsChanged(services, now.config, before.config));
  const onError = (error: unknown): void => services.events.emit("internal.error", { where: "writing the ledger", error });
  const ledger = new GroupCommit({ store, clock, onError });
  const { connectMs } = config.server.timeouts;
  const http = options.http ?? httpClient({ clock, connectMs, allowPrivate: config.network.allowPrivate });
  const keys = lazily(() => purposeKeys(crypto, secrets.root()));
  return { config, effective, services, store, shared, secrets, keys, snapshots, ledger, http, isInMemory: isInMemory(options, config) };
}

/** The configuration that follows the store's settings. One that is not valid is told, and nothing fails because of it (F93). */
function effectiveOf(loaded: LoadedConfig, { log, events }: Services): EffectiveConfig {
  return new EffectiveConfig(loaded, ({ key, version, problem }) => {
    log.error("a stored setting is not valid and does not count", { key, version, problem });
    events.emit("config.refused", { key, version });
  });
}

function settingsChanged({ log, events }: Services, now: Config, before: Config): void {
  const keys = changedSettings(now, before);
  if (keys.length === 0) return;
  log.level = now.logging.level;
  events.emit("config.changed", { keys });
}

/** What every domain of a gateway is made with: what the options give, and this process's own where they give nothing. */
function servicesOf(
  options: GatewayOptions,
  o: Pick<Services, "store" | "clock" | "log" | "redactor" | "events"> & { readonly shared: SharedOrOwn | null },
): Services {
  const { store, clock, log, redactor, events, shared } = o;
  events.on("internal.error", ({ where, error }) =>
    log.error(`failed: ${where}`, { code: GatewayError.from(error).code, message: messageOf(error) }),
  );
  const wakeup = options.wakeup ?? shared?.wakeup ?? memoryWakeup({ clock });
  const bus = options.bus ?? shared?.bus ?? memoryBus();
  const cache = options.cache ?? shared?.cache ?? memoryCache({ clock });
  const counters = options.counters ?? shared?.counters ?? memoryCounters({ clock });
  const ports = { store, clock, crypto, wakeup, bus, cache, counters, shared: shared ?? undefined };
  return { ...ports, events, log, redactor, seams: createSeams(), nodeId: newId("node") };
}

/** null: no server is named. That it is away is said once, and that it is back. */
function sharedOf(
  { redis }: GatewayOptions,
  o: { readonly config: Config; readonly clock: Clock; readonly log: Log; readonly events: EventHub },
): SharedOrOwn | null {
  const { clock, log, events } = o;
  const { url } = o.config.redis ?? {};
  const adapter = redis !== undefined && "open" in redis ? redis : null;
  if (adapter === null && url === undefined) return null;
  return new SharedOrOwn({
    clock,
    adapter: async () => adapter ?? sharedAdapterFor(url ?? ""),
    onChange: (away) => {
      if (away === null) log.info("Redis answers: limits, cache and hints are shared");
      else
        log.warn(`${away.message} Until it answers processes count limits alone, keep no answers and look for work by polling`, {
          code: away.code,
        });
      events.emit("redis.changed", { connected: away === null });
    },
  });
}

function isInMemory({ storage }: GatewayOptions, config: Config): boolean {
  return !(storage !== undefined && "open" in storage) && (config.storage?.url ?? "memory:") === "memory:";
}

async function openStore({ storage }: GatewayOptions, o: { readonly config: Config; readonly clock: Clock }): Promise<RecordStore> {
  const adapter = storage !== undefined && "open" in storage ? storage : await adapterFor(o.config.storage ?? { url: "memory:" });
  return adapter === null ? memoryStore({ clock: o.clock, ledgerRows: MEMORY_LEDGER_ROWS }) : adapter.open({ entities: allEntities });
}

/** Where the lines of the log go: to whom the options name, or to standard error. */
function linesOf({ log }: GatewayOptions, o: { readonly config: Config; readonly clock: Clock }): WriteLine {
  if (log === undefined) return logLines(o.config.logging.format, { write: writeLine, now: () => o.clock.now() });
  return typeof log === "function" ? log : loggerLines(log);
}

function lazily(make: () => PurposeKeys): () => PurposeKeys {
  let made: PurposeKeys | null = null;
  return () => (made ??= make());
}

function messageOf(error: unknown): string {
  const cause = GatewayError.is(error, "internal") ? error.cause : error;
  return cause instanceof Error ? cause.message.slice(0, 500) : "";
}
