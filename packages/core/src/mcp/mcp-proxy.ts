import { mayDo } from "../access/grants.js";
import { Personas } from "../access/personas/personas.js";
import { mcpTool, toolPin, type McpServerRow } from "../entities/index.js";
import type { Records } from "../config/records.js";
import type { Caller, HttpAnswer, JsonObject, ToolDefinition, ToolResult } from "../calls/index.js";
import type { CallOptions, InboxSource, McpServers, ResourceActions, Services, ToolCaller, ToolPins } from "../seams/index.js";
import { matchesGlob } from "../util/glob.js";
import { newId } from "../util/ids.js";
import { VERSION } from "../util/version.js";
import { bridgeParts, type BridgeParts } from "./bridge/bridge-parts.js";
import { Channels, type Channel, type OpenChannel } from "./channels/channels.js";
import type { ClientTransport } from "./channels/client-transport.js";
import type { SseChannels } from "./channels/sse-channels.js";
import { Catalogue } from "./catalogue/catalogue.js";
import { FollowedRecords } from "./catalogue/followed-records.js";
import type { Withheld } from "./catalogue/shelf.js";
import { McpFace } from "./downstream/face.js";
import { Enrichment } from "./enrichment/enrichment.js";
import { stringMember } from "./frames/message.js";
import { LegacyFace } from "./downstream/legacy-face.js";
import { LegacySessions } from "./subscribers/legacy-sessions.js";
import { Listens } from "./subscribers/listens.js";
import { LogLevels } from "./subscribers/log-levels.js";
import { Methods } from "./downstream/methods.js";
import { ModernFace } from "./downstream/modern-face.js";
import { Notifier, type MayUse } from "./subscribers/notifier.js";
import { OtherNodes } from "./subscribers/other-nodes.js";
import { SharedSessions } from "./subscribers/shared-sessions.js";
import { subjectTokenOf } from "../access/tokens/subject-tokens.js";
import type { McpCallOptions, McpProxyOptions } from "./mcp-proxy-options.js";
import { McpOAuth } from "./oauth/mcp-oauth.js";
import { OtherCalls } from "./downstream/other-calls.js";
import type { McpRequest } from "./downstream/request.js";
import { TaskCalls } from "./downstream/task-calls.js";
import { ToolCalls } from "./downstream/tool-calls.js";
import { CallExplainer } from "./policy/explain-call.js";
import { RepeatedCalls } from "./policy/repeated-calls.js";
import { ChangeSource } from "./inbox/change-source.js";
import { PinKeeper } from "./pins/pin-keeper.js";
import type { ProbedServer } from "./probe-server.js";
import type { McpServerInput, Trust } from "./server-target.js";
import { ToolSearch } from "./search/tool-search.js";
import { LongResults } from "./results/long-results.js";
import { serverActions } from "./servers/server-actions.js";
import { ServerAdmin } from "./servers/server-admin.js";
import { ServerSet } from "./servers/server-set.js";
import { ProxyToolCaller } from "./tool-caller.js";
import { ToolPolicy } from "./tool-policy.js";
import type { ServerStatus } from "./upstream/server-status.js";
import type { ListKind } from "./upstream/list-entries.js";
import type { McpLimits, UpstreamDeps } from "./upstream/upstream-deps.js";

const LIMITS: McpLimits = { connectMs: 30_000, listMs: 15_000, startMs: 5_000, maxMessageBytes: 67_108_864 };
const CALL_MS = 600_000;

/**
 * Every MCP server behind one address: connects servers that are child processes, speak Streamable HTTP or live in this process, and offers their tools, prompts and
 * resources under `server__name` to clients of every protocol revision, to runs and to code. What happens to one server does not touch the others.
 */
export class McpProxy {
  /** The gateway's own sign-ins at servers that are signed in at by OAuth. */
  readonly oauth: McpOAuth;
  /** What is added to tools' results. */
  readonly enrichment: Enrichment;
  readonly #services: Services;
  readonly #o: McpProxyOptions;
  readonly #catalogue: Catalogue;
  readonly #deps: UpstreamDeps;
  readonly #servers: ServerSet;
  readonly #notifier: Notifier;
  readonly #pins: PinKeeper;
  readonly #results: LongResults;
  readonly #followed: FollowedRecords;
  readonly #sessions: LegacySessions;
  readonly #listens: Listens;
  readonly #logLevels: LogLevels;
  readonly #face: McpFace;
  readonly #tools: ProxyToolCaller;
  readonly #others: OtherNodes | null;
  readonly #asking: BridgeParts;
  readonly #channels: Channels;
  readonly #personas = new Personas();
  #starting: Promise<void> | null = null;
  #closed = false;

