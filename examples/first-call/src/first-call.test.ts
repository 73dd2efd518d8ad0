import { expect, it } from "vitest";
import { firstCall } from "./first-call.js";

it("calls the model, the tool and the model again, and says what it did", async () => {
  const events: string[] = [];
  const result = await firstCall((line) => events.push(line));
  expect(result.text).toContain("42");
  expect(events[0]).toBe("run.started");
  expect(events).toEqual(expect.arrayContaining(["tool.started", "tool.finished"]));
  expect(events.at(-1)).toBe("run.succeeded");
});
