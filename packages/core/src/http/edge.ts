import type { Access } from "../access/access.js";
import { mayDo } from "../access/grants.js";
import type { AccessTokens } from "../access/tokens/access-tokens.js";
import type { Identity } from "../access/identity.js";
import type { Caller, Headers, HttpAnswer, Inbound } from "../calls/index.js";
import type { RuntimeConfiguration } from "../config/runtime/index.js";
import type { Config } from "../config/schema.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import type { McpOAuth } from "../mcp/index.js";
import type { Permission } from "../routes/index.js";
import type { Services } from "../seams/index.js";
import { emptyAnswer, errorAnswer } from "./answers.js";
import { corsHeaders, preflight } from "./cors.js";
import { addRoutes, type Entry } from "./entries.js";
import { errorShapeOf } from "./error-shape.js";
import { withHeartbeats } from "./heartbeats.js";
import { HostGuard } from "./host-guard.js";
import { asResource } from "./mcp-oauth/as-resource.js";
import type { McpServing } from "./faces/mcp-face.js";
import type { SessionsOf } from "./sessions/session-handlers.js";
import { requestIdOf } from "./request-id.js";
import { RouteTable, type Found } from "./route-table.js";

export interface EdgeOptions {
  readonly access: Access;
  /** Who signs in, and whose calls are under way; left out: nobody signs in. */
  readonly identity?: Identity | undefined;
  readonly snapshot: () => Snapshot;
  readonly mcp: McpServing;
  /** The gateway's sign-ins at MCP servers; left out: it has none. */
  readonly oauth?: McpOAuth | undefined;
  /** Access tokens that MCP clients may show; left out: none are taken. */
  readonly tokens?: AccessTokens | undefined;
  /** Whether limits are counted where they should be, for `/ready`; left out: they are. */
  readonly counters?: { readonly isAway: boolean } | undefined;
  /** `GET /metrics` is answered to everybody; left out: to who may read it. */
  readonly metricsOpen?: boolean | undefined;
  /** Of a caller; left out: none are kept. */
  readonly sessions?: SessionsOf;
  /** Settings that can be changed; left out: none can. */
  readonly configuration?: RuntimeConfiguration | undefined;
  /** Of the package, for `/health`. */
  readonly version: string;
  /** Has this process see what was changed in the store; left out: with the next poll. */
  readonly refresh?: (() => Promise<void>) | undefined;
}

const streamHeaders: Headers = [
  ["cache-control", "no-cache, no-transform"],
  ["x-accel-buffering", "no"],
];

/**
 * Where every request of every host enters: Host and Origin, then the route, then the caller, and only then the body. Every answer carries `X-Request-Id`; what a handler throws
 * leaves as an answer in the shape of its face.
 * Concurrency: any number of requests at once; they share nothing.
 */
export class Edge {
  readonly #services: Services;
  readonly #o: EdgeOptions;
  readonly #routes = new RouteTable<Entry>();
  #guard: { readonly config: Config; readonly guard: HostGuard } | null = null;
  #draining = false;

