import { expect, it } from "vitest";
import { isGranted } from "./grants.js";

it.each([
  [["*"], true],
  [["models:*"], true],
  [["models:openai/*"], true],
  [["models:openai/gpt-6-luna"], true],
  [["models:anthropic/*"], false],
  [["mcp:*"], false],
  [["models"], false],
  [["model:*"], false],
  [["modelsx:*"], false],
  [[], false],
])("grants %j allow models:openai/gpt-6-luna: %s", (grants, expected) => {
  expect(isGranted(grants, "models", "openai/gpt-6-luna")).toBe(expected);
});
