import type { McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Services } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { DEMO_AGREEMENT, openDemoServer } from "../demo/demo-server.js";
import { secretsOf } from "../lanes/redacting-lane.js";
import { probeServer, type ProbedServer } from "../probe-server.js";
import { admit, configuredTarget, inProcessTarget, type McpServerInput, type ServerTarget, type Trust } from "../server-target.js";
import type { Notifier } from "../subscribers/notifier.js";
import type { ServerStatus } from "../upstream/server-status.js";
import { Upstream } from "../upstream/upstream.js";
import type { UpstreamDeps } from "../upstream/upstream-deps.js";
import { checkedConfig, sameTarget, storedTarget } from "./stored-target.js";

export interface ServerSetOptions {
  readonly services: Services;
  readonly catalogue: Catalogue;
  readonly notifier: Notifier;
  readonly deps: UpstreamDeps;
}
export type ServerOrigin = "configuration" | "code" | "database";

/**
 * The servers there are: of the configuration, of code, and of the store. One of the store never takes a name of the others. A name is claimed at once and dialled outside of any lock; whoever takes
 * it away, or gives it to another, meanwhile wins: the connection that comes late is closed.
 */
export class ServerSet {
  readonly #o: ServerSetOptions;
  /** Of each server in the catalogue. */
  readonly #origins = new Map<string, ServerOrigin>();
  #rows: readonly McpServerRow[] = [];
  /** Rows that can't be used, with the version of which it was said. */
  readonly #faults = new Map<string, number>();
  #isStarted = false;
  #isClosed = false;

  constructor(o: ServerSetOptions) {
    this.#o = o;
  }

  originOf(name: string): ServerOrigin | null {
    return this.#origins.get(name) ?? null;
  }

  /** Claims what the configuration and the store name, and the demo server when the configuration says nothing. */
  start(): void {
    if (this.#isClosed || this.#isStarted) return;
    this.#isStarted = true;
    const configured = this.#o.deps.snapshot().config.mcpServers;
    if (configured === undefined) {
      const { clock } = this.#o.services;
      const open = () => Promise.resolve(openDemoServer(clock));
      this.#put("demo", { kind: "in-process", trust: "operator", open, agreement: DEMO_AGREEMENT }, "configuration");
    } else for (const [name, config] of Object.entries(configured)) this.#put(name, configuredTarget(config, "operator"), "configuration");
    this.#follow();
  }

  /** From now on the servers of these rows are there, and no others of the store. Those whose target did not change keep their connection. Never throws: a row that can't be used is logged, and does not count. */
  useStored(rows: readonly McpServerRow[]): void {
    if (rows === this.#rows) return;
    this.#rows = rows;
    if (this.#isStarted && !this.#isClosed) this.#follow();
  }

  /** A server of code. Errors: `conflict`, `validation_failed`, `stdio_not_allowed`, `misconfigured`, `shutting_down`. */
  add(name: string, input: McpServerInput, trust: Trust): Upstream {
    const target = this.target(name, input, trust);
    if (this.#isClosed) throw new GatewayError("shutting_down", "The gateway is closing.");
    if (this.#o.catalogue.get(name) !== undefined)
      throw new GatewayError("conflict", `There is an MCP server "${name}" already.`, {
        hint: "Disconnect it first, or use another name.",
      });
    return this.#put(name, target, "code");
  }

  /** False: there was none of this name. */
  async remove(name: string): Promise<boolean> {
    const upstream = this.#o.catalogue.remove(name);
    if (upstream === undefined) return false;
    this.#origins.delete(name);
    this.#o.deps.forgotten?.(name);
    for (const kind of ["tools", "resources", "prompts"] as const) this.#o.notifier.listChanged(name, kind);
    await upstream.close();
    // What the store has under a name that is free now.
    if (this.#isStarted && !this.#isClosed) this.#follow();
    return true;
  }

  /** Checked as one that came from there. Errors: `validation_failed`, `stdio_not_allowed`, `misconfigured`. */
  target(name: string, input: McpServerInput, trust: Trust): ServerTarget {
    if (typeof input !== "object" || input === null)
      throw new GatewayError("validation_failed", "An MCP server is described by an object.");
    // What came from outside is JSON, and no object of this process.
    if (trust === "operator" && "server" in input) {
      const { callTimeoutMs, resilience } = input;
      return inProcessTarget(input, checkedConfig(name, { command: "in-process", callTimeoutMs, resilience }));
    }
    const target = configuredTarget(checkedConfig(name, input), trust);
    admit(target, this.#o.deps.snapshot());
    return target;
  }

  probe(target: ServerTarget, signal?: AbortSignal): Promise<ProbedServer> {
    return probeServer(target, this.#o.deps, signal);
  }

  status(): readonly ServerStatus[] {
    return this.#o.catalogue.all().map((upstream) => upstream.status());
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#o.catalogue.all().map((upstream) => upstream.close()));
  }

  #follow(): void {
    const wanted = new Map<string, ServerTarget>();
    for (const row of this.#rows) {
      const origin = this.originOf(row.name);
      if (!row.enabled || (origin !== null && origin !== "database")) continue;
      const target = this.#targetOf(row);
      if (target !== null) wanted.set(row.name, target);
    }
    for (const [name, origin] of [...this.#origins]) if (origin === "database" && !wanted.has(name)) void this.#drop(name);
    for (const [name, target] of wanted) {
      const known = this.#o.catalogue.get(name);
      if (known === undefined || !sameTarget(known.target, target)) this.#put(name, target, "database");
    }
  }

  /** Gone from the lists at once; its connection ends in its own time. */
  #drop(name: string): Promise<void> {
    const upstream = this.#o.catalogue.remove(name);
    this.#origins.delete(name);
    this.#o.deps.forgotten?.(name);
    for (const kind of ["tools", "resources", "prompts"] as const) this.#o.notifier.listChanged(name, kind);
    return upstream?.close() ?? Promise.resolve();
  }

  /** null: it can't be used. */
  #targetOf(row: McpServerRow): ServerTarget | null {
    const { seams, log } = this.#o.services;
    try {
      const open = (column: "credential" | "clientSecret") => {
        const sealed = row[column];
        return sealed === null ? null : seams.vault.get().open(sealed, { table: "mcp_servers", column, rowId: row.id });
      };
      const target = storedTarget({ ...row, credential: open("credential"), clientSecret: open("clientSecret") });
      this.#faults.delete(row.name);
      return target;
    } catch (error) {
      if (this.#faults.get(row.name) !== row.version)
        log.error("a stored MCP server cannot be used and does not count", { server: row.name, code: GatewayError.from(error).code });
      this.#faults.set(row.name, row.version);
      return null;
    }
  }

  /** In the place of one of the same name, whose watchers it keeps. */
  #put(name: string, target: ServerTarget, origin: ServerOrigin): Upstream {
    const { services, catalogue, deps } = this.#o;
    const { clock, redactor } = services;
    for (const secret of secretsOf(target)) redactor.add(secret);
    const before = catalogue.get(name);
    // Its subscriptions have no connection from here on, until the new one stands.
    void before?.close();
    const upstream = new Upstream(name, target, { ...deps, subscriptions: before?.subscriptions });
    this.#origins.set(name, origin);
    catalogue.add(upstream);
    catalogue.starting(upstream.start(), clock, clock.now() + deps.limits.startMs);
    return upstream;
  }
}
