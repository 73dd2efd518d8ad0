import { expect, it } from "vitest";
import { streaming } from "./streaming.js";

it("streams word by word, and reports the usage at the end", async () => {
  let text = "";
  const { pieces, outputTokens } = await streaming((piece) => (text += piece));
  expect(text).toBe("Every word arrives by itself.");
  expect(pieces).toBeGreaterThan(3);
  expect(outputTokens).toBeGreaterThan(0);
});
