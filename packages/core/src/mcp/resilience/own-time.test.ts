import { expect, it } from "vitest";
import { GatewayError } from "../../errors/index.js";
import { FakeClock } from "../../testing/fake-clock.js";
import { OwnTime } from "./own-time.js";

function place(callMs = 1_000, signal?: AbortSignal) {
  const clock = new FakeClock();
  const moves: string[] = [];
  const own = { leave: () => void moves.push("leave"), lend: () => void moves.push("lend"), takeBack: () => void moves.push("back") };
  return { clock, moves, time: new OwnTime({ server: "s", clock, callMs, place: own, signal }) };
}
/** Somebody who answers when told to. */
function person() {
  let answer: (text: string) => void = () => undefined;
  const answered = new Promise<string>((resolve) => (answer = resolve));
  return { answer, ask: () => answered };
}

it("stands still while somebody is asked, from the first question to the last answer", async () => {
  const { clock, time, moves } = place();
  await clock.advance(600);
  const [one, two] = [person(), person()];
  const asked = [time.aside(one.ask), time.aside(two.ask)];
  await clock.advance(60_000);
  one.answer("one");
  expect(await asked[0]).toBe("one");
  await clock.advance(60_000);
  expect([time.signal.aborted, moves]).toEqual([false, ["lend"]]);
  two.answer("two");
  expect(await asked[1]).toBe("two");
  await clock.advance(399);
  expect([time.signal.aborted, moves]).toEqual([false, ["lend", "back"]]);
  await clock.advance(1);
  expect(time.signal.reason).toMatchObject({ code: "upstream_timeout" });
});

it("goes on when asking fails, and leaves no timer when it has ended, though somebody answers after that", async () => {
  const { clock, time, moves } = place();
  await expect(time.aside(() => Promise.reject(new Error("nobody")))).rejects.toThrow("nobody");
  expect([clock.pending, moves]).toEqual([1, ["lend", "back"]]);
  const late = person();
  const asked = time.aside(late.ask);
  time.end();
  late.answer("late");
  await asked;
  expect([clock.pending, time.signal.aborted]).toEqual([0, false]);
});

it("has no end without a server's own time, and ends with its call", async () => {
  const controller = new AbortController();
  const { clock, time } = place(Number.POSITIVE_INFINITY, controller.signal);
  await clock.advance(1e9);
  expect([time.signal.aborted, clock.pending]).toEqual([false, 0]);
  const why = new GatewayError("cancelled", "gone");
  controller.abort(why);
  expect(time.signal.reason).toBe(why);
  expect(place(1_000, controller.signal).time.signal.reason).toBe(why);
});
