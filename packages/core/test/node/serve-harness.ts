import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import { serve, type ServedGateway, type ServeOptions } from "../../src/node/index.js";
import { edgeHarness, type EdgeHarness, type EdgeHarnessOptions } from "../http/edge-harness.js";

/** An Edge harness served on a free port of this machine; both are closed when the test is over. */
export async function servedEdge(o: EdgeHarnessOptions & { serve?: ServeOptions } = {}) {
  const harness = await edgeHarness(o);
  const gateway = servedGateway(harness);
  const serving = await serve(gateway, { port: 0, ...o.serve });
  onTestFinished(() => serving.close());
  return { ...harness, gateway, serving, url: serving.url };
}

export function servedGateway(harness: EdgeHarness): ServedGateway {
  return {
    handle: harness.handle,
    start: () => Promise.resolve(),
    close: () => Promise.resolve(),
    drain: () => harness.edge.drain(),
    config: harness.config,
    log: harness.services.log,
  };
}

/** A raw connection: what is written is sent as it is. `read` gives all that came until the pattern is in it or the peer ends. */
export async function rawConnection(port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let received = "";
  let isEnded = false;
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => (received += chunk));
  socket.on("error", () => (isEnded = true));
  socket.on("close", () => (isEnded = true));
  socket.on("end", () => (isEnded = true));
  onTestFinished(() => void socket.destroy());
  const changed = () =>
    new Promise<void>((resolve) => {
      for (const event of ["data", "end", "close", "error"]) socket.once(event, () => resolve());
    });
  return {
    socket,
    write: (text: string) => socket.write(text, "latin1"),
    read: async (until: RegExp): Promise<string> => {
      while (!until.test(received) && !isEnded) await changed();
      const all = received;
      received = "";
      return all;
    },
    ended: async (): Promise<string> => {
      while (!isEnded) await changed();
      return received;
    },
  };
}
