import { expect, it } from "vitest";
import { KeepAlive } from "./keep-alive.js";

it("holds one timer however often it is acquired, and none when it was released as often", () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const alive = new KeepAlive();
  alive.acquire();
  alive.acquire();
  expect(timers()).toBe(before + 1);
  alive.release();
  expect(timers()).toBe(before + 1);
  alive.release();
  expect(timers()).toBe(before);
});
