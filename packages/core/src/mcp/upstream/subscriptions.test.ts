import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import type { Lane } from "../lanes/lane.js";
import type { Connection } from "../lanes/own-request.js";
import { Subscriptions } from "./subscriptions.js";

it("a server that ends its listen stream again and again gathers no listeners on what ends the listening", async () => {
  const clock = new FakeClock();
  const signals: AbortSignal[] = [];
  const lane: Partial<Lane> = {
    exchange: (_request, { signal }) => {
      signals.push(signal!);
      return Promise.reject(new GatewayError("upstream_interrupted", "It ended its stream."));
    },
  };
  const capabilities = { tools: { listChanged: true } };
  const connection = { era: "modern", version: "2026-07-28", capabilities, meta: "", lane } as unknown as Connection;
  const subscriptions = new Subscriptions(clock);
  subscriptions.connected(connection);
  for (let i = 0; i < 40; i++) await clock.advance(30_000);
  expect([signals.length > 30, new Set(signals).size]).toEqual([true, 1]);
  expect(getEventListeners(signals[0]!, "abort")).toHaveLength(1);
  subscriptions.connected(null);
  await clock.advance(60_000);
  expect([getEventListeners(signals[0]!, "abort").length, clock.pending]).toEqual([0, 0]);
});

const uri = "notes://1";
function legacy(exchange: Lane["exchange"]): Connection {
  const lane: Partial<Lane> = { exchange };
  return {
    era: "legacy",
    version: "2025-06-18",
    capabilities: { resources: { subscribe: true } },
    meta: "",
    lane,
  } as unknown as Connection;
}

it("of two who begin to watch at once neither takes it for watched when the server refuses", async () => {
  let refuse = (): void => undefined;
  const refused = new Promise<never>((_resolve, reject) => (refuse = () => reject(new GatewayError("upstream_interrupted", "It broke."))));
  const connection = legacy(() => refused);
  const subscriptions = new Subscriptions(new FakeClock());
  const watching = [subscriptions.watch(connection, uri), subscriptions.watch(connection, uri)];
  refuse();
  const ends = await Promise.allSettled(watching);
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(subscriptions.isWatched).toBe(false);
});

it("what a principal watches is its next connection's too, also when another came between its first and its watching", async () => {
  const all = new Subscriptions(new FakeClock());
  const ada = all.of("ada");
  all.of("eve");
  const reply = { error: null } as Awaited<ReturnType<Lane["exchange"]>>;
  await ada.watch(
    legacy(() => Promise.resolve(reply)),
    uri,
  );
  expect(all.of("ada")).toBe(ada);
});
