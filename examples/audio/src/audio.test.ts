import { expect, it } from "vitest";
import { audio } from "./audio.js";

it("speaks, and hears what was spoken", async () => {
  const { sound, heard, heardInCode } = await audio("The tide turns at noon.");
  expect(Buffer.from(sound.subarray(0, 4)).toString()).toBe("RIFF");
  expect(heard).toContain(`${sound.length} bytes of audio/wav`);
  expect(heard).toMatch(/\d seconds\.$/);
  expect(heardInCode).toBe(heard);
});
