import { expect, it } from "vitest";
import { fallback } from "./fallback.js";

it("is answered by the next target when the first is down", async () => {
  const { text, model, attempts } = await fallback();
  expect(text).toBe("Still here?");
  expect(model).toBe("demo/echo");
  expect(attempts).toBeGreaterThan(1);
});
