import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/**
 * What the proxy does with bytes. `pass`; `refuse`: new connections are reset, those there are go on; `blackhole`: half open: nothing goes through any more, nothing is closed; `latencyMs`: every
 * packet later; `bytesAtOnce`: every packet in pieces.
 */
export type Fault =
  | { readonly kind: "pass" }
  | { readonly kind: "refuse" }
  | { readonly kind: "blackhole" }
  | { readonly kind: "slow"; readonly latencyMs: number }
  | { readonly kind: "split"; readonly bytesAtOnce: number };

export interface FaultProxy {
  readonly port: number;
  /** How many connections it has open. */
  readonly open: number;
  /** How many connections `cutAfter` has cut so far. */
  readonly cuts: number;
  /** From now on, for connections that there are too. */
  set(fault: Fault): void;
  /** Cuts each connection, those to come too, with an RST once the server has sent it so many bytes more; Infinity: no longer. */
  cutAfter(bytes: number): void;
  /** New connections go to this port; those there are stay where they are. */
  lead(toPort: number): void;
  /** Resets every connection. */
  resetAll(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** What the server may still send; Infinity: all. */
  left: number;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A TCP proxy to a port of 127.0.0.1 that misbehaves on request. */
export async function faultProxy(toPort: number): Promise<FaultProxy> {
  let target = toPort;
  const pairs = new Set<Pair>();
  let fault: Fault = { kind: "pass" };
  let cut = Number.POSITIVE_INFINITY;
  let cuts = 0;
  const end = (pair: Pair): void => {
    pairs.delete(pair);
    for (const socket of [pair.client, pair.server]) socket.resetAndDestroy();
  };
  /** What is held back for a socket: nothing that comes later overtakes it. */
  const held = new WeakMap<Socket, Promise<void>>();
  const forward = (to: Socket, bytes: Buffer): void => {
    if (fault.kind === "blackhole" || to.destroyed) return;
    const step = fault.kind === "split" ? Math.max(1, fault.bytesAtOnce) : bytes.length;
    const write = (): void => {
      for (let from = 0; from < bytes.length && !to.destroyed; from += step) to.write(bytes.subarray(from, from + step));
    };
    const before = held.get(to);
    if (fault.kind !== "slow" && before === undefined) return write();
    const mine = Promise.all([before, pause(fault.kind === "slow" ? fault.latencyMs : 0)]).then(() => {
      if (held.get(to) === mine) held.delete(to);
      write();
    });
    held.set(to, mine);
  };
  const listener = createServer((client) => {
    client.on("error", () => undefined);
    if (fault.kind === "refuse") {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ port: target, host: "127.0.0.1" });
    const pair: Pair = { client, server, left: cut };
    pairs.add(pair);
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on("error", () => end(pair));
      socket.on("close", () => {
        if (fault.kind !== "blackhole") end(pair);
      });
    }
    client.on("data", (bytes: Buffer) => forward(server, bytes));
    server.on("data", (bytes: Buffer) => {
      if (bytes.length < pair.left) {
        pair.left -= bytes.length;
        forward(client, bytes);
        return;
      }
      cuts++;
      const last = bytes.subarray(0, pair.left);
      if (last.length > 0) client.write(last);
      setImmediate(() => end(pair));
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    get open() {
      return pairs.size;
    },
    get cuts() {
      return cuts;
    },
    set: (now) => void (fault = now),
    cutAfter: (bytes) => {
      cut = bytes;
      for (const pair of pairs) pair.left = bytes;
    },
    lead: (port) => void (target = port),
    resetAll: () => [...pairs].forEach(end),
    close: async () => {
      [...pairs].forEach(end);
      listener.close();
      await once(listener, "close").catch(() => undefined);
    },
  };
}
