import { expect, it } from "vitest";
import { anyFace } from "./any-face.js";

it("answers each SDK in its own dialect, from one server that speaks one", async () => {
  const { openai, google, anthropic, paths } = await anyFace();
  expect(openai).toBe("I hear you.");
  expect(google).toBe("I hear you.");
  expect(anthropic).toBe("It is high in Brest.");
  expect(paths).toEqual(Array(4).fill("/v1/chat/completions"));
});
