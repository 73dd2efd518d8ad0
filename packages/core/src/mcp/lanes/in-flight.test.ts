import { expect, it } from "vitest";
import { FakeClock } from "../../testing/fake-clock.js";
import type { Asker } from "../bridge/question.js";
import { readMessage, upstreamPlan } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import { InFlight } from "./in-flight.js";

function place() {
  const clock = new FakeClock();
  const flights = new InFlight(clock);
  const begin = (owner: string) => {
    const asker: Asker = {
      capabilities: { roots: {} },
      ask: () => Promise.resolve({ result: JSON.stringify({ roots: [{ uri: `file:///${owner}` }] }) }),
      completed: () => undefined,
    };
    return flights.begin({ owner, asker });
  };
  let ids = 0;
  const ask = (): Promise<string | null> => {
    const request = readMessage(utf8(`{"jsonrpc":"2.0","id":${++ids},"method":"roots/list"}`), upstreamPlan);
    return flights.answer(request, null).then((answer) => (answer === null ? null : new TextDecoder().decode(answer)));
  };
  const takeBack = (id: number) =>
    flights.noticed(readMessage(utf8(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`), upstreamPlan));
  return { clock, flights, begin, ask, takeBack };
}

it("a question that may be for two waits until one of them was answered, and is for the other then (T16)", async () => {
  const { clock, flights, begin, ask } = place();
  const ada = begin("ada");
  begin("eve");
  const asked = ask();
  // Who begins after it cannot be meant.
  begin("bob");
  await clock.advance(4_999);
  flights.end(ada, true);
  expect(await asked).toContain("file:///eve");
  // Bob is under way still, and one more question may be his.
  const next = ask();
  await clock.advance(5_000);
  expect(await next).toContain("several callers");
  expect(clock.pending).toBe(0);
});

it("is refused when the others were not answered: neither in time, nor when they were only left (T16)", async () => {
  const { clock, flights, begin, ask } = place();
  const [ada, eve] = [begin("ada"), begin("eve")];
  const late = ask();
  await clock.advance(5_000);
  expect(await late).toContain("several callers");
  const left = ask();
  flights.end(ada, false);
  await clock.advance(5_000);
  expect(await left).toContain("several callers");
  // Its own call is over as well before it is put.
  await clock.advance(60_000);
  begin("ada");
  const over = ask();
  flights.end(eve, true);
  expect(await over).toContain("file:///ada");
});

it("keeps nothing of calls that were given up long ago, also when their server never asks anything", async () => {
  const { clock, flights, begin } = place();
  for (let call = 0; call < 100; call++) flights.end(begin("ada"), false);
  expect(flights.abandoned).toBe(100);
  await clock.advance(60_000);
  flights.end(begin("ada"), false);
  expect(flights.abandoned).toBe(1);
});

it("is forgotten when the server takes it back, and when the calls are over at once", async () => {
  const { clock, flights, begin, ask, takeBack } = place();
  const [ada, eve] = [begin("ada"), begin("eve")];
  const back = ask();
  takeBack(1);
  expect(await back).toBeNull();
  const over = ask();
  flights.end(ada, true);
  flights.end(eve, true);
  expect(await over).toContain("No call is under way");
  expect(clock.pending).toBe(0);
});
