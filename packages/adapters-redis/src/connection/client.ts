import { createClient, RESP_TYPES } from "@redis/client";
import { GatewayError } from "@sallyport/core/ports";

/** What is used of a client of node-redis (`redis` or `@redis/client`, 5 or newer). */
export interface NodeRedisClient {
  duplicate(overrides?: never): unknown;
}
export type Argument = string | Buffer;
/** A connection of our own. */
export interface Client {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  /** Throws when it is not open. */
  destroy(): void;
  on(event: string, listener: (error: Error) => void): unknown;
  sendCommand(args: readonly Argument[], options?: object): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<void>;
  unsubscribe(channel: string, listener: (message: string) => void): Promise<void>;
}

export interface ClientSettings {
  readonly url?: string | undefined;
  readonly client?: NodeRedisClient | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly database?: number | undefined;
  readonly tls?: object | undefined;
}

/** What differs between our connections. */
export interface ConnectionSettings {
  /** As `false`: whoever holds the client connects again. */
  readonly reconnectStrategy: false | ((retries: number) => number);
  readonly disableOfflineQueue: boolean;
  /** So long without a byte, and the connection is given up, ms. */
  readonly socketTimeout: number;
  /** How often an idle connection is asked, ms; left out: never. */
  readonly pingInterval?: number | undefined;
}

const CONNECT_MS = 2_500;
/** Values are bytes. */
const asBytes = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };

/** Makes connections that are not open yet. Never the host's own: what it handed in is only copied. */
export function clientMaker(settings: ClientSettings): (o: ConnectionSettings) => Client {
  const { url, client, username, password, database, tls } = settings;
  if (client !== undefined && !isOneServer(client)) throw refused("client", "is no client of node-redis for one server");
  if (url !== undefined && !/^rediss?:\/\/[^/]/.test(url)) throw refused("url", "is no redis:// or rediss:// URL");
  const own = {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    name: "sallyport",
    maintNotifications: "disabled",
    clientSideCache: undefined,
    keyPrefix: undefined,
    commandsQueueMaxLength: undefined,
  };
  return ({ reconnectStrategy, socketTimeout, ...o }) => {
    const limits = { connectTimeout: CONNECT_MS, reconnectStrategy, socketTimeout };
    const tlsOptions = tls === undefined ? {} : { tls: true, ...tls };
    try {
      if (client !== undefined) {
        const base = (client as { options?: { socket?: object } }).options?.socket;
        const duplicate = client.duplicate.bind(client) as unknown as (overrides: object) => unknown;
        return duplicate({ ...own, ...o, socket: { ...base, ...tlsOptions, ...limits } }) as Client;
      }
      const made: unknown = createClient({
        url: url ?? "redis://localhost:6379",
        ...own,
        ...o,
        socket: { ...tlsOptions, ...limits },
      } as never);
      return made as Client;
    } catch {
      // The message of a URL that cannot be read has the URL in it, and with it the password.
      throw refused("url", "cannot be read");
    }
  };
}

/** Clusters, sentinels and clients of other libraries can be duplicated as well, and would never be ready. */
function isOneServer(client: object): boolean {
  const has = (method: string): boolean => typeof (client as Record<string, unknown>)[method] === "function";
  return ["duplicate", "sendCommand", "select", "destroy"].every(has) && "isReady" in client;
}

/** Sends one command; strings of the answer come as bytes. */
export function sendFor(client: Client): (args: readonly Argument[]) => Promise<unknown> {
  return (args) => client.sendCommand(args, asBytes);
}

function refused(option: string, what: string): GatewayError {
  return new GatewayError("misconfigured", `The option "${option}" of redis() ${what}.`, {
    hint: "redis://user:password@host:6379/0, rediss://… for TLS, or { client } with a client of node-redis.",
  });
}
