import type { Caller, HttpAnswer, JsonObject, ToolDefinition, ToolEvent, ToolResult } from "../calls/index.js";
import { configSchema, type McpServerConfig } from "../config/schema.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import type { HttpClient, McpSpawner } from "../ports/index.js";
import type { CallOptions, Services, ToolCaller } from "../seams/index.js";
import { matchesGlob } from "../util/glob.js";
import { newId } from "../util/ids.js";
import { VERSION } from "../util/version.js";
import { Catalogue } from "./catalogue/catalogue.js";
import { DEMO_AGREEMENT, openDemoServer } from "./demo/demo-server.js";
import { McpFace } from "./downstream/face.js";
import { secretsOf } from "./lanes/redacting-lane.js";
import { LegacyFace } from "./downstream/legacy-face.js";
import { LegacySessions } from "./subscribers/legacy-sessions.js";
import { Listens } from "./subscribers/listens.js";
import { LogLevels } from "./subscribers/log-levels.js";
import { Methods } from "./downstream/methods.js";
import { ModernFace } from "./downstream/modern-face.js";
import { Notifier } from "./subscribers/notifier.js";
import { OtherCalls } from "./downstream/other-calls.js";
import type { McpRequest } from "./downstream/request.js";
import { ToolCalls } from "./downstream/tool-calls.js";
import { probeServer, type ProbedServer } from "./probe-server.js";
import { admit, configuredTarget, inProcessTarget, type McpServerInput, type ServerTarget, type Trust } from "./server-target.js";
import { ProxyToolCaller } from "./tool-caller.js";
import { ToolPolicy, type ReadGuard, type ToolSteps } from "./tool-policy.js";
import { Upstream, type ServerStatus } from "./upstream/upstream.js";
import type { McpLimits, UpstreamDeps } from "./upstream/upstream-deps.js";

export interface McpProxyOptions {
  readonly snapshot: () => Snapshot;
  /** Every tool call passes them, wherever it comes from. */
  readonly steps: ToolSteps;
  /** Looks at resources and prompts that are read; nobody does when left out. */
  readonly readGuard?: ReadGuard | undefined;
  /** The guarded dialer, for servers with a URL. */
  readonly http: HttpClient;
  /** Starts servers that are child processes; left out where there are none. */
  readonly spawner?: McpSpawner | undefined;
  /** Who calls made in this process act as. */
  readonly owner: Caller;
  readonly limits?: Partial<McpLimits> | undefined;
}

export interface McpCallOptions {
  /** Left out: the owner. */
  readonly caller?: Caller | undefined;
  readonly signal?: AbortSignal | undefined;
  /** 10 minutes when left out. */
  readonly timeoutMs?: number | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly onProgress?: ((event: Extract<ToolEvent, { type: "progress" }>) => void) | undefined;
}

const LIMITS: McpLimits = { connectMs: 30_000, listMs: 15_000, startMs: 5_000, maxMessageBytes: 67_108_864 };
const CALL_MS = 600_000;

/**
 * Every MCP server behind one address: connects servers that are child processes, speak Streamable HTTP or live in this process, and offers their tools, prompts and
 * resources under `server__name` to clients of every protocol revision, to runs and to code. What happens to one server does not touch the others.
 */
export class McpProxy {
  readonly #services: Services;
  readonly #o: McpProxyOptions;
  readonly #catalogue: Catalogue;
  readonly #deps: UpstreamDeps;
  readonly #notifier: Notifier;
  readonly #sessions: LegacySessions;
  readonly #listens: Listens;
  readonly #logLevels: LogLevels;
  readonly #face: McpFace;
  readonly #tools: ProxyToolCaller;
  #starting: Promise<void> | null = null;
  #closed = false;

