import { expect, it } from "vitest";
import { image } from "./image.js";

const PNG = [0x89, 0x50, 0x4e, 0x47];

it("makes the same picture in code and through the SDK, and changes it", async () => {
  const { inCode, throughSdk, changed } = await image();
  for (const picture of [inCode, throughSdk, changed]) expect([...picture.subarray(0, 4)]).toEqual(PNG);
  expect(Buffer.from(throughSdk).equals(inCode)).toBe(true);
  expect(Buffer.from(changed).equals(inCode)).toBe(false);
});
