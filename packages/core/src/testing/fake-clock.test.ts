import { expect, it } from "vitest";
import { FakeClock } from "./fake-clock.js";

it("runs timers in order of their instant, then of creation, also those that timers make", async () => {
  const clock = new FakeClock(1000);
  const seen: string[] = [];
  clock.at(1030, () => seen.push("c"));
  clock.at(1010, () => {
    seen.push(`a@${clock.now()}`);
    clock.at(1020, () => seen.push("b"));
  });
  clock.at(1010, () => seen.push("a2"));
  const cancel = clock.at(1015, () => seen.push("never"));
  cancel();
  await clock.advance(25);
  expect(seen).toEqual(["a@1010", "a2", "b"]);
  expect(clock.now()).toBe(1025);
  expect(clock.pending).toBe(1);
  await clock.advance(5);
  expect(seen.at(-1)).toBe("c");
});
