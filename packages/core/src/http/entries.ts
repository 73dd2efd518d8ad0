import type { Access } from "../access/access.js";
import type { Identity } from "../access/identity.js";
import type { AccessTokens } from "../access/tokens/access-tokens.js";
import type { RuntimeConfiguration } from "../config/runtime/index.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import type { McpOAuth } from "../mcp/index.js";
import {
  anthropicRoutes,
  batchRoutes,
  costRoutes,
  configRoutes,
  guardrailRoutes,
  safetyRoutes,
  docRoutes,
  fileRoutes,
  googleOperationRoutes,
  googleRoutes,
  keyRoutes,
  ownRoutes,
  signInRoutes,
  inboxRoutes,
  mcpRoutes,
  messageBatchRoutes,
  modelRoutes,
  oneCallRoutes,
  openaiRoutes,
  responsesRoutes,
  runRoutes,
  chatRoutes,
  connectionRoutes,
  enrichmentRoutes,
  explainRoutes,
  pinRoutes,
  mcpProxyRoutes,
  mcpRestRoutes,
  oauthPageRoutes,
  oauthRoutes,
  resourceMetadataRoutes,
  sessionRoutes,
  systemRoutes,
  usageRoutes,
  videoRoutes,
  type Route,
} from "../routes/index.js";
import type { Services } from "../seams/index.js";
import { docHandlers } from "./docs/doc-handlers.js";
import { configHandlers } from "./admin/config-handlers.js";
import { guardrailHandlers } from "./admin/guardrail-handlers.js";
import { safetyHandlers } from "./admin/safety-handlers.js";
import { costHandlers, usageHandlers } from "./admin/usage-handlers.js";
import { telemetryEntries } from "./admin/telemetry-entries.js";
import { keyHandlers, ownHandlers, signInHandlers } from "./admin/access-handlers.js";
import type { Entry, Handler } from "./exchange.js";
import { anthropicFace } from "./faces/anthropic-face.js";
import { chatFace } from "./faces/chat-face.js";
import { googleFace } from "./faces/google/google-face.js";
import { inboxHandlers } from "./faces/inbox-handlers.js";
import { mcpFace, mcpStreams, type McpServing } from "./faces/mcp-face.js";
import { batchesFace } from "./faces/media/batches.js";
import { filesFace } from "./faces/media/files.js";
import { googleMediaVerbs, googleOperationsFace } from "./faces/media/google-media.js";
import { messageBatchesFace } from "./faces/media/message-batches.js";
import { oneCallFace } from "./faces/media/one-call-face.js";
import { videosFace } from "./faces/media/videos.js";
import { modelsFace } from "./faces/models/models-face.js";
import { responsesFace } from "./faces/responses/responses-face.js";
import { connectionHandlers } from "./mcp/connection-handlers.js";
import { enrichmentHandlers } from "./mcp/enrichment-handlers.js";
import { explainHandlers } from "./mcp/explain-handlers.js";
import { oauthHandlers } from "./mcp-oauth/oauth-handlers.js";
import { resourceMetadataHandlers } from "./mcp-oauth/resource-metadata.js";
import { browserUser } from "./mcp-oauth/browser-user.js";
import { oauthPages } from "./mcp-oauth/oauth-pages.js";
import { pinHandlers } from "./mcp/pin-handlers.js";
import { mcpProxyHandlers, mcpRestHandlers } from "./mcp/mcp-rest-handlers.js";
import { ServerRows } from "./mcp/server-rows.js";
import { Idempotency, resourceEntries } from "./resources/index.js";
import { chatHandlers } from "./sessions/chat-handler.js";
import { sessionHandlers, type SessionsOf } from "./sessions/session-handlers.js";
import type { RouteTable } from "./route-table.js";
import { runHandlers } from "./faces/run-handlers.js";
import { systemHandlers } from "./faces/system-handlers.js";

export type { Entry } from "./exchange.js";

