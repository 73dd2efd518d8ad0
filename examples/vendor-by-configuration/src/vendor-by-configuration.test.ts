import { expect, it } from "vitest";
import { vendorByConfiguration } from "./vendor-by-configuration.js";

it("speaks to the server as the configuration says, and prices the call", async () => {
  const { text, costUsd, seen } = await vendorByConfiguration();
  expect(text).toBe("At your service.");
  expect(costUsd).toBe("0.00021");
  expect(seen).toEqual([
    {
      path: "/api/chat/completions",
      key: "house-key",
      team: "kitchen",
      body: expect.objectContaining({
        model: "butler",
        max_tokens: 50,
        messages: [expect.objectContaining({ role: "system" }), expect.anything()],
      }),
    },
  ]);
});
