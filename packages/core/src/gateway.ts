import { files, processLabel, stdioSpawner } from "#platform";
import { type Identity, type GatewayKeys, type Users } from "./access/index.js";
import { RunEngine } from "./agents/run-engine.js";
import { Runs } from "./agents/runs.js";
import type { Run } from "./agents/run.js";
import { Backups } from "./backup/index.js";
import { DEFAULT_PROJECT, type Caller, type HttpAnswer, type Inbound } from "./calls/index.js";
import type { RuntimeConfiguration } from "./config/runtime/index.js";
import type { Config } from "./config/schema.js";
import { mcpServer, storedModel, storedProvider, storedProviderKey } from "./entities/index.js";
import { GatewayError } from "./errors/index.js";
import { processEnvironment, type GatewayOptions } from "./gateway-options.js";
import { configurationOf } from "./gateway-configuration.js";
import { policyOf, type Policy } from "./gateway-policy.js";
import { facesOf } from "./gateway-faces.js";
import { NodeRegistry, Nodes } from "./fleet/index.js";
import { foundationOf, type Foundation } from "./gateway-foundation.js";
import { createFetch, type Edge, usageFile, type FetchOptions } from "./http/index.js";
import { McpProxy } from "./mcp/index.js";
import type { ArgumentRules } from "./policy/argument-rules/argument-rules.js";
import { type Resealed } from "./secrets/index.js";
import type { Guardrails } from "./policy/guardrails/index.js";
import { UsageLedger } from "./policy/money/usage/usage-ledger.js";
import { UsageReports } from "./policy/money/usage/usage-reports.js";
import { Providers, StoredProviders, type Models } from "./providers/index.js";
import {
  CallerAsker,
  modelActions,
  providerActions,
  providerKeyActions,
  Routes,
  RoutingModelCaller,
  StoredObjects,
  StoredResponses,
} from "./routing/index.js";
import { toRunEventView } from "./routes/index.js";
import { type GatewayEvents, type Inbox, type RunRequest, type Services, type Telemetry as TelemetryReports } from "./seams/index.js";
import { SessionDomain, type Sessions } from "./sessions/index.js";
import { TaskScheduler } from "./tasks/task-scheduler.js";
import type { Log } from "./util/log.js";
import { VERSION } from "./util/version.js";
import { anthropicMessages } from "./wire/anthropic-messages/index.js";
import { googleGenai } from "./wire/google-genai/index.js";
import { openaiChat } from "./wire/openai-chat/index.js";
import { openaiResponses } from "./wire/openai-responses/index.js";

const codecs = [openaiChat, openaiResponses, anthropicMessages, googleGenai];
/** Without a database the responses that it keeps, so that the process does not grow with its calls. */
const MEMORY_RESPONSES = 1_000;
/** What the ledger has to write its last rows, however short the grace. */
const LAST_WRITES_MS = 1_000;
/** Whoever calls in this process. */
const OWNER: Caller = { kind: "owner", id: "owner", name: "the owner, in process", projects: [DEFAULT_PROJECT], grants: ["*"] };

/**
 * The front door: models, MCP tools, runs and tasks of one gateway, and its faces over HTTP. Made at once and started by its first use, or by `start()`; two of them in one process share nothing.
 * Calls made through it act as the owner; `as(caller)` acts for somebody else.
 * Errors of the constructor: `invalid_config`, naming every problem with its path.
 */
export class Gateway {
  readonly log: Log;
  readonly providers: Providers;
  readonly mcp: McpProxy;
  /** Rules on what calls of tools say: `explain` tells what they would say of one. */
  readonly toolRules: ArgumentRules;
  readonly tasks: TaskScheduler;
  readonly runs: Runs;
  /** Conversations, kept: what was said, and what a turn of them is made with. */
  readonly sessions: Sessions;
  /** What `route/<name>` leads to: of the configuration, and kept in the database. */
  readonly routes: Routes;
  /** What calls used and cost. */
  readonly usage: UsageLedger;
  /** What is stored, as a file for another store. */
  readonly backups: Backups;
  /** The processes on this store. */
  readonly nodes: Nodes;
  /** The keys that callers present. */
  readonly keys: GatewayKeys;
  /** People who sign in. */
  readonly users: Users;
  /** Settings that can be changed while it runs: limits, timeouts, the log's level, … */
  readonly configuration: RuntimeConfiguration;
  /** What looks at content on its way; `add` adds a check in code, `test` looks at a text. */
  readonly guardrails: Guardrails;
  /** The gateway as a web handler: `fetch(request)`, under any path with `{ basePath }`. */
  readonly fetch: (request: Request, options?: FetchOptions) => Promise<Response>;
  readonly #options: GatewayOptions;
  readonly #base: Foundation;
  readonly #services: Services;
  readonly #policy: Policy;
  readonly #responses: StoredResponses;
  readonly #objects: StoredObjects;
  readonly #models: RoutingModelCaller;
  readonly #engine: RunEngine;
  readonly #sessions: SessionDomain;
  readonly #registry: NodeRegistry;
  readonly #edge: Edge;
  readonly #identity: Identity;
  #starting: Promise<void> | null = null;
  #isStarted = false;
  #closing: Promise<void> | null = null;
  /** Unix ms: when runs and tasks are given back. */
  #endByMs = Infinity;