export interface EntryOptions {
  readonly access: Access;
  readonly identity?: Identity | undefined;
  readonly snapshot: () => Snapshot;
  readonly mcp: McpServing;
  /** The gateway's sign-ins at MCP servers; left out: it has none. */
  readonly oauth?: McpOAuth | undefined;
  /** Access tokens that MCP clients may show; left out: none are taken. */
  readonly tokens?: AccessTokens | undefined;
  readonly counters?: { readonly isAway: boolean } | undefined;
  readonly version: string;
  readonly startedAtMs: number;
  readonly isDraining: () => boolean;
  /** `GET /metrics` is answered to everybody. */
  readonly metricsOpen?: boolean | undefined;
  /** Of a caller; left out: none are kept. */
  readonly sessions?: SessionsOf;
  /** Settings that can be changed; left out: none can. */
  readonly configuration?: RuntimeConfiguration | undefined;
  /** Has this process see what was changed in the store. */
  readonly refresh?: (() => Promise<void>) | undefined;
}

/** Every route and its handler. A route without a handler, or a handler without a route, does not compile. */
export function addRoutes(table: RouteTable<Entry>, services: Services, o: EntryOptions): void {
  const add = (entry: Entry): void => {
    const { method, path, face, last } = entry.route;
    if (last === true) return table.addLast(method, path, entry);
    table.add(method, path, entry);
    // What GET of MCP gives is a stream of a session: there is nothing to ask its head for.
    if (method === "GET" && face !== "mcp") table.add("HEAD", path, entry);
  };
  const freshness = () => ({ readAtMs: o.snapshot().readAtMs, maxStaleMs: o.snapshot().config.access.maxStaleMs });
  const system = systemHandlers(services, {
    version: o.version,
    startedAtMs: o.startedAtMs,
    isDraining: o.isDraining,
    counters: o.counters,
    freshness,
  });
  for (const [name, route] of entriesOf(systemRoutes)) add({ kind: "open", route, handler: system[name] });

  const closed = closedBy(add);
  addVendorFaces(closed, services);
  const mcp = mcpFace(o.mcp);
  const streams = mcpStreams(o.mcp);
  closed(mcpRoutes, {
    post: mcp.POST,
    get: mcp.GET,
    delete: mcp.DELETE,
    namespacePost: mcp.POST,
    namespaceGet: mcp.GET,
    namespaceDelete: mcp.DELETE,
    sse: streams.open,
    messages: streams.post,
    namespaceSse: streams.open,
    namespaceMessages: streams.post,
  });
  closed(runRoutes, runHandlers(services));
  const idempotency = new Idempotency(services);
  closed(sessionRoutes, sessionHandlers(o.sessions, idempotency));
  closed(chatRoutes, chatHandlers({ services, sessionsOf: o.sessions, idempotency }));
  closed(configRoutes, configHandlers(services, o.configuration));
  closed(guardrailRoutes, guardrailHandlers(services));
  closed(safetyRoutes, safetyHandlers({ services, refresh: o.refresh }));
  closed(usageRoutes, usageHandlers(services));
  closed(costRoutes, costHandlers(services));
  const rows = new ServerRows({ services, refresh: o.refresh }, idempotency);
  closed(connectionRoutes, connectionHandlers({ services, rows }));
  closed(enrichmentRoutes, enrichmentHandlers(services));
  closed(explainRoutes, explainHandlers(services, o.snapshot));
  closed(pinRoutes, pinHandlers(services));
  addSignInsAtServers(add, services, o);
  closed(mcpRestRoutes, mcpRestHandlers({ services, rows, mcp: o.mcp }));
  closed(mcpProxyRoutes, mcpProxyHandlers({ services, rows, mcp: o.mcp }));
  closed(inboxRoutes, inboxHandlers(services));
  for (const entry of telemetryEntries(services, { metricsOpen: o.metricsOpen ?? false })) add(entry);
  addAccess(add, services, o);
  addDerived(add, services, o);
}

