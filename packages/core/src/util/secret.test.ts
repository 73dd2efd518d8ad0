import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Secret } from "./secret.js";

it("shows a secret nowhere but where it is revealed", () => {
  const secret = new Secret("hunter2-canary");
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify({ secret }),
    inspect({ secret }, { depth: 5, showHidden: true }),
    JSON.stringify(Object.entries(secret)),
  ];
  expect(shown.join()).not.toContain("canary");
  expect(secret.reveal()).toBe("hunter2-canary");
});
