import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { Health } from "./health.js";
import { TargetHealth } from "./target-health.js";

const never = new AbortController().signal;

it("counts the calls under way, each once, however often it ends", () => {
  const health = new TargetHealth();
  const [a, b] = [health.enter(0)!, health.enter(0)!];
  expect(health.inFlight).toBe(2);
  a.began(10);
  expect(health.inFlight).toBe(2);
  a.over();
  a.over();
  a.failed(0);
  b.failed(0);
  expect([health.inFlight, health.breaker.failures]).toEqual([0, 1]);
});

it("measures how long answers take to begin, and forgets it when it is old", () => {
  const health = new TargetHealth();
  expect(health.beginsInMs(0)).toBeNull();
  health.enter(0)!.began(100);
  health.enter(1_000)!.began(200);
  expect(health.beginsInMs(2_000)).toBeCloseTo(130);
  expect(health.beginsInMs(302_000)).toBeNull();
  health.enter(400_000)!.began(40);
  expect(health.beginsInMs(400_000)).toBe(40);
});

it("learns nothing of its speed from a refusal, but that it works", () => {
  const health = new TargetHealth();
  health.enter(0)!.failed(0);
  const visit = health.enter(0)!;
  visit.began(null);
  visit.over();
  expect([health.beginsInMs(0), health.breaker.failures]).toEqual([null, 0]);
});

it("counts a stream that breaks off as a failure, however well each of them began", () => {
  const health = new TargetHealth();
  for (let i = 0; i < 5; i++) {
    const visit = health.enter(0)!;
    visit.began(1);
    visit.failed(5);
  }
  expect(health.breaker.state(5)).toBe("open");
  health.enter(6_000)!.began(1);
  expect(health.breaker.state(6_001)).toBe("closed");
});

it("lets few try it when many stand in at once, and all as soon as one of them succeeded", async () => {
  const health = new TargetHealth();
  const entered: Awaited<ReturnType<TargetHealth["enterAsStandIn"]>>[] = [];
  for (let i = 0; i < 50; i++) void health.enterAsStandIn(() => 0, never).then((visit) => entered.push(visit));
  await nextTurn();
  expect(entered.length).toBe(5);
  entered[0]!.began(10);
  await nextTurn();
  expect(entered.filter((visit) => visit !== null).length).toBe(50);
});

it("turns away all who wait once those who tried found that it does not work", async () => {
  const health = new TargetHealth();
  const entered: Awaited<ReturnType<TargetHealth["enterAsStandIn"]>>[] = [];
  let tried = 0;
  for (let i = 0; i < 200; i++)
    void health
      .enterAsStandIn(() => 0, never)
      .then((visit) => {
        entered.push(visit);
        if (visit === null) return;
        tried++;
        setImmediate(() => visit.failed(0));
      });
  while (entered.length < 200) await nextTurn();
  expect(tried).toBe(5);
  expect(entered.filter((visit) => visit === null).length).toBe(200 - tried);
});

it("keeps nobody waiting who went", async () => {
  const health = new TargetHealth();
  for (let i = 0; i < 5; i++) await health.enterAsStandIn(() => 0, never);
  const controller = new AbortController();
  const waiting = health.enterAsStandIn(() => 0, controller.signal);
  controller.abort();
  expect(await waiting).not.toBeNull(); // it ends at once: nobody is sent anywhere with an aborted signal
});

it("is kept for so many targets and no more, and never forgotten while calls are under way", () => {
  const health = new Health();
  const busy = health.target("busy");
  busy.enter(0);
  health.target("idle").coolDown(9);
  for (let i = 0; i < 2_000; i++) health.target(`made up ${i}`);
  expect(health.peek("busy")).toBe(busy);
  expect(health.peek("idle")).toBeNull();
  expect(health.peek("made up 1999")).not.toBeNull();
});