type AddClosed = <K extends string>(routes: Readonly<Record<K, Route>>, handlers: Readonly<Record<K, Handler>>) => void;

/** Adds routes that are reached with a credential only, each with its handler. */
function closedBy(add: (entry: Entry) => void): AddClosed {
  return (routes, handlers) => {
    for (const [name, route] of entriesOf(routes)) add({ kind: "closed", route, handler: handlers[name] });
  };
}

/** The dialects of model vendors. */
function addVendorFaces(closed: AddClosed, services: Services): void {
  const models = () => services.seams.models.get();
  closed(openaiRoutes, chatFace(models));
  closed(modelRoutes, modelsFace(models));
  closed(responsesRoutes, responsesFace(services.seams));
  closed(oneCallRoutes, oneCallFace(models));
  closed(anthropicRoutes, anthropicFace(models));
  const objects = () => services.seams.objects.get();
  const videos = () => objects().videos;
  closed(googleRoutes, googleFace(models, googleMediaVerbs(models, videos)));
  closed(googleOperationRoutes, googleOperationsFace(videos));
  closed(videoRoutes, videosFace(videos));
  closed(
    fileRoutes,
    filesFace(
      () => objects().files,
      () => services.clock.now(),
    ),
  );
  closed(
    batchRoutes,
    batchesFace(() => objects().batches),
  );
  closed(
    messageBatchRoutes,
    messageBatchesFace(() => objects().batches),
  );
}

/** How the gateway signs in at MCP servers, and who issues the tokens that it takes. */
function addSignInsAtServers(add: (entry: Entry) => void, services: Services, o: EntryOptions): void {
  const oauth = (): McpOAuth => {
    if (o.oauth !== undefined) return o.oauth;
    throw new GatewayError("not_found", "This gateway signs in at no MCP servers.");
  };
  const pages = oauthPages({ oauth, services, userOf: (inbound) => browserUser(o, inbound) });
  for (const [name, route] of entriesOf(oauthPageRoutes)) add({ kind: "open", route, handler: pages[name] });
  const resource = resourceMetadataHandlers(o.tokens);
  for (const [name, route] of entriesOf(resourceMetadataRoutes)) add({ kind: "open", route, handler: resource[name] });
  const publicUrl = () => o.snapshot().config.access.publicUrl;
  closedBy(add)(oauthRoutes, oauthHandlers({ services, oauth, publicUrl }));
}

/** Who signs in, and what of keys and users is not derived. */
function addAccess(add: (entry: Entry) => void, services: Services, o: EntryOptions): void {
  const known = (): Identity => {
    if (o.identity !== undefined) return o.identity;
    throw new GatewayError("not_found", "Nobody signs in at this edge.");
  };
  const signIn = signInHandlers(services, known);
  for (const [name, route] of entriesOf(signInRoutes)) add({ kind: "open", route, handler: signIn[name] });
  const own = ownHandlers(known);
  for (const [name, route] of entriesOf(ownRoutes)) add({ kind: "closed", route, handler: own[name] });
  const keys = keyHandlers(known, new Idempotency(services));
  for (const [name, route] of entriesOf(keyRoutes)) add({ kind: "closed", route, handler: keys[name] });
}

/** What comes of the declarations: the routes of every entity that opted in, and the pages that describe all routes. */
function addDerived(add: (entry: Entry) => void, services: Services, o: EntryOptions): void {
  const docs = docHandlers({ crypto: services.crypto, isShown: () => o.snapshot().config.server.docs });
  for (const [name, route] of entriesOf(docRoutes)) add({ kind: "open", route, handler: docs[name] });
  const idempotency = new Idempotency(services);
  for (const [route, handler] of resourceEntries({ services, idempotency, refresh: o.refresh })) add({ kind: "closed", route, handler });
}

function entriesOf<K extends string, V>(record: Readonly<Record<K, V>>): [K, V][] {
  return Object.entries(record) as [K, V][];
}
