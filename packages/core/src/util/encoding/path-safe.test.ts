import { expect, it } from "vitest";
import { pathSafe } from "./path-safe.js";

it("106: encodes all but the slashes between segments", () => {
  expect(pathSafe("tunedModels/a b?c#d:e%2F..")).toBe("tunedModels/a%20b%3Fc%23d%3Ae%252F..");
});

it.each(["..", "../x", "a/../../b", "a/./b", "a//b", "/a", "a/", ""])("106: refuses %j, which would lead elsewhere", (name) => {
  expect(() => pathSafe(name)).toThrow(expect.objectContaining({ code: "validation_failed", details: { param: "model" } }));
});
