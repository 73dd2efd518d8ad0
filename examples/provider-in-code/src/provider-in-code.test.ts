import { Gateway } from "@sallyport/core";
import { expect, it } from "vitest";
import { clerk } from "./clerk.js";
import { providerInCode } from "./provider-in-code.js";

it("answers runs with tools, plain calls and calls for vectors", async () => {
  const { text, inputTokens, plain, vectors } = await providerInCode();
  expect(text).toBe("That makes 42.");
  expect(inputTokens).toBe(2_000);
  expect(plain).toBe("I have nothing to reckon with.");
  expect(vectors).toEqual([
    [8, 2],
    [17, 3],
  ]);
});

it("is listed and priced", async () => {
  const gateway = new Gateway({ env: {}, mcpServers: {}, log: () => undefined });
  gateway.providers.add(clerk);
  const model = gateway.models.get("house/clerk");
  expect(model.contextTokens).toBe(8_000);
  const { usage } = await model.generate("hello");
  expect(model.costNanoUsd(usage)).toBe(520_000);
  await gateway.close();
});
