import assert from "node:assert/strict";
import type { Bus } from "@sallyport/core/ports";
import { registerCases, type Case, type Make, type TestFunction } from "../contract.js";
import { casesOf, eventually, type Patience } from "./subject.js";

/** A bus that nobody listens to yet. */
export interface BusSubject extends Patience {
  readonly bus: Bus;
}

const nothing = (): void => undefined;

/** A subscriber that notes what it hears. */
async function listener(bus: Bus, topic: string) {
  const heard: string[] = [];
  let gaps = 0;
  const stop = await bus.subscribe(
    topic,
    (ids) => heard.push(...ids),
    () => gaps++,
  );
  return { heard, stop, gaps: () => gaps };
}

/** Everything that `Bus` promises. */
export const busCases: readonly Case<BusSubject>[] = casesOf<BusSubject>("hints", {
  "every subscriber of the topic hears the ids, and nobody else": async (s) => {
    const { bus } = s;
    const [one, two, other] = [await listener(bus, "t"), await listener(bus, "t"), await listener(bus, "other")];
    await bus.publish("t", ["a", "b"]);
    await bus.publish("t", ["c"]);
    await eventually(s, "both heard all", () => one.heard.length >= 3 && two.heard.length >= 3);
    await bus.publish("other", ["end"]);
    await eventually(s, "the other heard its own", () => other.heard.length > 0);
    for (const { heard } of [one, two]) assert.deepEqual([...heard].sort(), ["a", "b", "c"]);
    assert.deepEqual(other.heard, ["end"]);
    await Promise.all([one, two, other].map(({ stop }) => stop()));
  },
  "publishing to nobody is no error": async (s) => {
    const { bus } = s;
    await bus.publish("nobody", ["a"]);
    await bus.publish("nobody", []);
  },
  "a subscription begins with a gap: read the store now": async (s) => {
    const { bus } = s;
    const one = await listener(bus, "t");
    await eventually(s, "the gap was told", () => one.gaps() === 1);
    await one.stop();
  },
  "who has left hears nothing more, and may leave twice": async (s) => {
    const { bus } = s;
    const [gone, here] = [await listener(bus, "t"), await listener(bus, "t")];
    await gone.stop();
    await gone.stop();
    await bus.publish("t", ["a"]);
    await eventually(s, "the other heard it", () => here.heard.length === 1);
    assert.deepEqual(gone.heard, []);
    await here.stop();
  },
  "a subscriber that throws keeps nothing from the others or from the publisher": async (s) => {
    const { bus } = s;
    const broken = await bus.subscribe(
      "t",
      () => {
        throw new Error("a broken subscriber");
      },
      nothing,
    );
    const one = await listener(bus, "t");
    await bus.publish("t", ["a"]);
    await bus.publish("t", ["b"]);
    await eventually(s, "the other heard both", () => one.heard.length === 2);
    await broken();
    await one.stop();
  },
  "ids given are not looked at later": async (s) => {
    const { bus } = s;
    const one = await listener(bus, "t");
    const ids = ["a"];
    const published = bus.publish("t", ids);
    ids.push("b");
    await published;
    await bus.publish("t", ["end"]);
    await eventually(s, "the end was heard", () => one.heard.includes("end"));
    assert.deepEqual([...one.heard].sort(), ["a", "end"]);
    await one.stop();
  },
});

export function busContract(runner: { readonly test: TestFunction; readonly make: Make<BusSubject> }): void {
  registerCases(busCases, runner);
}