  constructor(options: GatewayOptions = {}) {
    const base = foundationOf(options);
    const { services, snapshots, http, keys } = base;
    this.#options = options;
    this.#base = base;
    this.#services = services;
    this.log = services.log;
    const { config } = base;
    const snapshot = () => snapshots.current();
    const ready = () => this.start();

    const policy = policyOf(services, {
      ...{ config, ledger: base.ledger, http, snapshot, keys, owner: OWNER, otel: options.otel, codecs, durable: !base.isInMemory },
      providers: () => this.providers,
      breakers: () => this.#models.breakers(),
      nodes: () => this.#registry.alive,
    });
    this.#policy = policy;
    this.#registry = this.#registryOf();
    this.nodes = new Nodes(this.#registry, ready);
    this.guardrails = policy.guardrails;
    this.toolRules = policy.toolRules;
    this.usage = new UsageLedger({ reports: new UsageReports(services), caller: OWNER, ready, file: usageFile });

    this.providers = new Providers({ clock: services.clock, http, providers: config.providers });
    this.#followStored();
    const refresh = () => snapshots.refresh();
    this.backups = backupsOf(base, { ready, refresh });
    const models = new RoutingModelCaller(services, {
      ...{ providers: this.providers, http, codecs, snapshot, steps: policy.modelSteps, attemptSteps: policy.attemptSteps },
      tokenKey: () => keys()("opaque-tokens"),
    });
    this.#models = models;
    const explain = models.explain.bind(models, OWNER);
    this.providers.models.explainWith(explain);
    this.configuration = configurationOf(base, { owner: OWNER, ready });
    this.routes = new Routes(services, { config, providers: this.providers, owner: OWNER, explain, refresh });
    this.mcp = new McpProxy(services, {
      ...{ snapshot, http, owner: OWNER, publicUrl: config.access.publicUrl, spawner: stdioSpawner(), readFile: files.read },
      ...{ steps: policy.steps, guards: policy.guardrails, parkedKey: () => keys()("parked-calls") },
      ...(base.isInMemory ? {} : { fleet: this.#registry }),
    });
    this.#engine = new RunEngine(services, { eventView: toRunEventView, onSignInNeeded: () => snapshot().config.mcp.signIns.inRuns });
    this.tasks = new TaskScheduler(services, { owner: OWNER });
    this.runs = new Runs(this.#engine, OWNER);
    this.#sessions = new SessionDomain(services, {
      ...{ config: () => snapshot().config.sessions, secret: () => keys()("session-tails"), ready },
    });
    this.sessions = this.#sessions.of(OWNER);
    this.#responses = new StoredResponses(services, base.isInMemory ? { maxRows: MEMORY_RESPONSES } : {});
    this.#objects = new StoredObjects(services, { models, providers: this.providers, http, codecs, snapshot });
    this.#connect(models);

    const sessions = (caller: Caller) => this.#sessions.of(caller);
    const { identity, edge } = facesOf(base, {
      ...{ options, mcp: this.mcp, configuration: this.configuration, sessions, counters: policy.counters, owner: OWNER, ready },
    });
    this.#identity = identity;
    this.keys = identity.keys;
    this.users = identity.users;
    this.#edge = edge;
    this.fetch = createFetch((inbound) => this.handle(inbound));
  }

  /** The configuration that holds now, settings of the database included. */
  get config(): Config {
    return this.#base.snapshots.current().config;
  }

  /** The listed models of all providers. */
  get models(): Models {
    return this.providers.models;
  }

  /**
   * Starts a run and gives its handle at once: await it for the result, iterate it for the events, or answer a request with `toResponse()`. The run is stored and outlives its readers.
   * Errors are heard by whoever awaits or reads: `validation_failed`, `idempotency_key_reuse`, `store_unavailable`, and what the run fails with.
   */
  run(request: RunRequest): Run {
    return this.runs.run(request);
  }

  /**
   * A new key for the secrets in the store: what is sealed from now on is sealed with it, and what stands is sealed anew while the gateway runs. To change the secret itself, start with the
   * new one and give the old one in `previousSecrets`. Errors: `conflict`, `store_unavailable`.
   */
  async rotateSecrets(): Promise<Resealed> {
    await this.start();
    return this.#base.secrets.rotate();
  }

  /** Who did what, what calls did, and alerts; each method sees what its caller may. */
  get telemetry(): TelemetryReports {
    return this.#policy.telemetry;
  }

  /** What waits for a person, and what they decide. */
  get inbox(): Inbox {
    return this.#policy.inbox;
  }

  /** The same gateway for another caller: its projects, its grants. */
  as(caller: Caller): { readonly runs: Runs; readonly sessions: Sessions; run(request: RunRequest): Run } {
    const runs = new Runs(this.#engine, caller);
    return { runs, sessions: this.#sessions.of(caller), run: (request) => runs.run(request) };
  }

  /** Hears what happens: ids and numbers, never content. Returns the end of listening. A listener cannot fail a call. */
  on<N extends keyof GatewayEvents>(name: N, listener: GatewayEvents[N]): () => void {
    return this.#services.events.on(name, listener);
  }

  /** One request of a host. Never rejects while the gateway is started; before, with what keeps it from starting, and once it is closed, with `shutting_down`. */
  handle(inbound: Inbound): Promise<HttpAnswer> {
    return this.#isStarted ? this.#handle(inbound) : this.start().then(() => this.#handle(inbound));
  }

  /**
   * Opens the store, reads the keys and connects the MCP servers; one that is down is reported and left to its next use. Idempotent; a start that failed may be tried again.
   * Errors: those of the store, `invalid_config` for an owner key that is refused, `shutting_down`.
   */
  start(): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closed());
    return (this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = null;
      throw error;
    }));
  }

