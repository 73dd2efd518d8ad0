import type { Clock } from "@sallyport/core/ports";
import { FakeClock } from "@sallyport/core/testing";
import type { Made } from "../src/contract.js";
import type { Time } from "../src/volatile/subject.js";

/** A subject on a clock that stands still until the case lets time pass. */
export function fakeTime<S>(make: (clock: Clock, time: Time) => S): Made<S> {
  const clock = new FakeClock();
  return { subject: make(clock, { now: () => clock.now(), pass: (ms) => clock.advance(ms) }) };
}
