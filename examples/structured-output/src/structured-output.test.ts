import { expect, it } from "vitest";
import { structuredOutput } from "./structured-output.js";

it("answers in the form of the schema", async () => {
  expect(await structuredOutput("Grace Hopper, 37")).toEqual({ name: "Grace Hopper", age: 37 });
});

it("does not take an answer that is none", async () => {
  await expect(structuredOutput("nobody in particular")).rejects.toThrow(/age|name/);
});