  /**
   * `/ready` answers 503 from now on, so that no new requests are sent here. With `graceMs` it also begins to close: no run and no task is taken any more, those under way are given back when that time is over,
   * and `close` does not go beyond it. What the gateway has is still there for the calls under way, until `close`.
   */
  drain(o: { readonly graceMs?: number } = {}): void {
    this.#edge.drain();
    this.#registry.enter("draining");
    if (o.graceMs !== undefined) this.#endWork(o.graceMs).catch(() => undefined); // `close` hears it too
  }

  /**
   * Ends everything of this gateway: runs and tasks under way are given back so that another process goes on with them, MCP servers are stopped, the ledger is written, the store closed. Idempotent.
   * `graceMs`: how long runs and tasks may go on; `server.timeouts.shutdownMs` when left out.
   */
  close(o: { readonly graceMs?: number } = {}): Promise<void> {
    return (this.#closing ??= this.#close(o.graceMs ?? this.config.server.timeouts.shutdownMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #handle(inbound: Inbound): Promise<HttpAnswer> {
    return this.#policy.telemetry.request(inbound, (seen) => this.#edge.handle(seen));
  }

  /** This process beside the others on its store. */
  #registryOf(): NodeRegistry {
    return new NodeRegistry(this.#services, {
      ...{ release: VERSION, label: processLabel(), durable: !this.#base.isInMemory },
      offers: () => ({ tasks: this.tasks.types, servers: this.mcp.status().map(({ name, connected }) => ({ name, connected })) }),
      onGone: (nodeIds) => void Promise.all([this.#engine.takeOver(nodeIds), this.#policy.money.takeOver(nodeIds)]),
    });
  }

  /** Domains reach each other, and who holds a model reaches it. */
  #connect(models: RoutingModelCaller): void {
    const { clock, seams } = this.#services;
    seams.models.fill(models);
    seams.resources.set("route", this.routes.actions());
    seams.resources.set("provider", providerActions(this.providers, this.#base.store));
    seams.resources.set("providerKey", providerKeyActions());
    seams.resources.set("model", modelActions());
    seams.responses.fill(this.#responses);
    seams.objects.fill(this.#objects);
    seams.tools.fill(this.mcp.toolCaller());
    seams.mcpServers.fill(this.mcp.administration());
    seams.toolPins.fill(this.mcp.toolPins());
    for (const source of this.mcp.inboxSources()) seams.inbox.get().add(source);
    seams.enrichments.fill(this.mcp.enrichment);
    seams.resources.set("enrichmentRule", this.mcp.enrichment.actions());
    seams.resources.set("mcpServer", this.mcp.serverActions());
    seams.runs.fill(this.#engine);
    seams.conversations.fill(this.#sessions.turns);
    seams.resources.set("session", this.#sessions.actions());
    const { videos } = this.#objects;
    const requestMs = (): number => this.config.server.timeouts.requestMs;
    this.providers.models.askWith(new CallerAsker({ models, videos, clock, caller: OWNER, requestMs, ready: () => this.start() }));
  }

  /** Providers and MCP servers of the store come and go with its rows. */
  #followStored(): void {
    const { log } = this.#services;
    const onFault = (name: string, error: unknown): void =>
      log.error("a stored provider or model cannot be used and does not count", { name, code: GatewayError.from(error).code });
    const stored = new StoredProviders({
      providers: this.providers,
      open: (sealed, place) => this.#base.secrets.open(sealed, place),
      onFault,
    });
    this.#base.snapshots.onSwap(({ records }) =>
      stored.use({ providers: records.of(storedProvider), keys: records.of(storedProviderKey), models: records.of(storedModel) }),
    );
    this.#base.snapshots.onSwap(({ records }) => {
      this.mcp.useStored(records.of(mcpServer));
      this.mcp.useRecords(records);
    });
  }

  async #start(): Promise<void> {
    await this.#base.store.ready();
    await this.#base.shared?.start();
    await this.#base.secrets.start(this.#base.config);
    if (this.#base.secrets.areOfThisProcess && !this.#base.isInMemory)
      this.log.warn(
        "no secret was given: keys and secrets that are stored now are of no use after this process; set SALLYPORT_SECRET (openssl rand -base64 32)",
      );
    if (this.#options.auth === undefined) await this.#identity.ensureOwner(this.#ownerKey(), this.#options.onOwnerKey);
    await this.#base.snapshots.start();
    await this.#registry.start();
    await this.guardrails.start();
    await this.mcp.start();
    if (this.#closing !== null) throw closed();
    await this.#policy.telemetry.start();
    this.tasks.start();
    this.#identity.start();
    this.#engine.work();
    this.#policy.inbox.work();
    this.#objects.work();
    this.#sessions.work();
    this.#policy.money.work();
    this.#isStarted = true;
    this.#registry.enter("ready");
  }

  #ownerKey(): GatewayOptions["ownerKey"] {
    return this.#options.ownerKey ?? ((this.#options.env ?? processEnvironment())["SALLYPORT_OWNER_KEY"] || undefined);
  }

  async #close(graceMs: number): Promise<void> {
    this.#edge.drain();
    this.#registry.enter("draining");
    // A start that waits for a server goes on at once; whoever started it hears of it.
    if (!this.#isStarted) await Promise.all([this.mcp.close(), this.#starting?.catch(() => undefined)]);
    await this.#endWork(graceMs);
    this.#isStarted = false; // calls under way go on; a new one hears that it is closed
    await this.mcp.close();
    this.#models.close();
    await this.#policy.telemetry.close();
    this.#base.secrets.close();
    this.#policy.inbox.stop();
    this.#identity.close();
    await this.#base.ledger.close(Math.max(this.#endByMs, this.#services.clock.now() + LAST_WRITES_MS));
    await this.#policy.money.close();
    await this.#registry.close();
    await this.#base.snapshots.close();
    await this.#base.http.close();
    await this.#base.shared?.close();
    await this.#base.store.close();
  }

  /** The earliest end that anybody asked for holds. */
  async #endWork(graceMs: number): Promise<void> {
    this.#endByMs = Math.min(this.#endByMs, this.#services.clock.now() + graceMs);
    await Promise.all([
      this.#engine.close({ graceMs }),
      this.tasks.close({ graceMs }),
      this.#responses.close({ graceMs }),
      this.#objects.close(),
      this.#sessions.close(),
    ]);
  }
}

function backupsOf({ store, services, secrets }: Foundation, o: { ready(): Promise<void>; refresh(): Promise<void> }): Backups {
  const { clock, crypto } = services;
  return new Backups({ ...{ store, clock, crypto, ...o }, seal: (value, place) => secrets.seal(value, place) });
}

function closed(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is closed.");
}