  constructor(services: Services, options: McpProxyOptions) {
    this.#services = services;
    this.#o = options;
    const { clock, crypto } = services;
    const policy = new ToolPolicy(services, options);
    const catalogue = (this.#catalogue = new Catalogue(() => policy.takesPurpose()));
    this.#notifier = new Notifier(clock);
    this.#deps = this.#makeDeps();
    this.#sessions = new LegacySessions({ clock, crypto, catalogue, notifier: this.#notifier });
    this.#listens = new Listens({ clock, catalogue, notifier: this.#notifier, version: VERSION });
    this.#logLevels = new LogLevels(catalogue, clock);
    this.#tools = new ProxyToolCaller({ catalogue, policy, begin: () => this.#begin() });
    const methods = new Methods({
      tools: new ToolCalls({ clock, catalogue, policy, version: VERSION }),
      others: new OtherCalls({ catalogue, policy, version: VERSION }),
    });
    this.#face = new McpFace({
      snapshot: options.snapshot,
      legacy: new LegacyFace({ catalogue, sessions: this.#sessions, methods, logLevels: this.#logLevels, version: VERSION }),
      modern: new ModernFace({ catalogue, methods, listens: this.#listens, version: VERSION }),
    });
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
    const target = this.#target(name, input, o.trust ?? "operator");
    if (this.#closed) throw new GatewayError("shutting_down", "The gateway is closing.");
    if (this.#catalogue.get(name) !== undefined)
      throw new GatewayError("conflict", `There is an MCP server "${name}" already.`, {
        hint: "Disconnect it first, or use another name.",
      });
    const upstream = this.#add(name, target);
    await upstream.ready({ deadlineMs: this.#services.clock.now() + this.#deps.limits.connectMs + this.#deps.limits.listMs });
    return upstream.status();
  }

  /** Ends the connection and forgets the server; its process is gone when this resolves. False: there was none of this name. */
  async disconnect(name: string): Promise<boolean> {
    const upstream = this.#catalogue.remove(name);
    if (upstream === undefined) return false;
    for (const kind of ["tools", "resources", "prompts"] as const) this.#notifier.listChanged(name, kind);
    await upstream.close();
    return true;
  }

  /** Every server by name, with its last error. For the operator: it may hold what a server wrote to its error output. */
  status(): readonly ServerStatus[] {
    return this.#catalogue.all().map((upstream) => upstream.status());
  }

  /** Connects once, looks what is there, and leaves nothing behind; `signal` ends it earlier. Errors: as of `connect`. */
  async probe(input: McpServerInput, o: { readonly trust?: Trust; readonly signal?: AbortSignal } = {}): Promise<ProbedServer> {
    return probeServer(this.#target("probe", input, o.trust ?? "operator"), this.#deps, o.signal);
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
    return this.#face.serve(request, o);
  }

  /** What the seam `tools` is filled with. */
  toolCaller(): ToolCaller {
    return this.#tools;
  }

  /** Ends streams and sessions, then every connection; resolves when no process is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#listens.close();
    this.#sessions.close();
    this.#notifier.close();
    await Promise.all(this.#catalogue.all().map((upstream) => upstream.close()));
  }

  #begin(): void {
    // What can go wrong is told by each server's status.
    if (this.#starting === null) void this.start();
  }

  async #start(): Promise<void> {
    if (this.#closed) return;
    const configured = this.#o.snapshot().config.mcpServers;
    if (configured === undefined) {
      const { clock } = this.#services;
      this.#add("demo", {
        kind: "in-process",
        trust: "operator",
        open: () => Promise.resolve(openDemoServer(clock)),
        agreement: DEMO_AGREEMENT,
      });
    } else for (const [name, config] of Object.entries(configured)) this.#add(name, configuredTarget(config, "operator"));
    await this.#catalogue.started();
  }

  #add(name: string, target: ServerTarget): Upstream {
    const { clock, redactor } = this.#services;
    for (const secret of secretsOf(target)) redactor.add(secret);
    const upstream = new Upstream(name, target, this.#deps);
    this.#catalogue.add(upstream);
    this.#catalogue.starting(upstream.start(), clock, clock.now() + this.#deps.limits.startMs);
    return upstream;
  }

  #target(name: string, input: McpServerInput, trust: Trust): ServerTarget {
    if ("server" in input) {
      checked(name, { command: "in-process" });
      return inProcessTarget(input);
    }
    const target = configuredTarget(checked(name, input), trust);
    admit(target, this.#o.snapshot());
    return target;
  }

  #makeDeps(): UpstreamDeps {
    const { clock, log, events, redactor } = this.#services;
    const { snapshot, http, spawner } = this.#o;
    return {
      clock,
      log,
      snapshot,
      redact: (text) => redactor.redact(text),
      http,
      spawner,
      version: VERSION,
      limits: { ...LIMITS, ...this.#o.limits },
      onListChanged: (server, kind) => {
        this.#catalogue.changed();
        this.#notifier.listChanged(server, kind);
      },
      onStatus: (server, connected, error) => {
        events.emit("server.changed", { server, connected, error });
        const upstream = connected ? this.#catalogue.get(server) : undefined;
        if (upstream !== undefined) this.#logLevels.tell(upstream);
      },
      onResourceUpdated: (server, notice) => this.#notifier.resourceUpdated(server, notice),
      onLog: (server, owner, notice) => this.#notifier.logged(server, owner, notice),
    };
  }
}

/** The configuration's own rules, with its messages. */
function checked(name: string, input: unknown): McpServerConfig {
  const parsed = configSchema.shape.mcpServers.safeParse({ [name]: input });
  const config = parsed.data !== undefined && Object.hasOwn(parsed.data, name) ? parsed.data[name] : undefined;
  if (parsed.success && config !== undefined) return config;
  const issue = parsed.error?.issues[0];
  throw new GatewayError(
    "validation_failed",
    `The MCP server is not described rightly: ${issue === undefined ? "unknown shape" : `${issue.path.join(".")}: ${issue.message}`}.`,
    {
      hint: "It has a command and args, or a url and headers, as in mcpServers.",
    },
  );
}
