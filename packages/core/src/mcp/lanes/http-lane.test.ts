import { getEventListeners, once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { clock, httpClient } from "../../platform/node.js";
import { utf8 } from "../frames/splice.js";
import { HttpLane } from "./http-lane.js";

/** A lane to a server that answers when it is told to, and every signal that an exchange of it was given. */
async function place() {
  const open: ServerResponse[] = [];
  const server = createServer((request, response) => {
    request.resume();
    open.push(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const inner = httpClient({ clock, connectMs: 5_000 });
  onTestFinished(() => inner.close());
  const signals: AbortSignal[] = [];
  const http: typeof inner = {
    exchange: (request, within) => (signals.push(within.signal!), inner.exchange(request, within)),
    close: () => inner.close(),
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const events = { onNotice: () => undefined, onLog: () => undefined, onClose: () => undefined };
  const lane = new HttpLane({ url, headers: [], trust: "operator", http, clock, maxMessageBytes: 1_000, events });
  const listeners = () => [...new Set(signals)].map((signal) => getEventListeners(signal, "abort").length);
  const deadlineMs = clock.now() + 60_000;
  const ping = () =>
    lane.exchange(
      { method: "ping", subject: null, headers: [], version: null, encode: (id) => utf8(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`) },
      { deadlineMs, owner: null },
    );
  const notify = () => lane.notify(utf8('{"jsonrpc":"2.0","method":"notifications/x"}'), deadlineMs);
  return { lane, open, listeners, ping, notify };
}

it("what has no caller leaves no listener behind, and shares no signal, however much of it is under way", async () => {
  const { lane, open, listeners, ping, notify } = await place();
  lane.adopt("2026-07-28");
  const work = Promise.allSettled([...Array.from({ length: 20 }, notify), ...Array.from({ length: 20 }, ping)]);
  await expect.poll(() => open.length).toBe(40);
  expect(listeners()).toEqual(Array.from({ length: 40 }, () => 1));
  for (const response of open) response.writeHead(202, { "content-length": "0" }).end();
  await work;
  expect(listeners()).toEqual(Array.from({ length: 40 }, () => 0));
});

it("what has no caller ends with the connection", async () => {
  const { lane, open, listeners, ping, notify } = await place();
  const work = Promise.allSettled([notify(), ping()]);
  await expect.poll(() => open.length).toBe(2);
  await lane.close();
  for (const ended of await work) expect(ended).toMatchObject({ status: "rejected", reason: { code: "cancelled" } });
  expect(listeners()).toEqual([0, 0]);
});
