import type { IRedisClient } from "bullmq";
import type { Client, ConnectionSettings } from "../connection/client.js";
import { backoff } from "../connection/connection.js";
import { unusableBecause } from "../connection/redis-error.js";

/** BullMQ waits for its connections, so these come back by themselves and keep what is asked meanwhile: a few commands of each worker. */
const settings: ConnectionSettings = {
  reconnectStrategy: (retries) => backoff(retries, 1_000),
  disableOfflineQueue: false,
  socketTimeout: 8_000,
  pingInterval: 2_000,
};
/** A worker that hears at once that the server is of no use asks again at once. */
const CALM_MS = 500;

/** The connection that queues and workers share; each worker has a copy of it to wait on. */
export class BullConnection {
  readonly bullmq: typeof import("bullmq");
  readonly shared: IRedisClient;
  readonly #clients = new Set<Client>();

  private constructor(bullmq: typeof import("bullmq"), make: (o: ConnectionSettings) => Client) {
    this.bullmq = bullmq;
    this.shared = this.#adapted(make);
  }

  static async open(make: (o: ConnectionSettings) => Client): Promise<BullConnection> {
    return new BullConnection(await import("bullmq"), make);
  }

  /** Of copies too, whatever is under way on them. */
  close(): void {
    for (const client of this.#clients)
      try {
        if (client.isOpen) client.destroy();
      } catch {
        // It was closed meanwhile.
      }
  }

  #adapted(make: (o: ConnectionSettings) => Client): IRedisClient {
    const client = make(settings);
    client.on("error", () => undefined);
    this.#clients.add(client);
    client.on("terminated", () => void this.#clients.delete(client));
    const adapter = this.bullmq.createNodeRedisClient(client as never);
    adapter.on("error", () => undefined);
    adapter.setMaxListeners(0);
    const run = adapter.runCommand.bind(adapter);
    return Object.assign(adapter, {
      duplicate: () => this.#adapted(make),
      runCommand: async (name: string, args: unknown[]): Promise<unknown> => {
        try {
          return (await run(name, args)) as unknown;
        } catch (error) {
          if (unusableBecause(error) !== null) await new Promise((resolve) => setTimeout(resolve, CALM_MS).unref());
          throw error;
        }
      },
      /** Only what BullMQ asks for: which server this is. How it evicts is its operator's affair. */
      info: async (): Promise<string> => String(await client.sendCommand(["INFO", "server"]).catch(() => "redis_version:6.2.0")),
    });
  }
}
