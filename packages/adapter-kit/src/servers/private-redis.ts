import { once } from "node:events";
import { connect } from "node:net";
import { binaryOf } from "./installed-service.js";
import { PrivateServer } from "./private-server.js";

export interface RedisOptions {
  /** More of the server's options: `["--maxmemory", "1mb"]`. */
  readonly settings?: readonly string[];
}
export interface PrivateRedis {
  readonly server: PrivateServer;
  /** `redis://127.0.0.1:port`. */
  readonly url: string;
  /** Sends one command, words by spaces, and gives the answer as it came (RESP2). */
  command(text: string): Promise<string>;
  dispose(): Promise<void>;
}

/** A Redis (or Valkey) of this test alone, which keeps nothing on disk. Wants `hasService("redis")`. */
export async function privateRedis(o: RedisOptions = {}): Promise<PrivateRedis> {
  const binary = binaryOf("redis");
  if (binary === null) throw new Error("Redis is not installed.");
  const server = await PrivateServer.start({
    name: "redis",
    command: ({ folder, port }) => [
      ...([binary, "--port", String(port), "--bind", "127.0.0.1", "--dir", folder] as const),
      ...["--save", "", "--appendonly", "no", ...(o.settings ?? [])],
    ],
    answers: async ({ port, pid }) =>
      (await send(port, "INFO server")).includes(`process_id:${pid}\r`) && (await send(port, "PING")).startsWith("+PONG"),
  });
  return {
    server,
    url: `redis://127.0.0.1:${server.port}`,
    command: (text) => send(server.port, text),
    dispose: () => server.dispose(),
  };
}

/** An inline command; the answer is what comes within one packet. */
async function send(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  try {
    await once(socket, "connect");
    socket.write(`${text}\r\n`);
    const closed = once(socket, "close").then(() => Promise.reject(new Error(`Redis closed the connection instead of answering ${text}`)));
    const [data] = await Promise.race([once(socket, "data") as Promise<[Buffer]>, closed]);
    return data.toString("utf8");
  } finally {
    socket.destroy();
  }
}
