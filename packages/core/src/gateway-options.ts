import { crypto } from "#platform";
import { purposeKeys, SECRET_BYTES, type AuthHook, type KeyVerifier } from "./access/index.js";
import { parseMasterSecret } from "./config/master-secret.js";
import { loadConfig, type LoadedConfig } from "./config/load-config.js";
import type { ConfigInput } from "./config/schema.js";
import type { Environment } from "./config/substitute.js";
import { GatewayError } from "./errors/index.js";
import type { Bus, Cache, Clock, Counters, HttpClient, SecretSource, SharedAdapter, StorageAdapter, Wakeup } from "./ports/index.js";
import type { OtelOptions } from "./telemetry/index.js";
import type { LoggerLike, WriteLine } from "./util/log.js";
import { Secret } from "./util/secret.js";

/** What `new Gateway()` takes: the configuration as in `sallyport.config.json`, and what only code can give. */
export interface GatewayOptions extends Omit<ConfigInput, "storage" | "redis"> {
  /** Where rows are kept: an adapter, or `{ url }`. Left out: in memory, gone with the process. */
  readonly storage?: StorageAdapter | ConfigInput["storage"];
  /** What processes share: an adapter, or `{ url }`. `counters`, `cache`, `bus` and `wakeup` stand before it. Left out: this process is alone. */
  readonly redis?: SharedAdapter | ConfigInput["redis"];
  /** What `loadConfig` read of file and environment, instead of the settings here: so the gateway knows which of them the program gave, and settings of its database may stand over the others. */
  readonly config?: LoadedConfig | undefined;
  /** What callers over HTTP present as the owner: 32 or more printable characters. Left out: made at the first start, and logged once. */
  readonly ownerKey?: string | Secret | undefined;
  /** 32 bytes, or their base64: what the gateway's own keys are derived from. Left out: made for this process, so that keys kept in a durable store do not outlive it. */
  readonly secret?: string | Uint8Array | Secret | undefined;
  /** Secrets before this one, the newest first: what they sealed is sealed with `secret` from the next start on. */
  readonly previousSecrets?: readonly (string | Uint8Array | Secret)[] | undefined;
  /** Where secrets of the configuration may stand beside `env:NAME`, `file:/path` and `infisical:NAME`. */
  readonly secretSources?: readonly SecretSource[] | undefined;
  /** The host application says who calls; then no gateway key is looked at, and no owner key made. */
  readonly auth?: AuthHook | undefined;
  /** Check keys of other systems by their hashes, beside bcrypt: see `keys.import`. */
  readonly keyVerifiers?: readonly KeyVerifier[] | undefined;
  /** Where `${NAME}`, the vendors' keys, SALLYPORT_OWNER_KEY and SALLYPORT_SECRET are looked up; the process's environment when left out. */
  readonly env?: Environment | undefined;
  /** Receives the log instead of standard error: a function, or a logger such as pino's, whose level then counts beside `logging.level`. */
  readonly log?: WriteLine | LoggerLike | undefined;
  /** Where spans and metrics go instead of what the program registered with `@opentelemetry/api`. */
  readonly otel?: OtelOptions | undefined;
  readonly clock?: Clock | undefined;
  readonly http?: HttpClient | undefined;
  readonly bus?: Bus | undefined;
  /** What answers are kept in for a while; this process's memory when left out. */
  readonly cache?: Cache | undefined;
  /** What limits are counted in; this process's memory when left out, so that each process allows the whole limit. */
  readonly counters?: Counters | undefined;
  readonly wakeup?: Wakeup | undefined;
  /** Called with the owner key when this start made it: nobody can read it again. Left out: it is logged. */
  readonly onOwnerKey?: ((key: string) => void) | undefined;
}

/** The configuration among the options. */
export function configOf(options: GatewayOptions): ConfigInput {
  const {
    storage,
    redis,
    config: _loaded,
    ownerKey: _key,
    secret: _secret,
    previousSecrets: _previous,
    secretSources: _sources,
    auth: _auth,
    keyVerifiers: _verifiers,
    env: _env,
    log: _log,
    otel: _otel,
    clock: _clock,
    http: _http,
    bus: _bus,
    cache: _cache,
    counters: _counters,
    wakeup: _wakeup,
    onOwnerKey: _on,
    ...config
  } = options;
  return {
    ...config,
    ...(storage === undefined || "open" in storage ? {} : { storage }),
    ...(redis === undefined || "open" in redis ? {} : { redis }),
  };
}

/** The configuration with its sources. Errors: `invalid_config`, also for settings beside `config`. */
export function loadedConfigOf(options: GatewayOptions, env: Environment): LoadedConfig {
  const { config: loaded, storage } = options;
  const { storage: _storage, ...code } = configOf(options);
  if (loaded === undefined) return loadConfig({ env: ownVariables(env), code: configOf(options) });
  const beside = Object.entries(code).find(([, value]) => value !== undefined);
  if (beside !== undefined)
    throw new GatewayError("invalid_config", `${beside[0]} stands beside config, which has all settings already.`, {
      hint: `Give it to loadConfig: loadConfig({ file, env, code: { ${beside[0]}: … } }).`,
    });
  const isUrl = storage !== undefined && !("open" in storage);
  return isUrl ? { ...loaded, config: { ...loaded.config, storage } } : loaded;
}

/** In code the environment gives vendors' keys; where to listen and what to store in is the program's own affair, and its DATABASE_URL means its own database. */
export function ownVariables(env: Environment): Environment {
  const { HOST: _host, PORT: _port, DATABASE_URL: _database, REDIS_URL: _redis, LOG_LEVEL: _level, ...own } = env;
  return own;
}

/** None where there is no process. */
export function processEnvironment(): Environment {
  return (globalThis as { process?: { env?: Environment } }).process?.env ?? {};
}

/** Weak ones are refused here, before anything is opened. */
export function secretsOf(
  options: GatewayOptions,
  env: Environment,
): { readonly secret: Uint8Array; readonly previous: readonly Uint8Array[]; readonly isOwn: boolean } {
  const given = env["SALLYPORT_PREVIOUS_SECRETS"]?.split(",").map((text) => text.trim());
  const previous = (options.previousSecrets ?? given?.filter((text) => text !== "") ?? []).map(secretOf);
  const chosen = options.secret ?? env["SALLYPORT_SECRET"];
  const secret = secretOf(chosen);
  for (const one of [secret, ...previous]) purposeKeys(crypto, one);
  return { secret, previous, isOwn: chosen === undefined || chosen === "" };
}

function secretOf(given: GatewayOptions["secret"]): Uint8Array {
  if (given === undefined || given === "") return crypto.random(SECRET_BYTES);
  if (given instanceof Uint8Array) return given;
  return parseMasterSecret(given instanceof Secret ? given.reveal() : given);
}