  constructor(services: Services, options: McpProxyOptions) {
    this.#services = services;
    this.#o = options;
    const { clock, crypto } = services;
    const sha256 = (bytes: Uint8Array): Uint8Array => crypto.sha256(bytes);
    const withheld: Withheld = (server, entry) => this.#pins.withholds(server, entry);
    const catalogue = (this.#catalogue = new Catalogue({
      ...{ sha256, withheld, takesPurpose: () => policy.takesPurpose() },
      words: () => options.snapshot().records.of(mcpTool),
    }));
    const serve = (request: McpRequest, o: CallOptions) => this.serve(request, o);
    this.enrichment = new Enrichment({ services, snapshot: options.snapshot, catalogue, serve, tools: () => this.#tools });
    const repeated = new RepeatedCalls(services);
    const steps = [repeated.first(), this.enrichment.step(), ...options.steps, repeated.last()];
    const policy = new ToolPolicy(services, { ...options, steps });
    const bound = (caller: Caller): Caller => this.#bound(caller);
    const mayUse: MayUse = (caller, name) => mayDo(bound(caller), "mcp", name);
    this.#notifier = new Notifier({
      clock,
      mayUse,
      looksAt: (caller, server) => policy.looksAt(caller, server),
      principalOf: (caller) => this.oauth.principalOf(caller),
    });
    this.#followed = new FollowedRecords({ catalogue, notifier: this.#notifier });
    this.#pins = new PinKeeper(services, {
      modeOf: (server) => catalogue.get(server)?.target.pin ?? options.snapshot().config.mcp.pin,
      rows: () => options.snapshot().records.of(toolPin),
      onChange: () => catalogue.changed(),
    });
    this.oauth = new McpOAuth(services, {
      ...{ http: options.http, publicUrl: options.publicUrl, subjectOf: subjectTokenOf },
      askedMs: () => options.snapshot().config.mcp.signIns.expiresMs,
      onSignedIn: (server, principal) => this.#tryAgain(server, principal),
    });
    this.#deps = this.#makeDeps();
    this.#servers = new ServerSet({ services, catalogue, notifier: this.#notifier, deps: this.#deps });
    const notifier = this.#notifier;
    const { fleet, snapshot, parkedKey: key } = options;
    const { questions, tasks } = (this.#asking = bridgeParts(services, { snapshot, key, fleet }));
    const shared = fleet === undefined ? undefined : new SharedSessions(services);
    const telling = { clock, catalogue, notifier, assertSayable: policy.assertSayable };
    const onLogs = () => this.#logLevels.update(this.#sessions.all());
    const sessions = (this.#sessions = new LegacySessions({ ...telling, crypto, shared, questions, onLogs }));
    this.#others =
      fleet === undefined || shared === undefined ? null : new OtherNodes(services, { fleet, shared, sessions, catalogue, notifier });
    this.#logLevels = new LogLevels(catalogue, clock);
    this.#tools = new ProxyToolCaller({ catalogue, clock, policy, bound, begin: () => this.#begin() });
    const results = (this.#results = new LongResults(services, { snapshot: options.snapshot }));
    const changed = (signal: AbortSignal) => this.#asking.parking.changed(signal);
    const taskCalls = new TaskCalls({ catalogue, policy, results, tasks, mayUse, changed, version: VERSION });
    this.#listens = new Listens({ ...telling, version: VERSION, tasks: taskCalls });
    this.#channels = new Channels({
      ...{ clock, crypto, owner: options.owner, serve: (request, o) => this.serve(request, o) },
      requestMs: () => options.snapshot().config.server.timeouts.requestMs,
    });
    this.#face = this.#makeFace(policy, sessions, taskCalls);
  }

  /**
   * Begins to connect what the configuration names, or the demo server when it names nothing. Resolves when each first attempt has ended, or after `limits.startMs`: a
   * server that is slow or down keeps nobody waiting. Idempotent.
   */
  start(): Promise<void> {
    return (this.#starting ??= this.#start());
  }

  /**
   * Adds a server and connects it. It stays added when the connection fails, and is tried again. `trust` "remote" is for what came over HTTP: such a server is started
   * only when `mcp.allowStdio` names it, and dialled only at public addresses.
   * Errors: `conflict` when the name is taken, `validation_failed`, `stdio_not_allowed`, `misconfigured`, and those of the connection.
   */
  async connect(name: string, input: McpServerInput, o: { readonly trust?: Trust } = {}): Promise<ServerStatus> {
    await this.start();
    const upstream = this.#servers.add(name, input, o.trust ?? "operator");
    await upstream.ready({ deadlineMs: this.#services.clock.now() + this.#deps.limits.connectMs + this.#deps.limits.listMs });
    return upstream.status();
  }

  /** Ends the connection and forgets the server; its process is gone when this resolves. False: there was none of this name. */
  disconnect(name: string): Promise<boolean> {
    return this.#servers.remove(name);
  }

  /** The servers that the store has, as of now: added, changed and taken away; those whose target did not change keep their connection. */
  useStored(rows: readonly McpServerRow[]): void {
    this.#servers.useStored(rows);
  }

  /** What the store says of tools and namespaces, as of now: the lists follow. */
  useRecords(records: Records): void {
    this.#followed.use(records);
  }

  /** Calls that wait for their clients, and tasks, end with the key or user that they were made by. */
  endWaiting(isStanding: (credentialId: string) => boolean): void {
    this.#asking.parking.endUnless(isStanding);
  }

  /** Every server by name, with its last error. For the operator: it may hold what a server wrote to its error output. */
  status(): readonly ServerStatus[] {
    return this.#servers.status();
  }

  /** Connects once, looks what is there, and leaves nothing behind; `signal` ends it earlier. Errors: as of `connect`. */
  async probe(input: McpServerInput, o: { readonly trust?: Trust; readonly signal?: AbortSignal } = {}): Promise<ProbedServer> {
    const target = this.#servers.target("probe", input, o.trust ?? "operator");
    return this.#servers.probe(this.oauth.probed("probe", target, { isThere: false }), o.signal);
  }

  /** The tools, in stable order: all, or those whose name matches a glob, or that hold a text in name, title or description. */
  async tools(query?: string, o: { readonly caller?: Caller } = {}): Promise<readonly ToolDefinition[]> {
    const tools = await this.#tools.list(o.caller ?? this.#o.owner);
    if (query === undefined || query === "") return tools;
    if (query.includes("*")) return tools.filter((tool) => matchesGlob(query, tool.name));
    const wanted = query.toLowerCase();
    return tools.filter((tool) => [tool.name, tool.title, tool.description].some((text) => text?.toLowerCase().includes(wanted) === true));
  }

  /** Calls `server__tool`. A result with `isError` is a result. Errors: as of `ToolCaller.call`. */
  call(name: string, args: JsonObject = {}, o: McpCallOptions = {}): Promise<ToolResult> {
    const call = { name, arguments: JSON.stringify(args), onProgress: o.onProgress, idempotencyKey: o.idempotencyKey };
    return this.#tools.call(call, {
      caller: o.caller ?? this.#o.owner,
      requestId: newId("req"),
      signal: o.signal ?? new AbortController().signal,
      deadlineMs: this.#services.clock.now() + (o.timeoutMs ?? CALL_MS),
      depth: 0,
    });
  }

  /** One HTTP request of an MCP client, whose caller is known. Always answers; the answer's `done` has to be called. */
  serve(request: McpRequest, o: CallOptions): Promise<HttpAnswer> {
    this.#begin();
    const caller = this.#bound(o.caller);
    return this.#face.serve(request, caller === o.caller ? o : { ...o, caller });
  }

  /** Clients of 2024-11-05: a stream, and messages that are posted beside it. */
  get streams(): SseChannels {
    return this.#channels.sse;
  }

  /** A client that speaks over a pipe: `send` is given what it is told, message by message. Close it when the client is gone. */
  open(o: OpenChannel & { readonly send: (message: Uint8Array) => void }): Channel {
    this.#begin();
    return this.#channels.open(o);
  }

  /** What `Client.connect` of the official SDK takes, for a client in this process. */
  transport(o: OpenChannel = {}): ClientTransport {
    this.#begin();
    return this.#channels.transport(o);
  }

  /** What the seam `mcpServers` is filled with. */
  administration(): McpServers {
    const search = new ToolSearch((caller) => this.#tools.list(caller));
    const oauth = (name: string) => this.oauth.status(name);
    const signedIn: McpOAuth["probed"] = (name, target, o) => this.oauth.probed(name, target, o);
    const catalogue = this.#catalogue;
    const bound = (caller: Caller): Caller => this.#bound(caller);
    const explainer = new CallExplainer({ catalogue, clock: this.#services.clock, snapshot: this.#o.snapshot, bound });
    return new ServerAdmin({ servers: this.#servers, catalogue, begin: () => this.start(), search, explainer, oauth, signedIn });
  }

  /** What the resource API does of stored servers beside its verbs. */
  serverActions(): ResourceActions {
    const catalogue = this.#catalogue;
    return serverActions({
      servers: this.#servers,
      targetOf: (name) => catalogue.get(name)?.target,
      names: () => catalogue.all().map(({ name }) => name),
      snapshot: this.#o.snapshot,
    });
  }

  /** What the seam `toolPins` is filled with. */
  toolPins(): ToolPins {
    return this.#pins;
  }

  /** What MCP servers ask people in the inbox: sign-ins, and definitions of tools. */
  inboxSources(): readonly InboxSource[] {
    return [this.oauth.asked, new ChangeSource(this.#services, this.#pins)];
  }

  /** What the seam `tools` is filled with. */
  toolCaller(): ToolCaller {
    return this.#tools;
  }

  /** Ends streams and sessions, then every connection; resolves when no process is left. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#channels.close();
    this.#listens.close();
    this.#sessions.close();
    this.#notifier.close();
    this.#results.close();
    await this.#others?.close();
    await this.#asking.parking.close();
    await this.oauth.close();
    await this.#servers.close();
  }

  /** Whoever comes in here, over whichever face, may what its personas leave it now. */
  #bound(caller: Caller): Caller {
    return this.#personas.bind(caller, this.#o.snapshot());
  }

  /** Somebody signed in at a server. What one principal is shown there is read when its client asks for it. */
  #tryAgain(server: string, principal: string): void {
    if (principal !== "") {
      for (const kind of ["tools", "prompts", "resources"] as const) this.#listChanged(server, kind, principal);
      return;
    }
    const deadlineMs = this.#services.clock.now() + this.#deps.limits.connectMs + this.#deps.limits.listMs;
    // Its status tells what comes of it.
    this.#catalogue
      .get(server)
      ?.readAgain({ deadlineMs })
      .catch(() => undefined);
  }

  #listChanged(server: string, kind: ListKind, whose?: string): void {
    this.#notifier.listChanged(server, kind, whose);
    this.#others?.listChanged(server, kind, whose);
  }

  #begin(): void {
    // What can go wrong is told by each server's status.
    if (this.#starting === null) void this.start();
  }

  async #start(): Promise<void> {
    if (this.#closed) return;
    this.#others?.start();
    this.#asking.parking.start();
    this.#results.start();
    this.#servers.start();
    await this.oauth.work();
    await this.#catalogue.started();
  }

  #makeFace(policy: ToolPolicy, sessions: LegacySessions, tasks: TaskCalls): McpFace {
    const { clock, events } = this.#services;
    const { fleet, snapshot } = this.#o;
    const { bridge } = this.#asking;
    const catalogue = this.#catalogue;
    const results = this.#results;
    const methods = new Methods({
      tools: new ToolCalls({ clock, catalogue, policy, bridge, results, version: VERSION }),
      others: new OtherCalls({ clock, events, catalogue, policy, bridge, results, version: VERSION }),
    });
    return new McpFace({
      ...{ snapshot, catalogue },
      legacy: new LegacyFace({
        ...{ catalogue, sessions, methods, logLevels: this.#logLevels, version: VERSION },
        hasPeers: () => fleet?.hasPeers === true,
        onTold: () => this.#others?.hint(),
      }),
      modern: new ModernFace({ catalogue, methods, listens: this.#listens, tasks, version: VERSION }),
    });
  }

  #makeDeps(): UpstreamDeps {
    const { clock, log, events, redactor } = this.#services;
    const { snapshot, http, spawner, readFile } = this.#o;
    return {
      clock,
      log,
      snapshot,
      redact: (text) => redactor.redact(text),
      http,
      spawner,
      readFile,
      version: VERSION,
      limits: { ...LIMITS, ...this.#o.limits },
      prepare: (server, target) => this.oauth.prepared(server, target),
      forgotten: (server) => this.oauth.forgotten(server),
      vet: (server, tools, o) => this.#pins.vet(server, tools, o),
      onListChanged: (server, kind, whose) => {
        // What is one principal's own changes nothing of what others are shown.
        if (whose === undefined) this.#catalogue.changed();
        this.#listChanged(server, kind, whose);
      },
      onLeftOut: (server, list, { count, why }) =>
        events.emit("server.left_out", { server, list, count, why: why.map((text) => redactor.redact(text)) }),
      onStatus: (server, connected, error) => {
        events.emit("server.changed", { server, connected, error });
        const upstream = connected ? this.#catalogue.get(server) : undefined;
        if (upstream !== undefined) this.#logLevels.tell(upstream);
      },
      onResourceUpdated: (server, notice, whose) => {
        this.#notifier.resourceUpdated(server, notice, whose);
        const uri = stringMember(notice.bytes, notice.params, "uri");
        if (uri !== null) this.#others?.resourceUpdated(server, uri, whose);
      },
      onLog: (server, owner, notice) => this.#notifier.logged(server, owner, notice),
    };
  }
}