  constructor(services: Services, options: EdgeOptions) {
    this.#services = services;
    this.#o = options;
    addRoutes(this.#routes, services, { ...options, startedAtMs: services.clock.now(), isDraining: () => this.#draining });
  }

  /** Never rejects. The host calls the answer's `done` once. */
  async handle(inbound: Inbound): Promise<HttpAnswer> {
    const requestId = requestIdOf(inbound.header("x-request-id"));
    let origin: string | null = null;
    try {
      const { config } = this.#o.snapshot();
      origin = this.#guardOf(config).check(inbound.header("host"), inbound.header("origin"), this.#siteOf(inbound));
      if (inbound.method === "OPTIONS") return finish(this.#options(inbound), requestId, origin);
      const found = this.#find(inbound);
      const entered = await this.#enter(found, { inbound, requestId, config });
      // Streams of our own faces see to it themselves.
      const answer = found.value.route.face === "dialect" ? withHeartbeats(entered, this.#services.clock) : entered;
      return finish(inbound.method === "HEAD" ? withoutStream(answer) : this.#redacted(answer), requestId, origin);
    } catch (error) {
      return finish(this.#redacted(this.#fail(error, inbound, requestId)), requestId, origin);
    }
  }

  /** Whatever an error quotes, of an upstream or of a driver: no secret that this gateway knows is in it. */
  #redacted(answer: HttpAnswer): HttpAnswer {
    if (answer.status < 400 || answer.body.kind !== "bytes") return answer;
    const text = new TextDecoder().decode(answer.body.bytes);
    const redacted = this.#services.redactor.redact(text);
    if (redacted === text) return answer;
    return { ...answer, body: { kind: "bytes", bytes: new TextEncoder().encode(redacted) } };
  }

  /** From now on `/ready` answers 503, so that no new requests are sent here; those that come are served. */
  drain(): void {
    this.#draining = true;
  }

  #enter(found: Found<Entry>, x: { inbound: Inbound; requestId: string; config: Config }): HttpAnswer | Promise<HttpAnswer> {
    const { inbound, requestId } = x;
    const { maxBodyBytes, timeouts } = x.config.server;
    const { params, value: entry } = found;
    const deadlineMs = this.#services.clock.now() + timeouts.requestMs;
    if (entry.kind === "open") return entry.handler({ inbound, requestId, params, deadlineMs, maxBodyBytes });
    const enter = (caller: Caller): HttpAnswer | Promise<HttpAnswer> => {
      if (entry.route.permission !== null) authorise(caller, entry.route.permission);
      const answer = entry.handler({
        inbound,
        requestId,
        params,
        deadlineMs,
        maxBodyBytes,
        caller,
        face: errorShapeOf(inbound, entry.route),
      });
      return this.#o.identity === undefined ? answer : this.#o.identity.live.during(caller, inbound, answer);
    };
    if (entry.route.face === "mcp" && this.#o.tokens !== undefined)
      return asResource(this.#o.tokens, this.#o.access, { inbound, requestId, enter });
    const caller = this.#o.access.identify(inbound, { keyInQuery: entry.route.face === "dialect" });
    return caller instanceof Promise ? caller.then(enter) : enter(caller);
  }

  /** The site of the page that sends the browser, where it matters: to some routes any page may. */
  #siteOf(inbound: Inbound): string | undefined {
    const site = inbound.header("sec-fetch-site");
    if (site !== "cross-site" || inbound.method !== "GET" || inbound.header("sec-fetch-mode") !== "navigate") return site;
    return this.#routes.find("GET", inbound.path)?.value.route.navigable === true ? undefined : site;
  }

  #find(inbound: Inbound): Found<Entry> {
    const found = this.#routes.find(inbound.method, inbound.path);
    if (found !== null) return found;
    const allowed = this.#allowed(inbound.path);
    throw new GatewayError("method_not_allowed", `This path has no ${inbound.method.slice(0, 20)}.`, {
      hint: `It has ${allowed.join(", ")}.`,
      details: { allowed },
    });
  }

  #allowed(path: string): readonly string[] {
    const allowed = this.#routes.allowed(path);
    if (allowed.length > 0) return allowed;
    throw new GatewayError("not_found", "There is nothing at this path.", {
      hint: "Paths are matched exactly as they are sent: case, slashes and encoding count.",
    });
  }

  #options(inbound: Inbound): HttpAnswer {
    const allowed = this.#allowed(inbound.path);
    return emptyAnswer(204, [["allow", allowed.join(", ")], ...preflight(inbound, allowed)]);
  }

  #guardOf(config: Config): HostGuard {
    if (this.#guard?.config !== config) this.#guard = { config, guard: new HostGuard(config.server) };
    return this.#guard.guard;
  }

  #fail(error: unknown, inbound: Inbound, requestId: string): HttpAnswer {
    const known = GatewayError.from(error);
    if (known.blame === "gateway" && known.code === "internal") this.#report(known, requestId);
    const { path, method } = inbound;
    const route = [method, "GET", "POST"].map((tried) => this.#routes.find(tried, path)?.value.route).find((found) => found !== undefined);
    return errorAnswer(known, requestId, errorShapeOf(inbound, route));
  }

  #report(error: GatewayError, requestId: string): void {
    const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : "";
    this.#services.log.error("a request failed by a defect", { requestId, code: error.code, cause: cause.slice(0, 500) });
    this.#services.events.emit("internal.error", { where: `request ${requestId}`, error: error.cause ?? error });
  }
}

function authorise(caller: Caller, permission: Permission): void {
  const { what, name } = permission;
  if (mayDo(caller, what, name)) return;
  throw new GatewayError("forbidden", `This key may not ${name} ${what}.`, {
    hint: `Grant it ${what}:${name}.`,
    details: { missing: `${what}:${name}` },
  });
}

function finish(answer: HttpAnswer, requestId: string, origin: string | null): HttpAnswer {
  const headers: (readonly [string, string])[] = [
    ["x-request-id", requestId],
    ["x-sallyport-request-id", requestId],
  ];
  // A codec's errors carry the same id already; what a vendor calls the request is not ours.
  for (const header of answer.headers) if (header[0] !== "x-request-id") headers.push(header);
  if (answer.body.kind === "frames") for (const header of streamHeaders) if (!has(answer.headers, header[0])) headers.push(header);
  if (origin !== null) headers.push(...corsHeaders(origin));
  return { status: answer.status, headers, body: answer.body, done: answer.done };
}

function has(headers: Headers, name: string): boolean {
  return headers.some(([other]) => other === name);
}

/** The head of a streamed answer: its frames are never begun. */
function withoutStream(answer: HttpAnswer): HttpAnswer {
  if (answer.body.kind !== "frames") return answer;
  void answer.body.frames[Symbol.asyncIterator]().return?.();
  return { ...answer, body: { kind: "bytes", bytes: new Uint8Array(0) } };
}
