import { expect, it } from "vitest";
import { checkMutatedBodies } from "../../../../test/wire/mutated-bodies.js";
import { mutatedBody } from "../../../../test/wire/responses-mutated-body.js";
import { openaiResponses } from "../openai-responses.js";

it("fifty thousand mutated bodies are decided alike by both readers, with typed errors only", () => {
  expect(() => checkMutatedBodies(50_000, { codec: openaiResponses, body: mutatedBody })).not.toThrow();
});
