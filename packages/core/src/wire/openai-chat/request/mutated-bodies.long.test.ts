import { expect, it } from "vitest";
import { checkMutatedBodies } from "../../../../test/wire/mutated-bodies.js";

it("fifty thousand mutated bodies are decided alike by both readers, with typed errors only", () => {
  expect(() => checkMutatedBodies(50_000)).not.toThrow();
});
