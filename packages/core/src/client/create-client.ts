import type { inboxRoutes, RouteAnswer, RunEventView, runRoutes, systemRoutes } from "../routes/index.js";
import { inboxPaths, operations, runPaths, type Operations } from "./operations.js";
import { ResourceClient } from "./resource-client.js";
import { resourcePaths, type ResourceShapes } from "./resource-rows.js";
import { runEvents, type EventsOptions } from "./run-events.js";
import { chatClient, type ChatClient } from "./chat-client.js";
import { sessionsClient, type SessionsClient } from "./sessions-client.js";
import { Transport, type Asked, type CallOptions, type ClientOptions } from "./transport.js";

type Row = Readonly<Record<string, unknown>>;
type ResourceClients = {
  readonly [N in keyof ResourceShapes]: ResourceClient<ResourceShapes[N]["view"], ResourceShapes[N]["create"], ResourceShapes[N]["change"]>;
};
/** The runs of the gateway. */
export interface RunsClient extends Omit<Operations<typeof runRoutes>, "events"> {
  /** The run's events to its end, across connections that break. */
  events(id: string, o?: EventsOptions): AsyncGenerator<RunEventView, void, undefined>;
}

/** A gateway over HTTP. Every method throws `GatewayError`s with the code, the details and the request id that the gateway answered with. */
export interface Client extends Omit<ResourceClients, "sessions"> {
  readonly sessions: SessionsClient;
  readonly chat: ChatClient;
  readonly runs: RunsClient;
  readonly inbox: Operations<typeof inboxRoutes>;
  /** A resource by the last part of its path, `/api/v1/{path}`: also one that this client has no types of. */
  resource(path: string): ResourceClient<Row & { readonly id: string }, Row, Row>;
  health(o?: CallOptions): Promise<RouteAnswer<typeof systemRoutes.health>>;
  /** Any other request, with the client's key and errors. */
  request<T = unknown>(asked: Asked): Promise<T>;
}

/** A client of one gateway, for browsers and servers alike. It holds no connection and needs no closing. */
export function createClient(options: ClientOptions): Client {
  const transport = new Transport(options);
  const resources = Object.fromEntries(Object.entries(resourcePaths).map(([name, path]) => [name, new ResourceClient(transport, path)]));
  const sessions = sessionsClient(transport);
  const { events: _events, ...runs } = operations<typeof runRoutes>(transport, runPaths);
  return {
    ...(resources as unknown as ResourceClients),
    sessions,
    chat: chatClient(transport),
    runs: { ...runs, events: (id, o) => runEvents(transport, id, o) },
    inbox: operations<typeof inboxRoutes>(transport, inboxPaths),
    resource: (path) => new ResourceClient(transport, path),
    health: (o = {}) => transport.json({ method: "GET", path: "/health", signal: o.signal }),
    request: (asked) => transport.json(asked),
  };
}
